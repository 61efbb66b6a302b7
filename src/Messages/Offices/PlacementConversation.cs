using Fleet.Contracts;
using Fleet.Messages.Company;
using MessagePack;

namespace Fleet.Messages.Offices;

// Placement rules as an office twin hears of them, and what it journals of their working.

/// <summary>The company's rule book as it is now. Answer: <see cref="RuleBookAdopted"/>.</summary>
[MessagePackObject]
public sealed record AdoptRuleBook([property: Key(0)] OfficeId OfficeId, [property: Key(1)] RuleBook Book) : IOfficeCommand;

[MessagePackObject]
public sealed record RuleBookAdopted([property: Key(0)] OfficeId OfficeId, [property: Key(1)] ulong Version);

/// <summary>Which devices a rule would touch now; changes nothing. Answer: <see cref="RuleTried"/>.</summary>
[MessagePackObject]
public sealed record TryRule([property: Key(0)] OfficeId OfficeId, [property: Key(1)] PlacementRule Rule) : IOfficeCommand;

[MessagePackObject]
public sealed record RuleTried([property: Key(0)] OfficeId OfficeId, [property: Key(1)] IReadOnlyList<RuleTouch> Touched) : IOfficeReply;

/// <summary>What a rule would do to a device.</summary>
/// <param name="Id">A DeviceId, or a DiscoveredId where the device has no agent.</param>
/// <param name="Labels">Labels that it does not have so.</param>
/// <param name="Office">Where it would be moved, or enrolled; null: it stays.</param>
[MessagePackObject]
public sealed record RuleTouch(
    [property: Key(0)] string Id,
    [property: Key(1)] string Name,
    [property: Key(2)] bool HasAgent,
    [property: Key(3)] IReadOnlyDictionary<string, string> Labels,
    [property: Key(4)] OfficeId? Office);

[MessagePackObject]
public sealed record OfficeRulesAdopted([property: Key(0)] OfficeId OfficeId, [property: Key(1)] RuleBook Book, [property: Key(2)] DateTimeOffset At) : IOfficeEvent;

/// <summary>Rules acted on a device; a move, where they give one, follows as its own event.</summary>
/// <param name="Rules">Those that acted.</param>
/// <param name="Labels">All labels that the device has then.</param>
/// <param name="Moved">Whether a rule moves it.</param>
[MessagePackObject]
public sealed record DevicePlaced(
    [property: Key(0)] OfficeId OfficeId,
    [property: Key(1)] DeviceId DeviceId,
    [property: Key(2)] IReadOnlyList<RuleName> Rules,
    [property: Key(3)] IReadOnlyDictionary<string, string> Labels,
    [property: Key(4)] bool Moved,
    [property: Key(5)] DateTimeOffset At) : IDeviceEvent;

/// <summary>What rules did to a device, in its snapshot.</summary>
/// <param name="Rules">Those that acted on it since its agent was set up.</param>
/// <param name="MovedAt">When one last moved it; null: never.</param>
[MessagePackObject]
public sealed record PlacementSnapshot([property: Key(0)] IReadOnlyList<RuleName> Rules, [property: Key(1)] DateTimeOffset? MovedAt);
