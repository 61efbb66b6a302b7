using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace Fleet.Contracts;

/// <summary>
/// The short-lived secret with which an office node or an agent enrols: <c>fleet1.OFFICE.TOKEN-ID.SECRET.CA-PIN</c>.
/// It pins headquarters' CA, so that the very first contact is authenticated; the secret itself is never sent (see <see cref="EnrolmentProof"/>).
/// </summary>
public sealed record JoinToken(OfficeId Office, TokenId Id, byte[] Secret, byte[] CaPin)
{
    private const string Prefix = "fleet1";
    private const int SecretLength = 32;

    /// <summary>Makes a token with a fresh 256-bit secret.</summary>
    public static JoinToken Create(OfficeId office, TokenId id, byte[] caPin) =>
        new(office, id, RandomNumberGenerator.GetBytes(SecretLength), caPin);

    /// <summary>Reads a token's text.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out JoinToken? token, out string problem)
    {
        token = null;
        var parts = (text ?? "").Trim().Split('.');
        if (parts.Length != 5 || parts[0] != Prefix)
        {
            problem = "this is not a join token: it should read fleet1.OFFICE.ID.SECRET.PIN; copy it whole from 'fleet token create'";
            return false;
        }

        if ((IdText.Problem(parts[1]) ?? IdText.Problem(parts[2])) is { } wrong)
        {
            problem = $"the join token is damaged: {wrong}";
            return false;
        }

        if (Base64UrlBytes(parts[3]) is not { Length: SecretLength } secret || Base64UrlBytes(parts[4]) is not { Length: SHA256.HashSizeInBytes } pin)
        {
            problem = "the join token is damaged or cut short; copy it whole from 'fleet token create'";
            return false;
        }

        token = new JoinToken(new OfficeId(parts[1]), new TokenId(parts[2]), secret, pin);
        problem = "";
        return true;
    }

    /// <summary>The token as one line of text. Secret: print it once, never log it.</summary>
    public string ToText() => $"{Prefix}.{Office}.{Id}.{Base64Url.EncodeToString(Secret)}.{Base64Url.EncodeToString(CaPin)}";

    public override string ToString() => $"join token {Id} of {Office}";

    private static byte[]? Base64UrlBytes(string text) => Base64Url.IsValid(text) ? Base64Url.DecodeFromChars(text) : null;
}

/// <summary>
/// Proves knowledge of a join token's secret without sending it, in both directions, so that a gateway that carries an enrolment can neither
/// steal the token nor swap the request's key or the reply's certificates.
/// </summary>
public static class EnrolmentProof
{
    /// <summary>HMAC-SHA256 over the request's fields 1 to 6, each with its length in front.</summary>
    public static byte[] ForRequest(byte[] secret, Agents.EnrolRequest request) => Mac(secret, "fleet enrol request 1",
        [Utf8(request.TokenId), Utf8(request.OfficeId), [(byte)request.Kind], Utf8(request.Name), request.CertificateRequest.ToByteArray(), request.Machine.ToByteArray()]);

    /// <summary>HMAC-SHA256 over the reply's identity, chain and key, bound to the request it answers.</summary>
    public static byte[] ForReply(byte[] secret, Agents.EnrolRequest request, Agents.Enrolled reply) => Mac(secret, "fleet enrol reply 1",
        [request.CertificateRequest.ToByteArray(), Utf8(reply.Id), Utf8(reply.OfficeId), .. reply.CertificateChain.Select(c => c.ToByteArray()), reply.HeadquartersKey.ToByteArray(), Utf8(reply.DeviceId)]);

    /// <summary>Compares in constant time.</summary>
    public static bool Matches(ReadOnlySpan<byte> expected, ReadOnlySpan<byte> given) => CryptographicOperations.FixedTimeEquals(expected, given);

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    private static byte[] Mac(byte[] secret, string purpose, byte[][] fields)
    {
        using var mac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, secret);
        mac.AppendData(Utf8(purpose));
        Span<byte> length = stackalloc byte[4];
        foreach (var field in fields)
        {
            System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(length, field.Length);
            mac.AppendData(length);
            mac.AppendData(field);
        }

        return mac.GetHashAndReset();
    }
}
