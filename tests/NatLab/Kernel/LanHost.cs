using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;
using Fleet.Messages.Transport;
using Fleet.NatLab.Topologies;

namespace Fleet.NatLab.Kernel;

/// <summary>A machine in a LAN for network polls to find, in a namespace of its own. Multicast DNS is spoken by Debian's avahi-daemon.</summary>
public sealed class LanHost : IDisposable
{
    private const string Responder = "avahi-daemon";

    private readonly NetworkNamespace _machine;
    private readonly IByteListener? _service;
    private readonly Process? _responder;
    private readonly DirectoryInfo? _scratch;

    /// <param name="machine">With its card <c>eth0</c> plugged in.</param>
    internal LanHost(TopologyHost host, NetworkNamespace machine)
    {
        (Host, _machine) = (host, machine);
        if (host.Kind == HostKind.ArpOnly)
            machine.Set("net.ipv6.conf.eth0.disable_ipv6", 1);
        // Else an address counts only after a second in which nobody claims it.
        machine.Set("net.ipv6.conf.eth0.dad_transmits", 0);
        if (host.Address is { } address)
            machine.Ip("addr", "add", $"{address}/24", "dev", "eth0");
        machine.Ip("link", "set", "eth0", "up");
        Mac = JsonDocument.Parse(machine.Ip("-json", "link", "show", "eth0")).RootElement[0].GetProperty("address").GetString()!;
        switch (host.Kind)
        {
            case HostKind.Open:
                _service = machine.Listen(new IPEndPoint(IPAddress.Any, 22));
                break;
            case HostKind.NoPing:
                machine.IgnorePings();
                _service = machine.Listen(new IPEndPoint(IPAddress.Any, 80));
                break;
            case HostKind.ArpOnly:
                machine.Rules("""
                    table ip fleetlab {
                      chain own { type filter hook input priority 0; policy drop; }
                    }
                    """);
                break;
            case HostKind.MulticastDns:
                _scratch = Leftovers.MakeScratch();
                _responder = StartResponder();
                break;
        }
    }

    public TopologyHost Host { get; }

    public string Mac { get; }

    /// <summary>Says what this machine lacks for hosts that speak multicast DNS; null: nothing.</summary>
    public static string? Unable() =>
        File.Exists($"/usr/sbin/{Responder}") ? null : "hosts that speak multicast DNS need avahi-daemon (Debian and Ubuntu: apt-get install avahi-daemon)";

    /// <summary>The machine goes from the network without a word.</summary>
    public void Unplug() => _machine.Ip("link", "set", "eth0", "down");

    public void Dispose()
    {
        if (_responder is not null)
        {
            _responder.Kill(entireProcessTree: true);
            _responder.WaitForExit();
            _responder.Dispose();
        }

        _service?.DisposeAsync().AsTask().GetAwaiter().GetResult();
        _scratch?.Delete(recursive: true);
    }

    /// <summary>With folders of its own over those that it can't be told to use elsewhere, in a mount namespace.</summary>
    private Process StartResponder()
    {
        if (Unable() is { } lacks)
            throw new LabException(lacks);
        var name = Host.Name.Replace("mdns", "printer", StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(_scratch!.FullName, "avahi.conf"), string.Create(CultureInfo.InvariantCulture, $"""
            [server]
            host-name={name}
            use-ipv4=yes
            use-ipv6=yes
            enable-dbus=no
            [publish]
            publish-workstation=no
            publish-hinfo=no
            [reflector]
            [rlimits]
            """));
        var services = _scratch.CreateSubdirectory("services");
        File.WriteAllText(Path.Combine(services.FullName, "ipp.service"), """
            <?xml version="1.0"?><!DOCTYPE service-group SYSTEM "avahi-service.dtd">
            <service-group><name replace-wildcards="yes">Printer on %h</name><service><type>_ipp._tcp</type><port>631</port><txt-record>ty=Lab Printer</txt-record></service></service-group>
            """);
        return Process.Start("ip",
        [
            "netns", "exec", _machine.Name, "unshare", "--mount", "sh", "-c",
            "mkdir -p /run/avahi-daemon && mount -t tmpfs none /run/avahi-daemon && mount --bind \"$1/services\" /etc/avahi/services && exec \"$2\" --no-drop-root --no-chroot --no-rlimits --no-proc-title -f \"$1/avahi.conf\" 2> \"$1/log\"",
            "responder", _scratch.FullName, $"/usr/sbin/{Responder}",
        ]);
    }
}
