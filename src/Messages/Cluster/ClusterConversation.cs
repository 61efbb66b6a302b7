using Fleet.Contracts;
using Fleet.Messages.Link;
using MessagePack;

namespace Fleet.Messages.Cluster;

// What the nodes of one headquarters say to each other beside what goes to twins and the company.

/// <summary>Told on every headquarters node where one of them says it.</summary>
public interface IClusterNotice;

/// <summary>
/// Twin → whoever is headquarters' own gateway, on any node: these are for devices that last synced with headquarters itself, and are taken as things that
/// came down.
/// </summary>
[MessagePackObject]
public sealed record CameDownDirect([property: Key(0)] OfficeId OfficeId, [property: Key(1)] IReadOnlyList<IDownItem> Items) : IClusterNotice;

/// <summary>Twin → headquarters' own gateways: it has begun anew, and knows neither which devices sync with headquarters itself nor their lines.</summary>
[MessagePackObject]
public sealed record OfficeBegan([property: Key(0)] OfficeId OfficeId) : IClusterNotice;

// ---- Asked of one node, at /user/headquarters-node ----

/// <summary>How is the node? Answer: <see cref="ClusterNodeState"/>.</summary>
[MessagePackObject]
public sealed record GetClusterNode;

/// <param name="Address"><c>host:port</c> by which the other nodes know it; empty: a headquarters of one node.</param>
/// <param name="Version">Of the program.</param>
/// <param name="Now">By its own clock.</param>
/// <param name="Links">Office nodes that are linked to it.</param>
/// <param name="MemoryBytes">Resident.</param>
/// <param name="Processors">The share of its machine's processors that it uses, from 0 to 1.</param>
/// <param name="Draining">Whether it gives its work away, to stop.</param>
/// <param name="LinkAddress"><c>host:port</c> of its link port, as office nodes are told it; empty: it is not said which is its.</param>
/// <param name="Overload">Why it is overloaded; empty or absent: it is not, or is too old to say.</param>
/// <param name="ReadModelBehind">How far the read model is behind the journal; absent: it does not write it, or is too old to say.</param>
[MessagePackObject]
public sealed record ClusterNodeState(
    [property: Key(0)] string Address,
    [property: Key(1)] string Version,
    [property: Key(2)] DateTimeOffset StartedAt,
    [property: Key(3)] DateTimeOffset Now,
    [property: Key(4)] int Links,
    [property: Key(5)] long MemoryBytes,
    [property: Key(6)] double Processors,
    [property: Key(7)] bool Draining,
    [property: Key(8)] string LinkAddress,
    [property: Key(9)] string? Overload = null,
    [property: Key(10)] TimeSpan? ReadModelBehind = null);

/// <summary>Give your work to the others and stop. Answer: <see cref="ClusterNodeDraining"/>, at once.</summary>
[MessagePackObject]
public sealed record DrainClusterNode([property: Key(0)] string By);

[MessagePackObject]
public sealed record ClusterNodeDraining;

// ---- Asked of the one that writes the read model ----

/// <summary>Write the read model anew from the journal, while the one there is serves. Answer: <see cref="ReadModelRebuilding"/>, at once.</summary>
[MessagePackObject]
public sealed record RebuildReadModel([property: Key(0)] string By);

/// <param name="Begun">False: it is under way already.</param>
[MessagePackObject]
public sealed record ReadModelRebuilding([property: Key(0)] bool Begun);
