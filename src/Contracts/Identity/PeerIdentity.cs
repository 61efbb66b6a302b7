using System.Formats.Asn1;
using System.Security.Cryptography.X509Certificates;

namespace Fleet.Contracts.Identity;

/// <summary>What a certificate of Fleet's CA stands for.</summary>
public enum PeerKind
{
    /// <summary>A headquarters node.</summary>
    Headquarters = 1,

    /// <summary>An office node.</summary>
    Node = 2,

    /// <summary>A device (agent).</summary>
    Device = 3,
}

/// <summary>
/// Whom a certificate names. The one subject alternative name (dNSName) says it: <c>headquarters.fleet</c>, <c>node.office.office</c>
/// or <c>device-id.device</c>. These names resolve nowhere; they are identities, checked on every connection.
/// </summary>
public sealed record PeerIdentity(PeerKind Kind, string Id)
{
    /// <summary>The logical host name of headquarters.</summary>
    public const string HeadquartersHost = "headquarters.fleet";
    private const string NodeSuffix = ".office";
    private const string DeviceSuffix = ".device";

    public static PeerIdentity Headquarters { get; } = new(PeerKind.Headquarters, "headquarters");

    public static PeerIdentity Of(NodeId node) => new(PeerKind.Node, node.Value);

    public static PeerIdentity Of(DeviceId device) => new(PeerKind.Device, device.Value);

    /// <summary>The name in the certificate.</summary>
    public string LogicalHost => Kind switch
    {
        PeerKind.Headquarters => HeadquartersHost,
        PeerKind.Node => Id + NodeSuffix,
        _ => Id + DeviceSuffix,
    };

    /// <summary>Reads a logical host name; null where it is none of Fleet's.</summary>
    public static PeerIdentity? FromLogicalHost(string host)
    {
        if (host == HeadquartersHost)
            return Headquarters;
        if (host.EndsWith(NodeSuffix, StringComparison.Ordinal) && IdText.Problem(host[..^NodeSuffix.Length], parts: 2) is null)
            return new PeerIdentity(PeerKind.Node, host[..^NodeSuffix.Length]);
        if (host.EndsWith(DeviceSuffix, StringComparison.Ordinal) && IdText.Problem(host[..^DeviceSuffix.Length]) is null)
            return new PeerIdentity(PeerKind.Device, host[..^DeviceSuffix.Length]);
        return null;
    }

    /// <summary>Reads whom a certificate names; null where it names nobody of Fleet, or more than one. Says nothing about trust.</summary>
    public static PeerIdentity? FromCertificate(X509Certificate2 certificate)
    {
        try
        {
            var names = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(e => e.EnumerateDnsNames()).ToList();
            return names is [var only] ? FromLogicalHost(only) : null;
        }
        catch (Exception malformed) when (malformed is System.Security.Cryptography.CryptographicException or AsnContentException)
        {
            return null;
        }
    }

    public override string ToString() => Kind == PeerKind.Headquarters ? "headquarters" : $"{Kind.ToString().ToLowerInvariant()} {Id}";
}
