using System.Security.Cryptography;

namespace Fleet.Updates.Content;

/// <summary>Names content by its SHA-256: 64 lower-case hexadecimal digits, so that it is safe as a file's name and as a part of an address.</summary>
public readonly record struct BlobHash
{
    /// <summary>Of the hash itself.</summary>
    public const int Bytes = SHA256.HashSizeInBytes;

    private BlobHash(string value) => Value = value;

    public string Value { get; }

    /// <exception cref="ArgumentException">Not 32 bytes.</exception>
    public static BlobHash Of(ReadOnlySpan<byte> sha256) => sha256.Length == SHA256.HashSizeInBytes
        ? new BlobHash(Convert.ToHexStringLower(sha256))
        : throw new ArgumentException($"a SHA-256 has {SHA256.HashSizeInBytes} bytes, not {sha256.Length}", nameof(sha256));

    /// <summary>The name of this content.</summary>
    public static BlobHash Over(ReadOnlySpan<byte> content) => Of(SHA256.HashData(content));

    /// <summary>Null: the text is no such name.</summary>
    public static BlobHash? Parse(ReadOnlySpan<char> text)
    {
        if (text.Length != 2 * SHA256.HashSizeInBytes)
            return null;
        foreach (var c in text)
            if (!char.IsAsciiHexDigitLower(c))
                return null;
        return new BlobHash(text.ToString());
    }

    public override string ToString() => Value;
}
