using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using ZstdSharp;

namespace Fleet.Backups;

/// <summary>
/// Writes a backup from its beginning to its end: the header, then in frames one Zstandard stream (RFC 8878) of entries. An entry is its name and its content,
/// each as pieces of a length (4 bytes, little endian) and that many bytes; a piece of no bytes ends it, and an entry without a name ends the backup.
/// </summary>
public sealed class BackupWriter : IDisposable
{
    private const int Level = 3;

    private readonly FrameWriter _frames;
    private readonly CompressionStream _packed;
    private readonly List<BackupEntry> _entries = [];

    /// <param name="passphrase">Null: it is not encrypted.</param>
    public BackupWriter(Stream file, string version, DateTimeOffset madeAt, string? passphrase)
    {
        var seal = passphrase is null ? null : BackupSeal.New();
        _frames = new FrameWriter(file, new BackupHeader(BackupHeader.Current, version, madeAt, seal).ToBytes(), seal?.KeyOf(passphrase!));
        _packed = new CompressionStream(_frames, Level, leaveOpen: true);
    }

    public IReadOnlyList<BackupEntry> Entries => _entries;

    /// <summary>Adds an entry.</summary>
    /// <param name="write">Writes its content.</param>
    public void Add(string name, Action<Stream> write)
    {
        using var entry = new EntryStream(_packed);
        Begin(name);
        write(entry);
        _entries.Add(entry.End(name));
    }

    public void Add(string name, ReadOnlyMemory<byte> content) => Add(name, entry => entry.Write(content.Span));

    /// <summary>Ends the backup; the manifest lists what was added.</summary>
    public void Finish(BackupManifest manifest)
    {
        Add(BackupManifest.Name, (manifest with { Entries = [.. _entries] }).ToBytes());
        Begin("");
        _packed.Dispose();
        _frames.Finish();
    }

    public void Dispose()
    {
        _packed.Dispose();
        _frames.Dispose();
    }

    private void Begin(string name)
    {
        using var text = new EntryStream(_packed);
        text.Write(Encoding.UTF8.GetBytes(name));
        text.End(name);
    }

    /// <summary>Cuts what is written into pieces, and hashes it.</summary>
    private sealed class EntryStream(Stream packed) : Stream
    {
        private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        private long _length;

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => _length;

        public override long Position { get => _length; set => throw new NotSupportedException(); }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            if (buffer.IsEmpty)
                return;
            Say(buffer.Length);
            packed.Write(buffer);
            _hash.AppendData(buffer);
            _length += buffer.Length;
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public BackupEntry End(string name)
        {
            Say(0);
            return new BackupEntry(name, _length, Convert.ToHexStringLower(_hash.GetHashAndReset()));
        }

        public override void Flush()
        {
            // The pieces are whole.
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            _hash.Dispose();
            base.Dispose(disposing);
        }

        private void Say(int length)
        {
            Span<byte> bytes = stackalloc byte[sizeof(int)];
            BinaryPrimitives.WriteInt32LittleEndian(bytes, length);
            packed.Write(bytes);
        }
    }
}
