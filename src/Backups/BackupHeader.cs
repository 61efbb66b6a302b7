using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Fleet.Backups;

/// <summary>How a backup begins, readable without its passphrase: the mark <c>FLEETBAK</c>, the length of what follows (4 bytes, little endian), and this as JSON.</summary>
/// <param name="Format">Of the file.</param>
/// <param name="Version">Of the headquarters that made it.</param>
/// <param name="Seal">How it is encrypted; null: it is not.</param>
public sealed record BackupHeader(int Format, string Version, DateTimeOffset MadeAt, BackupSeal? Seal)
{
    /// <summary>Raise it when an older program must not read what this one writes.</summary>
    public const int Current = 1;

    private const int MaxLength = 64 * 1024;

    private static readonly byte[] Mark = "FLEETBAK"u8.ToArray();

    internal byte[] ToBytes()
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(this, BackupJson.Default.BackupHeader);
        var bytes = new byte[Mark.Length + sizeof(int) + json.Length];
        Mark.CopyTo(bytes, 0);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(Mark.Length), json.Length);
        json.CopyTo(bytes, Mark.Length + sizeof(int));
        return bytes;
    }

    /// <summary>Reads it from the beginning of a file.</summary>
    /// <returns>It, and the bytes that it was.</returns>
    /// <exception cref="BackupException">It is no backup, or of a newer version.</exception>
    internal static (BackupHeader Header, byte[] Bytes) Read(Stream file)
    {
        var start = new byte[Mark.Length + sizeof(int)];
        if (file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) < start.Length || !start.AsSpan(0, Mark.Length).SequenceEqual(Mark))
            throw new BackupException("it is no backup of Fleet: name a file that 'fleet backup create' wrote");
        var length = BinaryPrimitives.ReadInt32LittleEndian(start.AsSpan(Mark.Length));
        if (length is <= 0 or > MaxLength)
            throw FrameReader.Damaged();
        var json = new byte[length];
        if (file.ReadAtLeast(json, length, throwOnEndOfStream: false) < length)
            throw FrameReader.CutShort();
        try
        {
            var header = JsonSerializer.Deserialize(json, BackupJson.Default.BackupHeader) ?? throw FrameReader.Damaged();
            return header.Format <= Current
                ? (header, [.. start, .. json])
                : throw new BackupException($"it has format {header.Format}, of Fleet {header.Version}, and this version reads up to {Current}: use that version or a newer one");
        }
        catch (JsonException)
        {
            throw FrameReader.Damaged();
        }
    }
}

/// <summary>How the key of a backup is made from its passphrase: PBKDF2 with HMAC-SHA-256 (RFC 8018). The rest is AES-256-GCM.</summary>
public sealed record BackupSeal(int Iterations, byte[] Salt)
{
    /// <summary>Fewer can be tried by chance.</summary>
    public const int LeastPassphrase = 12;

    /// <summary>OWASP's advice of 2023 for PBKDF2 with SHA-256.</summary>
    private const int Enough = 600_000;

    // Whoever changes the file could make a reader calculate for days.
    private const int Most = 100 * Enough;

    public static BackupSeal New() => new(Enough, RandomNumberGenerator.GetBytes(16));

    /// <summary>Reads the passphrase from a file; a line end behind it is not part of it.</summary>
    /// <exception cref="BackupException">The file can't be read.</exception>
    public static string ReadPassphrase(string file)
    {
        try
        {
            return File.ReadAllText(file).TrimEnd('\r', '\n');
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new BackupException($"the passphrase in {file} can't be read: {fault.Message}");
        }
    }

    internal byte[] KeyOf(string passphrase) => Iterations is > 0 and <= Most
        ? Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(passphrase), Salt, Iterations, HashAlgorithmName.SHA256, 32)
        : throw FrameReader.Damaged();
}
