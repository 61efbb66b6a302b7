using System.Formats.Asn1;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Fleet.Messages.Link;

namespace Fleet.Office.Discovery.Directories;

/// <summary>Connects to a directory and secures the connection as its source says, with words for whatever is wrong about its certificate.</summary>
internal static class DirectoryTls
{
    /// <summary>RFC 4511, 4.14: an extended request for 1.3.6.1.4.1.1466.20037.</summary>
    private static readonly byte[] StartTlsRequest = [0x30, 0x1d, 0x02, 0x01, 0x01, 0x77, 0x18, 0x80, 0x16, .. "1.3.6.1.4.1.1466.20037"u8];

    private const int MaxAnswer = 4096;

    /// <exception cref="PollFailedException">It is out of reach, refuses, or shows a certificate that can't be trusted.</exception>
    public static async Task<Stream> Connect(DirectorySource source, CancellationToken stop)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        Stream? stream = null;
        try
        {
            await socket.ConnectAsync(source.Host, source.Port, stop);
            stream = new NetworkStream(socket, ownsSocket: true);
            if (source.Security == DirectorySecurity.StartTls)
                await StartTls(source, stream, stop);
            return source.Security == DirectorySecurity.Plain ? stream : stream = await Secure(source, stream, stop);
        }
        catch (Exception fault)
        {
            stream?.Dispose();
            socket.Dispose();
            if (fault is SocketException or IOException)
                throw new PollFailedException($"{source.Host}:{source.Port} is out of reach: {fault.Message}");
            throw;
        }
    }

    private static async Task<SslStream> Secure(DirectorySource source, Stream stream, CancellationToken stop)
    {
        string? problem = null;
        var secured = new SslStream(stream, leaveInnerStreamOpen: false, (_, certificate, chain, errors) => (problem = ProblemOf(source, certificate, chain, errors)) is null);
        try
        {
            await secured.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = source.Host,
                CertificateChainPolicy = PolicyOf(source),
            }, stop);
            return secured;
        }
        catch (AuthenticationException fault)
        {
            throw new PollFailedException($"{source.Host}:{source.Port}: {problem ?? fault.Message}");
        }
        catch (IOException fault)
        {
            throw new PollFailedException($"{source.Host}:{source.Port} ended the TLS handshake: {fault.Message}. Is it a port for {(source.Security == DirectorySecurity.Tls ? "LDAPS" : "LDAP with StartTLS")}?");
        }
    }

    private static X509ChainPolicy PolicyOf(DirectorySource source)
    {
        var policy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck };
        if (source.Authority.IsEmpty)
            return policy;
        policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        policy.CustomTrustStore.Add(X509CertificateLoader.LoadCertificate(source.Authority.Span));
        return policy;
    }

    /// <summary>What to tell about a certificate; null: it is good.</summary>
    private static string? ProblemOf(DirectorySource source, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.None)
            return null;
        if (certificate is not X509Certificate2 shown)
            return "it shows no certificate";
        var problems = new List<string>();
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
            problems.Add($"its certificate is not for {source.Host}, but for {string.Join(", ", NamesIn(shown))}");
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors))
            problems.Add(shown.NotAfter < DateTime.Now ? $"its certificate ran out at {shown.NotAfter.ToUniversalTime():u}"
                : $"its certificate, issued by {shown.Issuer}, does not chain to {(source.Authority.IsEmpty ? "a CA that this machine trusts" : "the CA that the poll names")}"
                + $" ({string.Join(", ", (chain?.ChainStatus ?? []).Select(s => s.Status).Distinct())})");
        return string.Join("; ", problems);
    }

    private static IEnumerable<string> NamesIn(X509Certificate2 certificate) =>
        certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().FirstOrDefault() is { } names
            ? names.EnumerateDnsNames().Concat(names.EnumerateIPAddresses().Select(a => a.ToString())) : [certificate.Subject];

    private static async Task StartTls(DirectorySource source, Stream stream, CancellationToken stop)
    {
        await stream.WriteAsync(StartTlsRequest, stop);
        var answer = new byte[MaxAnswer];
        var length = 0;
        int? result = null;
        while (result is null && length < answer.Length)
        {
            var more = await stream.ReadAsync(answer.AsMemory(length), stop);
            if (more == 0)
                break;
            length += more;
            result = ResultIn(answer.AsMemory(0, length));
        }

        if (result != 0)
            throw new PollFailedException($"{source.Host}:{source.Port} does not offer StartTLS ({(result is { } code ? $"LDAP result {code}" : "no LDAP answer")})");
    }

    /// <summary>The result code of an extended response; null: not all of it is there, or it is something else.</summary>
    private static int? ResultIn(ReadOnlyMemory<byte> answer)
    {
        try
        {
            var message = new AsnReader(answer, AsnEncodingRules.BER).ReadSequence();
            message.ReadInteger();
            return (int)message.ReadSequence(new Asn1Tag(TagClass.Application, 24, isConstructed: true)).ReadEnumeratedBytes().Span[0];
        }
        catch (AsnContentException)
        {
            return null;
        }
    }
}
