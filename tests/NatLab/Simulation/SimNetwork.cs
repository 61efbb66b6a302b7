using System.Net;
using Fleet.NatLab.Nat;

namespace Fleet.NatLab.Simulation;

/// <summary>
/// A simulated internet: hosts in address realms, realms behind translators, one inside another where a carrier translates too. Routes packets by the
/// rules of <see cref="NatTable"/>; delay, loss and cuts sit on the uplinks. Time is the <see cref="TimeProvider"/>'s, chance is the seed's.
/// </summary>
public sealed class SimNetwork
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, IPAddress> _names = [];
    private int _flows;

    public SimNetwork(TimeProvider clock, int seed)
    {
        (Clock, Seed) = (clock, seed);
        Internet = new SimRealm(this, "internet", null);
    }

    /// <summary>The realm of public addresses.</summary>
    public SimRealm Internet { get; }

    public TimeProvider Clock { get; }

    public int Seed { get; }

    /// <summary>Lets every host dial this name.</summary>
    public void Name(string name, IPAddress address)
    {
        lock (_gate)
            _names[name] = address;
    }

    internal IPAddress? Resolve(string name)
    {
        if (IPAddress.TryParse(name, out var address))
            return address;
        lock (_gate)
            return _names.GetValueOrDefault(name);
    }

    /// <summary>Chance for one direction of one flow: independent of what other flows do meanwhile.</summary>
    internal Random NewChance() => new(HashCode.Combine(Seed, Interlocked.Increment(ref _flows)));

    /// <summary>Changes the map (hosts, mappings, uplinks) or reads it in one piece.</summary>
    internal T Guarded<T>(Func<T> act)
    {
        lock (_gate)
            return act();
    }

    /// <summary>Carries one packet; <paramref name="opens"/> marks a stream's first, the only one that makes a mapping for it.</summary>
    internal Carriage Carry(FlowKind kind, SimHost from, IPEndPoint source, IPEndPoint destination, bool opens, int bytes, Random chance)
    {
        lock (_gate)
        {
            if (from.Address.Equals(destination.Address) || IPAddress.IsLoopback(destination.Address))
                return Carriage.To(from, source, destination, TimeSpan.Zero);
            if (!from.Reaches(destination.Address))
                return Carriage.Lost;

            from.Sent(destination.Address);
            var now = Clock.GetUtcNow();
            var realm = from.Realm;
            var delay = TimeSpan.Zero;
            SimUplink? left = null;
            while (true)
            {
                if (realm.Hosts.TryGetValue(destination.Address, out var host))
                    return Arrives(host, source, destination, delay);

                if (realm.UplinkAt(destination.Address) is { } down)
                {
                    if (down == left && !down.Nat.Behaviour.Hairpins)
                        return Carriage.Lost;
                    if (down.Nat.Enter(kind, destination.Port, source, now) is not { } inside || !down.Pass(bytes, chance))
                        return Carriage.Lost;
                    (destination, realm, delay) = (inside, down.Inside, delay + down.Delay);
                    if (realm.Hosts.TryGetValue(destination.Address, out host))
                        return Arrives(host, source, destination, delay);
                    continue;
                }

                // A packet that came down and found nobody would go up again by the default route; dropping it is the same to everybody.
                if (realm.Uplink is not { } up || left is not null && left.Inside == realm)
                    return Carriage.Lost;
                if (up.Nat.Leave(kind, source, destination, opens, now) is not { } outside || !up.Pass(bytes, chance))
                    return Carriage.Lost;
                (source, realm, delay, left) = (outside, up.Outside, delay + up.Delay, up);
            }
        }
    }

    private static Carriage Arrives(SimHost host, IPEndPoint source, IPEndPoint destination, TimeSpan delay)
    {
        host.Received();
        return Carriage.To(host, source, destination, delay);
    }
}

/// <summary>Where a packet got to.</summary>
/// <param name="Host">Who has it, or null: it was lost on the way.</param>
/// <param name="SeenSource">The source as the receiver sees it.</param>
/// <param name="Destination">The destination as the receiver sees it.</param>
/// <param name="Delay">How long it travels.</param>
internal readonly record struct Carriage(SimHost? Host, IPEndPoint? SeenSource, IPEndPoint? Destination, TimeSpan Delay)
{
    public static Carriage Lost { get; }

    public static Carriage To(SimHost host, IPEndPoint source, IPEndPoint destination, TimeSpan delay) => new(host, source, destination, delay);
}
