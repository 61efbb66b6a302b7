using System.Globalization;
using System.Net;
using System.Threading.Channels;
using Fleet.Messages.Transport;
using Fleet.NatLab.Nat;

namespace Fleet.NatLab.Simulation;

/// <summary>A machine in the simulated network: the <see cref="IByteNetwork"/> of one process, and its datagram sockets.</summary>
public sealed class SimHost : IByteNetwork
{
    private const int FirstEphemeralPort = 32768;
    private static readonly TimeSpan OpeningTimeout = TimeSpan.FromMinutes(2);

    private readonly SimNetwork _network;
    private readonly Lock _gate = new();
    private readonly Dictionary<int, SimListener> _listeners = [];
    private readonly Dictionary<int, SimDatagramSocket> _sockets = [];
    private readonly HashSet<SimConnection> _connections = [];
    private readonly Dictionary<IPAddress, long> _sent = [];
    private int _nextPort = FirstEphemeralPort;
    private int _dials;
    private long _received;

    internal SimHost(SimNetwork network, SimRealm realm, string name, IPAddress address, bool routed, bool dialsOut) =>
        (_network, Realm, Name, Address, Routed, DialsOut) = (network, realm, name, address, routed, dialsOut);

    public string Name { get; }

    public IPAddress Address { get; }

    public SimRealm Realm { get; }

    /// <summary>False: the machine has no way out of its LAN.</summary>
    public bool Routed { get; }

    /// <summary>False: a firewall lets it open no stream; it answers those of others.</summary>
    public bool DialsOut { get; }

    /// <summary>How many streams this machine has tried to open.</summary>
    public int Dials => Volatile.Read(ref _dials);

    public async Task<Stream> Connect(string address, CancellationToken cancellation)
    {
        var colon = address.LastIndexOf(':');
        var remote = _network.Resolve(address[..colon]) ?? throw new IOException($"no address is known for {address[..colon]}");
        var destination = new IPEndPoint(remote, int.Parse(address.AsSpan(colon + 1), CultureInfo.InvariantCulture));
        Interlocked.Increment(ref _dials);
        if (!DialsOut && !IPAddress.IsLoopback(remote))
            throw new IOException($"{address}: the firewall lets {Name} open no stream");
        if (!_network.Guarded(() => Reaches(remote)))
            throw new IOException($"{address}: {Name} has no route there");
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        await using var timeout = _network.Clock.CreateTimer(_ => limit.Cancel(), null, OpeningTimeout, Timeout.InfiniteTimeSpan);
        try
        {
            return await SimConnection.Open(_network, this, new IPEndPoint(Address, NextPort()), destination, limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new IOException($"{address} did not answer in {OpeningTimeout.TotalSeconds:0} s");
        }
    }

    public IByteListener Listen(IPEndPoint at)
    {
        lock (_gate)
        {
            var port = at.Port == 0 ? FreePort() : at.Port;
            if (_listeners.ContainsKey(port))
                throw new IOException($"port {port} of {Name} is in use");
            return _listeners[port] = new SimListener(this, new IPEndPoint(IPAddress.IsLoopback(at.Address) ? at.Address : Address, port));
        }
    }

    /// <summary>Opens a datagram socket; port 0 lets the system choose.</summary>
    public SimDatagramSocket Datagrams(int port)
    {
        lock (_gate)
        {
            var at = port == 0 ? FreePort() : port;
            if (_sockets.ContainsKey(at))
                throw new IOException($"datagram port {at} of {Name} is in use");
            return _sockets[at] = new SimDatagramSocket(_network, this, new IPEndPoint(Address, at));
        }
    }

    /// <summary>The process ends (kill -9): its system resets every stream and closes every port.</summary>
    public void KillProcess()
    {
        SimConnection[] connections;
        lock (_gate)
        {
            connections = [.. _connections];
            _listeners.Clear();
            _sockets.Clear();
        }

        foreach (var connection in connections)
            connection.Reset("the process at the other end died");
    }

    /// <summary>Packets that have come to this machine from others.</summary>
    public long PacketsReceived => Volatile.Read(ref _received);

    /// <summary>Packets that this machine has put on the wire for an address.</summary>
    public long PacketsTo(IPAddress address) => _network.Guarded(() => _sent.GetValueOrDefault(address));

    public override string ToString() => $"{Name} ({Address})";

    /// <summary>Whether a packet for the address leaves the machine at all. The network holds its lock.</summary>
    internal bool Reaches(IPAddress address) => Routed || IPAddress.IsLoopback(address) || Realm.Hosts.ContainsKey(address);

    /// <summary>Counts a packet. The network holds its lock.</summary>
    internal void Sent(IPAddress address) => _sent[address] = _sent.GetValueOrDefault(address) + 1;

    /// <summary>Counts a packet that came. The network holds its lock.</summary>
    internal void Received() => _received++;

    internal SimListener? ListenerAt(IPEndPoint at)
    {
        lock (_gate)
            return _listeners.TryGetValue(at.Port, out var listener) && (!IPAddress.IsLoopback(listener.Local.Address) || IPAddress.IsLoopback(at.Address)) ? listener : null;
    }

    internal SimDatagramSocket? SocketAt(int port)
    {
        lock (_gate)
            return _sockets.GetValueOrDefault(port);
    }

    internal void Add(SimConnection connection)
    {
        lock (_gate)
            _connections.Add(connection);
    }

    internal void Remove(SimConnection connection)
    {
        lock (_gate)
            _connections.Remove(connection);
    }

    internal void Close(SimListener listener)
    {
        lock (_gate)
            if (_listeners.GetValueOrDefault(listener.Local.Port) == listener)
                _listeners.Remove(listener.Local.Port);
    }

    internal void Close(SimDatagramSocket socket)
    {
        lock (_gate)
            if (_sockets.GetValueOrDefault(socket.Local.Port) == socket)
                _sockets.Remove(socket.Local.Port);
    }

    private int NextPort()
    {
        lock (_gate)
            return FreePort();
    }

    private int FreePort()
    {
        do
            _nextPort = _nextPort == IPEndPoint.MaxPort ? FirstEphemeralPort : _nextPort + 1;
        while (_listeners.ContainsKey(_nextPort) || _sockets.ContainsKey(_nextPort));
        return _nextPort;
    }
}

/// <summary>An open port of a <see cref="SimHost"/>.</summary>
internal sealed class SimListener(SimHost host, IPEndPoint local) : IByteListener
{
    private readonly Channel<(Stream, IPEndPoint)> _arrived = Channel.CreateUnbounded<(Stream, IPEndPoint)>();

    public IPEndPoint Local { get; } = local;

    public async Task<(Stream Stream, IPEndPoint Remote)> Accept(CancellationToken cancellation)
    {
        try
        {
            return await _arrived.Reader.ReadAsync(cancellation).ConfigureAwait(false);
        }
        catch (ChannelClosedException)
        {
            throw new ObjectDisposedException(nameof(SimListener));
        }
    }

    public bool Offer(Stream stream, IPEndPoint remote) => _arrived.Writer.TryWrite((stream, remote));

    public ValueTask DisposeAsync()
    {
        host.Close(this);
        _arrived.Writer.TryComplete();
        return ValueTask.CompletedTask;
    }
}

/// <summary>Sends and receives datagrams through the simulated translators.</summary>
public sealed class SimDatagramSocket : IDisposable
{
    private readonly SimNetwork _network;
    private readonly SimHost _host;
    private readonly Random _chance;
    private readonly Channel<(byte[] Content, IPEndPoint From)> _arrived = Channel.CreateUnbounded<(byte[], IPEndPoint)>();

    internal SimDatagramSocket(SimNetwork network, SimHost host, IPEndPoint local) =>
        (_network, _host, Local, _chance) = (network, host, local, network.NewChance());

    public IPEndPoint Local { get; }

    public ChannelReader<(byte[] Content, IPEndPoint From)> Arrived => _arrived.Reader;

    /// <summary>Sends one datagram; nobody says whether it arrives.</summary>
    public void Send(byte[] content, IPEndPoint to)
    {
        var carriage = _network.Carry(FlowKind.Datagram, _host, Local, to, opens: true, content.Length, _chance);
        if (carriage.Host is not { } host)
            return;
        Simulated.After(_network.Clock, carriage.Delay, () => host.SocketAt(carriage.Destination!.Port)?._arrived.Writer.TryWrite((content, carriage.SeenSource!)));
    }

    public void Dispose() => _host.Close(this);
}
