using Fleet.Messages.Transport;
using Fleet.Office.Link;

namespace Fleet.Swarm.Offices;

/// <summary>What all offices of a swarm share.</summary>
/// <param name="Network">How they reach headquarters.</param>
/// <param name="Address">host:port of headquarters' links.</param>
/// <param name="Link">As office nodes are shipped.</param>
/// <param name="Relay">As office nodes are shipped.</param>
/// <param name="Watch">Told what happens; null: nobody asks.</param>
internal sealed record SwarmTools(IByteNetwork Network, string Address, LinkOptions Link, RelayOptions Relay, Wheel Wheel, SwarmCounts Counts, ISwarmWatch? Watch = null)
{
    /// <summary>How often Akka at headquarters wants to hear from the other side (<see cref="LinkHocon"/>).</summary>
    public static readonly TimeSpan HeartbeatEvery = TimeSpan.FromSeconds(10);

    public LinkLimits Limits { get; } = new(LinkHocon.OfficePort, Link.ConnectTimeout, Link.MaximumFrame, Link.MaximumUnsent, Link.MaximumHandshakes);
}

/// <summary>Follows a swarm. Called from many threads, under an office's lock: it must be quick.</summary>
internal interface ISwarmWatch
{
    /// <summary>A wake order came to an office.</summary>
    void Woken(SimOffice office, int devices);
}
