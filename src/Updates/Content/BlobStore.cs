using System.Collections.Concurrent;
using Fleet.Contracts.Storage;

namespace Fleet.Updates.Content;

/// <summary>
/// Content on a disk, each blob once, named by its SHA-256: <c>blobs/ab/abcd…</c> with the checksums of its blocks beside it, what is on its way in
/// <c>parts</c>, what was found damaged in <c>damaged</c>. A blob appears by one rename, after all of it was verified and is on the disk: a crash at any
/// point leaves nothing of it, or a part to go on with. Thread-safe; one process a directory, unless its options say that it is shared.
/// </summary>
public sealed class BlobStore
{
    private const string SumsSuffix = ".sums";
    private const string PartSuffix = ".part";
    private const int DamagedKept = 10;
    private const int ScrubPiece = 1 << 20;

    private readonly string _directory;
    private readonly BlobStoreOptions _options;
    private readonly TimeProvider _clock;
    private readonly Func<string, long> _freeSpace;
    private readonly Lock _lock = new();
    private readonly ConcurrentDictionary<BlobHash, Kept> _blobs = new();
    private readonly Dictionary<BlobHash, long> _parts = [];
    private long _used;

    /// <param name="freeSpace">Bytes free on the disk of a directory; null: asks the system.</param>
    /// <exception cref="IOException">The directory can't be read or written.</exception>
    public BlobStore(string directory, BlobStoreOptions options, TimeProvider clock, Func<string, long>? freeSpace = null)
    {
        (_directory, _options, _clock) = (Path.GetFullPath(directory), options, clock);
        _freeSpace = freeSpace ?? (path => new DriveInfo(path).AvailableFreeSpace);
        foreach (var folder in new[] { "blobs", "parts", "damaged" })
            Directory.CreateDirectory(Path.Combine(_directory, folder));
        foreach (var file in new DirectoryInfo(Path.Combine(_directory, "blobs")).EnumerateFiles("*", SearchOption.AllDirectories))
            if (BlobHash.Parse(file.Name) is { } hash)
                Add(hash, new Kept(file.Length, file.LastWriteTimeUtc));
    }

    /// <summary>A blob was found to be damaged and was set aside.</summary>
    public event Action<BlobHash>? Damaged;

    /// <summary>Bytes of all blobs, and of what is reserved for those on their way.</summary>
    public long Used
    {
        get
        {
            lock (_lock)
                return _used;
        }
    }

    public long Quota => _options.Quota;

    public bool Contains(BlobHash hash) => Find(hash) is not null;

    /// <summary>Null: it is not here.</summary>
    public long? LengthOf(BlobHash hash) => Find(hash)?.Length;

    /// <summary>Bytes that are here of a blob that is not whole yet; nothing says that they are right before all are here.</summary>
    public long LengthOfPart(BlobHash hash) => new FileInfo(PartPathOf(hash)) is { Exists: true } part ? part.Length : 0;

    /// <summary>All blobs, those that nobody used for longest first.</summary>
    public IReadOnlyList<BlobEntry> List() => [.. _blobs.Select(b => new BlobEntry(b.Key, b.Value.Length, b.Value.UsedAt)).OrderBy(b => b.UsedAt)];

    /// <summary>Opens a blob to be read, each block verified as it is; null: it is not here.</summary>
    /// <exception cref="BlobDamagedException">Its length is not what it was.</exception>
    public BlobReader? Open(BlobHash hash)
    {
        if (Find(hash) is not { } kept)
            return null;
        FileStream file;
        try
        {
            file = new FileStream(PathOf(hash), new FileStreamOptions { Access = FileAccess.Read, Share = FileShare.Read | FileShare.Delete, BufferSize = 0 });
        }
        catch (Exception gone) when (gone is FileNotFoundException or DirectoryNotFoundException)
        {
            if (Forgot(hash))
                return null;
            throw SetAside(hash, "its file is gone");
        }

        try
        {
            if (RandomAccess.GetLength(file.SafeFileHandle) != kept.Length)
                throw SetAside(hash, "its length has changed");
            var sums = kept.Sums ?? SumsOf(hash, kept.Length) ?? Rehashed(hash, file);
            _blobs.TryUpdate(hash, kept with { UsedAt = _clock.GetUtcNow(), Sums = sums }, kept);
            return new BlobReader(hash, kept.Length, file, sums, what => SetAside(hash, what));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>All bytes of a small blob, verified; null: it is not here, or is larger.</summary>
    /// <exception cref="BlobDamagedException">The disk has changed it.</exception>
    public byte[]? ReadAll(BlobHash hash, int maxBytes)
    {
        using var blob = Open(hash);
        if (blob is null || blob.Length > maxBytes)
            return null;
        var bytes = new byte[blob.Length];
        for (var at = 0; at < bytes.Length;)
        {
            var piece = blob.Read(at);
            piece.CopyTo(bytes.AsMemory(at));
            at += piece.Length;
        }

        return bytes;
    }

    /// <summary>Begins to write a blob, or goes on where an earlier try ended; what that left is verified with the rest.</summary>
    /// <param name="length">As its signed description says: no byte more is taken, and that room is kept for it.</param>
    /// <param name="needed">Which blobs must stay; the others may go to make room, those that nobody used for longest first.</param>
    /// <exception cref="StorageException">There is no room for it; the message says what is missing.</exception>
    /// <exception cref="InvalidOperationException">It is here, or being written.</exception>
    public BlobPart Begin(BlobHash hash, long length, Func<BlobHash, bool> needed)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        lock (_lock)
        {
            if (Find(hash) is not null || _parts.ContainsKey(hash))
                throw new InvalidOperationException($"blob {hash} is here already, or being written");
            MakeRoom(hash, length, needed);
            _parts[hash] = length;
            _used += length;
        }

        try
        {
            return new BlobPart(this, hash, length, PartPathOf(hash));
        }
        catch
        {
            Release(hash);
            throw;
        }
    }

    /// <summary>Removes blobs that nothing needs, and parts that nobody went on with for too long.</summary>
    /// <returns>Bytes that are free again.</returns>
    public long Collect(Func<BlobHash, bool> needed, TimeSpan unusedFor)
    {
        var now = _clock.GetUtcNow();
        long freed = 0;
        lock (_lock)
        {
            foreach (var blob in List().Where(b => now - b.UsedAt >= unusedFor && !needed(b.Hash)))
                freed += Remove(blob.Hash);
            foreach (var part in new DirectoryInfo(Path.Combine(_directory, "parts")).EnumerateFiles())
                if (now - part.LastWriteTimeUtc >= _options.PartsKept && !(BlobHash.Parse(Path.GetFileNameWithoutExtension(part.Name)) is { } hash && _parts.ContainsKey(hash)))
                {
                    freed += part.Length;
                    part.Delete();
                }
        }

        return freed;
    }

    /// <summary>Hashes every blob once, those first whose last hashing is longest ago, and sets aside what is damaged.</summary>
    /// <param name="bytesPerSecond">The most that are read a second.</param>
    /// <returns>How many were hashed, and how many of them were damaged.</returns>
    public async Task<(int Hashed, int Damaged)> Scrub(long bytesPerSecond, CancellationToken cancellation)
    {
        var (hashed, damaged) = (0, 0);
        foreach (var hash in _blobs.Keys.Select(h => (Hash: h, At: File.GetLastWriteTimeUtc(SumsPathOf(h)))).OrderBy(b => b.At).Select(b => b.Hash).ToList())
        {
            if (!await IsSound(hash, bytesPerSecond, cancellation).ConfigureAwait(false))
                damaged++;
            hashed++;
        }

        return (hashed, damaged);
    }

    /// <summary>Hashes all of a blob; where it is not what its name says it is set aside.</summary>
    /// <returns>False: it was damaged, or is not here.</returns>
    public async Task<bool> IsSound(BlobHash hash, long bytesPerSecond, CancellationToken cancellation)
    {
        if (!_blobs.ContainsKey(hash))
            return false;
        try
        {
            using var file = new FileStream(PathOf(hash), new FileStreamOptions { Access = FileAccess.Read, Share = FileShare.Read | FileShare.Delete, BufferSize = 0, Options = FileOptions.SequentialScan });
            using var content = new ContentHash();
            var buffer = new byte[ScrubPiece];
            while (await file.ReadAsync(buffer, cancellation).ConfigureAwait(false) is > 0 and var read)
            {
                content.Append(buffer.AsSpan(0, read));
                await Task.Delay(TimeSpan.FromSeconds((double)read / bytesPerSecond), _clock, cancellation).ConfigureAwait(false);
            }

            var (found, sums) = content.End();
            if (found == hash)
            {
                DurableFile.Replace(SumsPathOf(hash), sums.ToBytes());
                return true;
            }
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            SetAside(hash, unreadable.Message);
            return false;
        }

        SetAside(hash, "its hash is not its name");
        return false;
    }

    /// <summary>The part is whole and verified: it becomes the blob.</summary>
    internal void Commit(BlobHash hash, string part, BlockSums sums)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(PathOf(hash))!);
        DurableFile.Replace(SumsPathOf(hash), sums.ToBytes());
        DurableFile.Move(part, PathOf(hash));
        lock (_lock)
        {
            var length = _parts.GetValueOrDefault(hash);
            _parts.Remove(hash);
            _used -= length;
            Add(hash, new Kept(length, _clock.GetUtcNow()));
        }
    }

    /// <summary>Nobody writes the part any more; what came of it stays for the next try.</summary>
    internal void Release(BlobHash hash)
    {
        lock (_lock)
            if (_parts.Remove(hash, out var length))
                _used -= length;
    }

    // In a shared directory also what another process has put there.
    private Kept? Find(BlobHash hash)
    {
        if (_blobs.TryGetValue(hash, out var known))
            return known;
        if (!_options.IsShared || new FileInfo(PathOf(hash)) is not { Exists: true } file)
            return null;
        var kept = new Kept(file.Length, file.LastWriteTimeUtc);
        lock (_lock)
            Add(hash, kept);
        return kept;
    }

    // In a shared directory another process may have let it go.
    private bool Forgot(BlobHash hash)
    {
        if (!_options.IsShared)
            return false;
        lock (_lock)
            if (_blobs.TryRemove(hash, out var kept))
                _used -= kept.Length;
        return true;
    }

    private void Add(BlobHash hash, Kept kept)
    {
        if (_blobs.TryAdd(hash, kept))
            _used += kept.Length;
    }

    private void MakeRoom(BlobHash hash, long length, Func<BlobHash, bool> needed)
    {
        var missing = Missing(length);
        if (missing <= 0)
            return;
        foreach (var blob in List().Where(b => !needed(b.Hash)).ToList())
        {
            Remove(blob.Hash);
            if ((missing = Missing(length)) <= 0)
                return;
        }

        throw new StorageException(
            $"there is no room for blob {hash} of {length} bytes in {_directory}: {missing} bytes are missing, with {_used} of {_options.Quota} used and {_options.MinFree} to stay free on the disk. "
            + "Raise the quota, free disk space, or let fewer updates be kept");
    }

    private long Missing(long length) => Math.Max(_used + length - _options.Quota, _options.MinFree + length - _freeSpace(_directory));

    private long Remove(BlobHash hash)
    {
        if (!_blobs.TryRemove(hash, out var kept))
            return 0;
        _used -= kept.Length;
        File.Delete(PathOf(hash));
        File.Delete(SumsPathOf(hash));
        return kept.Length;
    }

    private BlockSums? SumsOf(BlobHash hash, long length)
    {
        try
        {
            return BlockSums.Read(File.ReadAllBytes(SumsPathOf(hash)), length);
        }
        catch (IOException)
        {
            return null;
        }
    }

    // The checksums are gone or damaged: they are made anew, of what the whole hash says is right.
    private BlockSums Rehashed(BlobHash hash, FileStream file)
    {
        using var content = new ContentHash();
        var buffer = new byte[ScrubPiece];
        for (long at = 0; RandomAccess.Read(file.SafeFileHandle, buffer, at) is > 0 and var read; at += read)
            content.Append(buffer.AsSpan(0, read));
        var (found, sums) = content.End();
        if (found != hash)
            throw SetAside(hash, "its hash is not its name");
        DurableFile.Replace(SumsPathOf(hash), sums.ToBytes());
        return sums;
    }

    private BlobDamagedException SetAside(BlobHash hash, string what)
    {
        lock (_lock)
        {
            if (_blobs.TryRemove(hash, out var kept))
                _used -= kept.Length;
            try
            {
                var damaged = new DirectoryInfo(Path.Combine(_directory, "damaged"));
                foreach (var old in damaged.GetFiles().OrderByDescending(f => f.LastWriteTimeUtc).Skip(DamagedKept - 1))
                    old.Delete();
                if (File.Exists(PathOf(hash)))
                    File.Move(PathOf(hash), Path.Combine(damaged.FullName, hash.Value), overwrite: true);
                File.Delete(SumsPathOf(hash));
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
            {
                // Its name is taken again by the next good copy.
            }
        }

        Damaged?.Invoke(hash);
        return new BlobDamagedException(hash, what);
    }

    private string PathOf(BlobHash hash) => Path.Combine(_directory, "blobs", hash.Value[..2], hash.Value);

    private string PartPathOf(BlobHash hash) => Path.Combine(_directory, "parts", hash.Value + PartSuffix);

    private string SumsPathOf(BlobHash hash) => PathOf(hash) + SumsSuffix;

    /// <param name="Sums">Once it was opened: half a megabyte for eight gigabytes.</param>
    private sealed record Kept(long Length, DateTimeOffset UsedAt, BlockSums? Sums = null);
}

/// <summary>A blob that is here.</summary>
public sealed record BlobEntry(BlobHash Hash, long Length, DateTimeOffset UsedAt);
