using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using ZstdSharp;

namespace Fleet.Backups;

/// <summary>Reads a backup file. What is wrong with it is a <see cref="BackupException"/>.</summary>
public sealed class BackupReader : IDisposable
{
    private const int MaxName = 4096;
    private const int MaxManifest = 64 * 1024 * 1024;
    private const int MaxPiece = 16 * 1024 * 1024;

    private readonly FileStream _file;
    private readonly byte[] _headerBytes;

    private BackupReader(FileStream file)
    {
        _file = file;
        (Header, _headerBytes) = BackupHeader.Read(file);
    }

    public BackupHeader Header { get; }

    /// <exception cref="BackupException">It can't be read, is no backup, or of a newer version.</exception>
    public static BackupReader Open(string path)
    {
        FileStream file;
        try
        {
            file = new FileStream(path, new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.Read, Share = FileShare.Read, Options = FileOptions.SequentialScan });
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new BackupException($"it can't be read: {fault.Message}");
        }

        try
        {
            return new BackupReader(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Checks that every byte is as it was written. Needs no passphrase.</summary>
    public void CheckWhole()
    {
        using var frames = Frames(key: null);
        frames.Drain();
    }

    /// <summary>Checks that this is the passphrase, by the first frame alone.</summary>
    /// <param name="passphrase">Null: none is known.</param>
    public void CheckPassphrase(string? passphrase)
    {
        using var frames = Frames(KeyOf(passphrase));
        frames.ReadByte();
    }

    /// <summary>
    /// Reads all entries in their order and compares each with the manifest, which is given at the end. Until then nobody knows that they are right, unless
    /// <see cref="CheckWhole"/> said so.
    /// </summary>
    /// <param name="passphrase">Null: it is not encrypted.</param>
    /// <param name="take">Gets each entry's name and content; what it does not read is passed over.</param>
    public BackupManifest Read(string? passphrase, Action<string, Stream> take)
    {
        using var frames = Frames(KeyOf(passphrase));
        using var packed = new DecompressionStream(frames, leaveOpen: true);
        try
        {
            var manifest = Read(packed, take);
            frames.Drain();
            return manifest;
        }
        catch (Exception wrong) when (wrong is ZstdException or EndOfStreamException or DecoderFallbackException)
        {
            throw FrameReader.Damaged();
        }
    }

    public void Dispose() => _file.Dispose();

    private static BackupManifest Read(Stream packed, Action<string, Stream> take)
    {
        List<BackupEntry> found = [];
        BackupManifest? manifest = null;
        while (NameIn(packed) is { Length: > 0 } name)
        {
            using var entry = new EntryReader(packed);
            if (name == BackupManifest.Name)
                manifest = BackupManifest.Read(All(entry, MaxManifest));
            else
            {
                take(name, entry);
                found.Add(entry.End(name));
            }
        }

        return manifest is not null && found.SequenceEqual(manifest.Entries) ? manifest : throw FrameReader.Damaged();
    }

    private static string NameIn(Stream packed)
    {
        using var entry = new EntryReader(packed);
        return Encoding.UTF8.GetString(All(entry, MaxName));
    }

    private static byte[] All(Stream entry, int most)
    {
        using var all = new MemoryStream();
        var buffer = new byte[MaxName];
        while (entry.Read(buffer) is > 0 and var read)
        {
            if (all.Length + read > most)
                throw FrameReader.Damaged();
            all.Write(buffer, 0, read);
        }

        return all.ToArray();
    }

    private byte[]? KeyOf(string? passphrase) => Header.Seal switch
    {
        null => null,
        { } seal => seal.KeyOf(passphrase ?? throw new BackupException("it is encrypted: name the file with its passphrase (--passphrase-file)")),
    };

    private FrameReader Frames(byte[]? key)
    {
        _file.Position = _headerBytes.Length;
        return new FrameReader(_file, _headerBytes, key);
    }

    /// <summary>The pieces of one entry as one stream.</summary>
    private sealed class EntryReader(Stream packed) : Stream
    {
        private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        private long _length;
        private int _left;
        private bool _ended;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => _length; set => throw new NotSupportedException(); }

        public override int Read(Span<byte> buffer)
        {
            if (_left == 0 && !_ended)
                Next();
            if (_ended || buffer.IsEmpty)
                return 0;
            var part = buffer[..Math.Min(buffer.Length, _left)];
            packed.ReadExactly(part);
            _hash.AppendData(part);
            (_left, _length) = (_left - part.Length, _length + part.Length);
            return part.Length;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        /// <summary>Passes over what nobody read.</summary>
        public BackupEntry End(string name)
        {
            var rest = new byte[MaxName * 16];
            while (Read(rest) > 0)
            {
                // For its hash.
            }

            return new BackupEntry(name, _length, Convert.ToHexStringLower(_hash.GetHashAndReset()));
        }

        public override void Flush()
        {
            // Nothing is written.
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            _hash.Dispose();
            base.Dispose(disposing);
        }

        private void Next()
        {
            Span<byte> bytes = stackalloc byte[sizeof(int)];
            packed.ReadExactly(bytes);
            _left = BinaryPrimitives.ReadInt32LittleEndian(bytes);
            if (_left is < 0 or > MaxPiece)
                throw FrameReader.Damaged();
            _ended = _left == 0;
        }
    }
}
