using System.Formats.Asn1;
using System.Globalization;
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
/// Whom a certificate names. The one subject alternative name (dNSName) says it: <c>headquarters.fleet</c>, <c>port.host.headquarters.fleet</c>,
/// <c>node.office.office</c> or <c>device-id.device</c>. These names resolve nowhere; they are identities, checked on every connection.
/// </summary>
public sealed record PeerIdentity(PeerKind Kind, string Id)
{
    /// <summary>The logical host name of headquarters.</summary>
    public const string HeadquartersHost = "headquarters.fleet";
    private const string ClusterSuffix = "." + HeadquartersHost;
    private const string NodeSuffix = ".office";
    private const string DeviceSuffix = ".device";

    public static PeerIdentity Headquarters { get; } = new(PeerKind.Headquarters, "headquarters");

    /// <summary>One headquarters node among several, as its peers know it: by the <c>host:port</c> at which they reach it. Towards offices and devices all are <see cref="Headquarters"/>.</summary>
    /// <param name="address"><c>host:port</c>.</param>
    public static PeerIdentity HeadquartersAt(string address) => new(PeerKind.Headquarters, address);

    /// <summary>The <c>host:port</c> at which a headquarters node's peers reach it; null for headquarters as a whole, and for others.</summary>
    public string? ClusterAddress => Kind == PeerKind.Headquarters && Id != Headquarters.Id ? Id : null;

    public static PeerIdentity Of(NodeId node) => new(PeerKind.Node, node.Value);

    public static PeerIdentity Of(DeviceId device) => new(PeerKind.Device, device.Value);

    /// <summary>The name in the certificate.</summary>
    public string LogicalHost => Kind switch
    {
        PeerKind.Headquarters => ClusterAddress is { } address ? ClusterName(address) : HeadquartersHost,
        PeerKind.Node => Id + NodeSuffix,
        _ => Id + DeviceSuffix,
    };

    /// <summary>Reads a logical host name; null where it is none of Fleet's.</summary>
    public static PeerIdentity? FromLogicalHost(string host)
    {
        if (host == HeadquartersHost)
            return Headquarters;
        if (host.EndsWith(ClusterSuffix, StringComparison.Ordinal))
            return FromClusterName(host[..^ClusterSuffix.Length]);
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

    public override string ToString() => Kind == PeerKind.Headquarters ? ClusterAddress is { } address ? $"headquarters at {address}" : "headquarters" : $"{Kind.ToString().ToLowerInvariant()} {Id}";

    // A name in a certificate has no colons: the port comes first, and those of IPv6 become hyphens.
    private static string ClusterName(string address)
    {
        var (host, port) = HostPort.Parse(address);
        return $"{port}.{host.Replace(':', '-')}{ClusterSuffix}".ToLowerInvariant();
    }

    private static PeerIdentity? FromClusterName(string name)
    {
        var dot = name.IndexOf('.', StringComparison.Ordinal);
        if (dot < 1 || !int.TryParse(name[..dot], NumberStyles.None, CultureInfo.InvariantCulture, out var port))
            return null;
        var host = name[(dot + 1)..];
        if (System.Net.IPAddress.TryParse(host.Replace('-', ':'), out var six) && six.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6)
            host = host.Replace('-', ':');
        var address = HostPort.Of(host, port);
        return HostPort.Problem(address) is null ? HeadquartersAt(address) : null;
    }
}
