using System.ComponentModel;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Fleet.Messages.Transport;
using Microsoft.Win32.SafeHandles;

namespace Fleet.NatLab.Kernel;

/// <summary>A network namespace: a machine's own network stack. Its interface to the world is made by <see cref="KernelLab"/>.</summary>
public sealed partial class NetworkNamespace : IByteNetwork
{
    private const int NetworkKind = 0x40000000; // CLONE_NEWNET
    private const string Blocks = "fleetlab_blocks";
    private const string Partition = "fleetlab_partition";
    private const string Counters = "fleetlab_counters";

    internal NetworkNamespace(string name)
    {
        Name = name;
        Shell.Run("ip", "netns", "add", name);
        Ip("link", "set", "lo", "up");
    }

    public string Name { get; }

    /// <summary>Runs <c>ip</c> in the namespace.</summary>
    public string Ip(params string[] arguments) => Shell.Run("ip", ["-n", Name, .. arguments]);

    internal string Run(string program, params string[] arguments) => Shell.Run("ip", ["netns", "exec", Name, program, .. arguments]);

    /// <summary>Loads nftables rules.</summary>
    internal void Rules(string rules) => Shell.Run("ip", ["netns", "exec", Name, "nft", "-f", "-"], rules);

    internal void Set(string sysctl, int value) => Run("sysctl", "-q", "-w", $"{sysctl}={value}");

    /// <summary>Drops what enters and leaves by a port of either side, without a word.</summary>
    internal void Block(string protocol, int port) => Rules($$"""
        table inet {{Blocks}} {
          chain in { type filter hook input priority -350; {{protocol}} dport {{port}} drop; {{protocol}} sport {{port}} drop; }
          chain out { type filter hook output priority -350; {{protocol}} dport {{port}} drop; {{protocol}} sport {{port}} drop; }
        }
        """);

    /// <summary>Drops all that goes to and comes from these machines, without a word.</summary>
    internal void Part(IEnumerable<IPAddress> from) => Rules($$"""
        table inet {{Partition}} {
          set others { type ipv4_addr; elements = { {{string.Join(", ", from)}} } }
          chain in { type filter hook input priority -350; ip saddr @others drop; }
          chain out { type filter hook output priority -350; ip daddr @others drop; }
        }
        """);

    internal void Rejoin() => Run("nft", "delete", "table", "inet", Partition);

    internal void Unblock() => Run("nft", "delete", "table", "inet", Blocks);

    /// <summary>From now on the machine does not answer pings over IPv4.</summary>
    public void IgnorePings() => Set("net.ipv4.icmp_echo_ignore_all", 1);

    /// <summary>From now on the kernel is sure of a neighbour for half a second only; as a rule for half a minute.</summary>
    public void DoubtNeighboursSoon()
    {
        foreach (var family in new[] { "ipv4", "ipv6" })
            Set($"net.{family}.neigh.eth0.base_reachable_time_ms", 500);
    }

    /// <summary>Counts the packets of this machine from now on: all that enter and leave it, and those to one peer.</summary>
    internal void Count(IPAddress peer) => Rules($$"""
        table ip {{Counters}} {
          counter sent { }
          counter received { }
          counter to_peer { }
          counter from_peer { }
          chain out { type filter hook output priority 300; oifname != "lo" counter name sent; oifname != "lo" ip daddr {{peer}} counter name to_peer; }
          chain in { type filter hook input priority -300; iifname != "lo" counter name received; iifname != "lo" ip saddr {{peer}} counter name from_peer; }
        }
        """);

    /// <summary>What has been counted since <see cref="Count"/>: IP packets and their bytes, headers included.</summary>
    public PacketCounts Counted()
    {
        var found = CounterLine().Matches(Run("nft", "list", "counters", "table", "ip", Counters))
            .ToDictionary(m => m.Groups[1].Value, m => (Packets: Number(m.Groups[2]), Bytes: Number(m.Groups[3])));
        return new PacketCounts(
            found["sent"].Packets, found["sent"].Bytes, found["received"].Packets, found["received"].Bytes, found["to_peer"].Packets, found["from_peer"].Packets);
    }

    /// <summary>What its card has sent and received since it was plugged in, in packets of every kind, by the kernel's own counters.</summary>
    public (long Sent, long Received) CardCounted()
    {
        // sysfs shows the network of the mount, so the namespace's own is asked for over netlink.
        var counters = System.Text.Json.JsonDocument.Parse(Ip("-json", "-statistics", "link", "show", "eth0")).RootElement[0].GetProperty("stats64");
        return (counters.GetProperty("tx").GetProperty("packets").GetInt64(), counters.GetProperty("rx").GetProperty("packets").GetInt64());
    }

    /// <summary>Dials from inside the namespace.</summary>
    public async Task<Stream> Connect(string address, CancellationToken cancellation)
    {
        var socket = OpenSocket();
        try
        {
            await socket.ConnectAsync(IPEndPoint.Parse(address), cancellation).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (Exception fault)
        {
            socket.Dispose();
            if (fault is SocketException)
                throw new IOException($"{address}: {fault.Message}", fault);
            throw;
        }
    }

    /// <summary>Listens inside the namespace.</summary>
    public IByteListener Listen(IPEndPoint at)
    {
        var socket = OpenSocket();
        try
        {
            socket.Bind(at);
            socket.Listen();
            return new SocketListener(socket);
        }
        catch (SocketException fault)
        {
            socket.Dispose();
            throw new IOException($"{at}: {fault.Message}", fault);
        }
    }

    /// <summary>A TCP socket of this namespace.</summary>
    public Socket OpenSocket()
    {
        var socket = Open(SocketType.Stream, ProtocolType.Tcp);
        socket.NoDelay = true;
        return socket;
    }

    /// <summary>A UDP socket of this namespace.</summary>
    public Socket OpenDatagramSocket() => Open(SocketType.Dgram, ProtocolType.Udp);

    /// <summary>A socket of this namespace. A socket belongs for life to the namespace of the thread that opened it, so a thread goes there for it.</summary>
    private Socket Open(SocketType type, ProtocolType protocol)
    {
        Socket? socket = null;
        Exception? fault = null;
        // The thread ends with the namespace it entered; one of the pool would carry it into other work.
        var thread = new Thread(() =>
        {
            try
            {
                using var entry = File.OpenHandle($"/run/netns/{Name}");
                if (SetNs(entry, NetworkKind) != 0)
                    throw new Win32Exception();
                socket = new Socket(AddressFamily.InterNetwork, type, protocol);
            }
            catch (Exception caught) when (caught is Win32Exception or IOException or SocketException)
            {
                fault = caught;
            }
        });
        thread.Start();
        thread.Join();
        return socket ?? throw new IOException($"no socket in namespace {Name}: {fault?.Message}", fault);
    }

    private static long Number(Group digits) => long.Parse(digits.Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"counter (\w+) \{\s*packets (\d+) bytes (\d+)")]
    private static partial Regex CounterLine();

    [DllImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static extern int SetNs(SafeFileHandle entry, int kind);

    private sealed class SocketListener(Socket socket) : IByteListener
    {
        public IPEndPoint Local => (IPEndPoint)socket.LocalEndPoint!;

        public async Task<(Stream Stream, IPEndPoint Remote)> Accept(CancellationToken cancellation)
        {
            var accepted = await socket.AcceptAsync(cancellation).ConfigureAwait(false);
            return (new NetworkStream(accepted, ownsSocket: true), (IPEndPoint)accepted.RemoteEndPoint!);
        }

        public ValueTask DisposeAsync()
        {
            socket.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}

/// <summary>IP packets and bytes of one machine; loopback is not counted.</summary>
/// <param name="ToPeer">Packets to the peer that is watched (headquarters).</param>
public sealed record PacketCounts(long Sent, long SentBytes, long Received, long ReceivedBytes, long ToPeer, long FromPeer)
{
    public long Bytes => SentBytes + ReceivedBytes;
}
