using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace Fleet.NatLab.Nat;

/// <summary>What is translated: ports of streams and datagrams are apart, and only a stream has an opening packet.</summary>
public enum FlowKind
{
    Stream = 1,
    Datagram = 2,
}

/// <summary>
/// The mappings of one translator. Pure but for its own table: the caller tells the time, and the seed decides the ports. Not thread-safe.
/// </summary>
public sealed class NatTable(NatBehaviour behaviour, IPAddress outside, int seed)
{
    private const int FirstPort = 1024;
    private const int Ports = 65536 - FirstPort;

    private readonly Random _ports = new(seed);
    private readonly Dictionary<Key, Mapping> _byInside = [];
    private readonly Dictionary<(FlowKind, int Port), Mapping> _byPort = [];

    public NatBehaviour Behaviour { get; } = behaviour;

    /// <summary>The address that the outside sees.</summary>
    public IPAddress Outside { get; private set; } = outside;

    public int Count => _byPort.Count;

    /// <summary>
    /// Translates a packet that leaves: returns the endpoint it seems to come from, or null where the translator drops it. A stream's packet makes
    /// a mapping only when it opens the stream: whatever else comes without a mapping is dropped without a word, as by conntrack with
    /// <c>tcp_loose=0</c>.
    /// </summary>
    public IPEndPoint? Leave(FlowKind kind, IPEndPoint inside, IPEndPoint remote, bool opens, DateTimeOffset now)
    {
        var key = KeyOf(kind, inside, remote);
        if (!Alive(key, now, out var mapping))
        {
            if ((kind == FlowKind.Stream && !opens) || FreePort(kind, inside.Port, now) is not { } port)
                return null;
            mapping = new Mapping(key, kind, inside, port);
            (_byInside[key], _byPort[(kind, port)]) = (mapping, mapping);
        }

        mapping.Used = now;
        mapping.Remotes.Add(remote);
        return new IPEndPoint(Outside, mapping.Port);
    }

    /// <summary>Translates a packet that arrives at one of the outside ports: returns the inside endpoint it is for, or null where it is filtered.</summary>
    public IPEndPoint? Enter(FlowKind kind, int outsidePort, IPEndPoint remote, DateTimeOffset now)
    {
        if (!_byPort.TryGetValue((kind, outsidePort), out var mapping) || !Alive(mapping.Key, now, out mapping) || !Admits(mapping, remote))
            return null;
        mapping.Used = now;
        return mapping.Inside;
    }

    /// <summary>Drops every mapping, as after a restart of the router. Nobody is told.</summary>
    public void Forget()
    {
        _byInside.Clear();
        _byPort.Clear();
    }

    /// <summary>The provider gives the router another address; the old mappings go with the old one.</summary>
    public void Rebind(IPAddress outside)
    {
        Forget();
        Outside = outside;
    }

    private bool Admits(Mapping mapping, IPEndPoint remote) => Behaviour.Filtering switch
    {
        Dependence.EndpointIndependent => true,
        Dependence.AddressDependent => mapping.Remotes.Any(r => r.Address.Equals(remote.Address)),
        _ => mapping.Remotes.Contains(remote),
    };

    private bool Alive(Key key, DateTimeOffset now, [NotNullWhen(true)] out Mapping? mapping)
    {
        if (!_byInside.TryGetValue(key, out mapping))
            return false;
        if (now - mapping.Used < (mapping.Kind == FlowKind.Datagram ? Behaviour.DatagramTimeout : Behaviour.StreamTimeout))
            return true;
        _byInside.Remove(key);
        _byPort.Remove((mapping.Kind, mapping.Port));
        return false;
    }

    /// <summary>The inside port where it is free (RFC 4787, 4.2.1), else one by chance, else null: the ports are used up.</summary>
    private int? FreePort(FlowKind kind, int wanted, DateTimeOffset now)
    {
        if (wanted >= FirstPort && Free(kind, wanted, now))
            return wanted;
        var start = _ports.Next(Ports);
        for (var i = 0; i < Ports; i++)
        {
            var port = FirstPort + ((start + i) % Ports);
            if (Free(kind, port, now))
                return port;
        }

        return null;
    }

    private bool Free(FlowKind kind, int port, DateTimeOffset now) =>
        !_byPort.TryGetValue((kind, port), out var taken) || !Alive(taken.Key, now, out _);

    private Key KeyOf(FlowKind kind, IPEndPoint inside, IPEndPoint remote) => Behaviour.Mapping switch
    {
        Dependence.EndpointIndependent => new Key(kind, inside, null, 0),
        Dependence.AddressDependent => new Key(kind, inside, remote.Address, 0),
        _ => new Key(kind, inside, remote.Address, remote.Port),
    };

    private sealed record Key(FlowKind Kind, IPEndPoint Inside, IPAddress? Remote, int RemotePort);

    private sealed class Mapping(Key key, FlowKind kind, IPEndPoint inside, int port)
    {
        public Key Key { get; } = key;

        public FlowKind Kind { get; } = kind;

        public IPEndPoint Inside { get; } = inside;

        public int Port { get; } = port;

        public HashSet<IPEndPoint> Remotes { get; } = [];

        public DateTimeOffset Used { get; set; }
    }
}
