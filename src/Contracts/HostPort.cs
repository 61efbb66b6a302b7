using System.Globalization;

namespace Fleet.Contracts;

/// <summary>Addresses as people and documents write them: <c>host:port</c>, <c>192.0.2.1:13000</c>, <c>[2001:db8::1]:13000</c>.</summary>
public static class HostPort
{
    /// <summary>Says what is wrong with an address, or null if nothing is.</summary>
    public static string? Problem(string address)
    {
        var colon = address.LastIndexOf(':');
        var host = colon < 0 ? address : address[..colon];
        if (colon < 1 || !ushort.TryParse(address[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port == 0)
            return $"'{address}' is no address; write HOST:PORT, such as hq.example.com:13000";
        return Uri.CheckHostName(host.StartsWith('[') ? host.Trim('[', ']') : host) == UriHostNameType.Unknown || (host.Contains(':') && !host.StartsWith('['))
            ? $"'{host}' is no host name or IP address (IPv6 in brackets: [2001:db8::1]:13000)"
            : null;
    }

    /// <exception cref="IOException">Not of that form.</exception>
    public static (string Host, int Port) Parse(string address)
    {
        if (Problem(address) is { } problem)
            throw new IOException(problem);
        var colon = address.LastIndexOf(':');
        return (address[..colon].Trim('[', ']'), int.Parse(address[(colon + 1)..], CultureInfo.InvariantCulture));
    }

    /// <summary>The address of a web server as documents write it: <c>host:port</c> means HTTPS, and other schemes are named.</summary>
    public static string UrlOf(string address) => address.Contains("://", StringComparison.Ordinal) ? address : $"https://{address}";

    /// <summary>An address as documents write it; IPv6 in brackets.</summary>
    public static string Of(string host, int port) => host.Contains(':') && !host.StartsWith('[') ? $"[{host}]:{port}" : $"{host}:{port}";
}
