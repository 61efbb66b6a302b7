using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Fleet.Contracts;

/// <summary>
/// What an operator shows headquarters: <c>fleetadmin1.SECRET.CA-PIN</c>. The pin authenticates headquarters before the secret is sent, so that the
/// console's and the REST API's certificate needs no public authority.
/// </summary>
public sealed record AdminToken(byte[] Secret, byte[] CaPin)
{
    private const string Prefix = "fleetadmin1";
    private const int SecretLength = 32;

    /// <summary>Makes a token with a fresh 256-bit secret.</summary>
    public static AdminToken Create(byte[] caPin) => new(RandomNumberGenerator.GetBytes(SecretLength), caPin);

    /// <summary>What is sent as <c>Authorization: Bearer</c>.</summary>
    public string Bearer => Base64Url.EncodeToString(Secret);

    /// <summary>Reads a token's text.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out AdminToken? token, out string problem)
    {
        token = null;
        var parts = (text ?? "").Trim().Split('.');
        if (parts.Length != 3 || parts[0] != Prefix)
        {
            problem = "this is not an administrator token: it should read fleetadmin1.SECRET.PIN; copy it whole from admin.token in headquarters' data directory";
            return false;
        }

        if (SecretOf(parts[1]) is not { } secret || Bytes(parts[2]) is not { Length: SHA256.HashSizeInBytes } pin)
        {
            problem = "the administrator token is damaged or cut short; copy it whole from admin.token in headquarters' data directory";
            return false;
        }

        token = new AdminToken(secret, pin);
        problem = "";
        return true;
    }

    /// <summary>Reads the secret part alone, as it is sent; null where it is none.</summary>
    public static byte[]? SecretOf(string bearer) => Bytes(bearer) is { Length: SecretLength } secret ? secret : null;

    /// <summary>The token as one line of text. Secret: never log it.</summary>
    public string ToText() => $"{Prefix}.{Bearer}.{Base64Url.EncodeToString(CaPin)}";

    public override string ToString() => "administrator token";

    private static byte[]? Bytes(string text) => Base64Url.IsValid(text) ? Base64Url.DecodeFromChars(text) : null;
}
