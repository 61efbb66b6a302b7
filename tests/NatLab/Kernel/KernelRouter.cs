using System.Net;
using System.Text.Json;
using Fleet.NatLab.Topologies;

namespace Fleet.NatLab.Kernel;

/// <summary>
/// A translating router in a namespace of its own: interface <c>wan</c> outside, <c>lan</c> inside. Nothing enters that was not asked for from inside, and
/// packets without a mapping are dropped without a reset, so that a forgotten mapping is as silent as in the field.
/// </summary>
internal sealed class KernelRouter
{
    /// <summary>IPv4, and TCP with time stamps (RFC 7323).</summary>
    private const int TcpHeaders = 52;

    private readonly NetworkNamespace _namespace;
    private IPAddress _outside;

    /// <param name="at">With the interfaces <c>wan</c> and <c>lan</c> already in it.</param>
    public KernelRouter(NetworkNamespace at, IPAddress outside, IPAddress inside, string nat)
    {
        (_namespace, _outside) = (at, outside);
        // conntrack filters by address and port, always; so the wider kinds exist in process only.
        var flags = nat switch
        {
            "port-restricted" => "",
            "symmetric" => "fully-random",
            _ => throw new LabException($"the kernel can't be a {nat} translator; use port-restricted or symmetric here"),
        };
        at.Set("net.ipv4.ip_forward", 1);
        // A router answers ARP for an address only on the interface that has it: the LAN's are nobody's business outside.
        at.Set("net.ipv4.conf.all.arp_ignore", 1);
        at.Ip("addr", "add", $"{inside}/24", "dev", "lan");
        at.Ip("link", "set", "lan", "up");
        Connect(outside);
        at.Rules($$"""
            table ip fleetlab {
              counter inward { }
              chain cut { type filter hook prerouting priority -350; }
              chain slow { type filter hook forward priority -20; }
              chain measure { type filter hook forward priority -10; iifname "wan" oifname "lan" meta l4proto tcp counter name inward; }
              chain translate { type nat hook postrouting priority 100; oifname "wan" masquerade {{flags}}; }
              chain through {
                type filter hook forward priority 0; policy drop;
                ct state invalid drop
                ct state established,related accept
                iifname "lan" oifname "wan" accept
              }
              chain own {
                type filter hook input priority 0; policy drop;
                iifname { "lan", "lo" } accept
                ct state established,related accept
              }
            }
            """);
        // A stream in its middle is no new flow: without this the kernel would adopt it and hide that the mapping was lost.
        at.Set("net.netfilter.nf_conntrack_tcp_loose", 0);
    }

    /// <summary>Drops everything that would cross, both ways, without a word.</summary>
    public void Cut() => _namespace.Rules("""
        add rule ip fleetlab cut iifname { "wan", "lan" } drop
        """);

    public void Heal() => _namespace.Rules("flush chain ip fleetlab cut");

    /// <summary>Lets no more bytes a second in from outside than that: what comes above it is dropped, as a narrow line's provider does.</summary>
    public void Limit(int bytesPerSecond) => _namespace.Rules($"""
        flush chain ip fleetlab slow
        add rule ip fleetlab slow iifname "wan" limit rate over {bytesPerSecond / 1024} kbytes/second burst 256 kbytes drop
        """);

    /// <summary>Bytes that TCP brought in from outside and that were let through to the LAN, without headers.</summary>
    public long Inward()
    {
        using var json = JsonDocument.Parse(_namespace.Run("nft", "--json", "list", "counter", "ip", "fleetlab", "inward"));
        var counter = json.RootElement.GetProperty("nftables").EnumerateArray().Where(e => e.TryGetProperty("counter", out _)).Select(e => e.GetProperty("counter")).Single();
        return counter.GetProperty("bytes").GetInt64() - (counter.GetProperty("packets").GetInt64() * TcpHeaders);
    }

    /// <summary>The router forgets all mappings, as after a restart; nobody is told.</summary>
    public void ForgetMappings() => _namespace.Run("conntrack", "-F");

    /// <summary>The provider gives another address.</summary>
    public void Rebind(IPAddress outside)
    {
        // Masquerading drops the mappings of an address that goes.
        _namespace.Ip("addr", "del", $"{_outside}/32", "dev", "wan");
        Connect(outside);
        _outside = outside;
    }

    private void Connect(IPAddress outside)
    {
        _namespace.Ip("addr", "add", $"{outside}/32", "dev", "wan");
        _namespace.Ip("link", "set", "wan", "up");
        // The internet of the lab is one wire: everybody is a neighbour.
        _namespace.Ip("route", "replace", "default", "dev", "wan");
    }
}
