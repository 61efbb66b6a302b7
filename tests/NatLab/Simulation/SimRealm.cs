using System.Net;
using Fleet.NatLab.Nat;

namespace Fleet.NatLab.Simulation;

/// <summary>One space of addresses: the internet, a carrier's inside, or an office's LAN. The same address may exist in many realms.</summary>
public sealed class SimRealm
{
    private readonly SimNetwork _network;
    private readonly List<SimUplink> _below = [];

    internal SimRealm(SimNetwork network, string name, SimUplink? uplink) => (_network, Name, Uplink) = (network, name, uplink);

    public string Name { get; }

    /// <summary>The way out; null for the internet and for a LAN without any.</summary>
    public SimUplink? Uplink { get; internal set; }

    internal Dictionary<IPAddress, SimHost> Hosts { get; } = [];

    /// <summary>Adds a machine.</summary>
    /// <param name="routed">False: the machine has no way out of this realm.</param>
    /// <param name="dialsOut">False: a firewall lets it open no stream.</param>
    /// <exception cref="ArgumentException">The address is taken in this realm.</exception>
    public SimHost AddHost(string name, string address, bool routed = true, bool dialsOut = true)
    {
        var host = new SimHost(_network, this, name, IPAddress.Parse(address), routed, dialsOut);
        _network.Guarded(() =>
        {
            Hosts.Add(host.Address, host);
            return true;
        });
        return host;
    }

    /// <summary>Adds a LAN (or a carrier's network) behind a translator that has an address in this realm.</summary>
    public SimRealm AddNat(string name, string outside, NatBehaviour behaviour) => _network.Guarded(() =>
    {
        var inside = new SimRealm(_network, name, null);
        // The translator's ports follow from the seed and its place, so that one more office elsewhere changes nothing here.
        var table = new NatTable(behaviour, IPAddress.Parse(outside), StableHash(_network.Seed, name));
        inside.Uplink = new SimUplink(_network, table, inside, this);
        _below.Add(inside.Uplink);
        return inside;
    });

    /// <summary>A LAN without any way out.</summary>
    public SimRealm AddIsland(string name) => new(_network, name, null);

    internal SimUplink? UplinkAt(IPAddress address) => _below.Find(u => u.Nat.Outside.Equals(address));

    // string.GetHashCode differs from run to run.
    private static int StableHash(int seed, string text) => text.Aggregate(seed, (hash, c) => unchecked((hash * 31) + c));
}

/// <summary>The translator at the edge of a realm and the line behind it; the place where faults are made.</summary>
public sealed class SimUplink
{
    private readonly SimNetwork _network;
    private bool _cut;
    private TimeSpan _delay;
    private double _loss;
    private long _packets;
    private long _bytes;

    internal SimUplink(SimNetwork network, NatTable nat, SimRealm inside, SimRealm outside) =>
        (_network, Nat, Inside, Outside) = (network, nat, inside, outside);

    internal NatTable Nat { get; }

    internal SimRealm Inside { get; }

    internal SimRealm Outside { get; }

    /// <summary>True: everything is dropped, both ways, without a word.</summary>
    public bool Cut
    {
        get => _network.Guarded(() => _cut);
        set => _network.Guarded(() => _cut = value);
    }

    /// <summary>One-way travel time.</summary>
    public TimeSpan Delay
    {
        get => _network.Guarded(() => _delay);
        set => _network.Guarded(() => _delay = value);
    }

    /// <summary>Chance of a packet to get lost, 0 to 1. A stream repeats what is lost, so it stalls instead.</summary>
    public double Loss
    {
        get => _network.Guarded(() => _loss);
        set => _network.Guarded(() => _loss = value);
    }

    /// <summary>Packets that crossed, both ways.</summary>
    public long Packets => _network.Guarded(() => _packets);

    /// <summary>Payload bytes that crossed, both ways.</summary>
    public long Bytes => _network.Guarded(() => _bytes);

    public int Mappings => _network.Guarded(() => Nat.Count);

    /// <inheritdoc cref="NatTable.Forget"/>
    public void ForgetMappings() => _network.Guarded(() =>
    {
        Nat.Forget();
        return true;
    });

    /// <inheritdoc cref="NatTable.Rebind"/>
    public void Rebind(string outside) => _network.Guarded(() =>
    {
        Nat.Rebind(IPAddress.Parse(outside));
        return true;
    });

    /// <summary>Lets a packet pass, or loses it. The network holds its lock.</summary>
    internal bool Pass(int bytes, Random chance)
    {
        if (_cut || (_loss > 0 && chance.NextDouble() < _loss))
            return false;
        _packets++;
        _bytes += bytes;
        return true;
    }
}
