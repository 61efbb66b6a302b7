using Fleet.Contracts;
using MessagePack;

namespace Fleet.Messages.Company;

// Placement rules: the company owns their book and hands it to every office, as it does with policies.

/// <summary>Adds the rule behind all others, or puts it in the place of the one with its name.</summary>
[MessagePackObject]
public sealed record PutRule([property: Key(0)] PlacementRule Rule, [property: Key(1)] string By) : ICompanyCommand;

/// <summary>Moves a rule in the order.</summary>
/// <param name="Before">The rule that it comes before; null: behind all.</param>
[MessagePackObject]
public sealed record MoveRule([property: Key(0)] RuleName Name, [property: Key(1)] RuleName? Before, [property: Key(2)] string By) : ICompanyCommand;

[MessagePackObject]
public sealed record EnableRule([property: Key(0)] RuleName Name, [property: Key(1)] bool Enabled, [property: Key(2)] string By) : ICompanyCommand;

[MessagePackObject]
public sealed record RemoveRule([property: Key(0)] RuleName Name, [property: Key(1)] string By) : ICompanyCommand;

/// <param name="Book">The whole book; small, and read at once.</param>
/// <param name="What">What was changed, for people.</param>
[MessagePackObject]
public sealed record RuleBookChanged([property: Key(0)] RuleBook Book, [property: Key(1)] string What, [property: Key(2)] string By, [property: Key(3)] DateTimeOffset At) : ICompanyEvent;

/// <summary>All rules in their order; the version rises at each change.</summary>
[MessagePackObject]
public sealed record RuleBook([property: Key(0)] ulong Version, [property: Key(1)] IReadOnlyList<PlacementRule> Rules)
{
    public static RuleBook Empty { get; } = new(0, []);
}

/// <summary>Gives labels and an office to the devices that it picks. Where rules give the same label, or an office, the earlier one in the book has its way.</summary>
/// <param name="Labels">Given to the device.</param>
/// <param name="Office">Where the device is moved; null: it stays.</param>
[MessagePackObject]
public sealed record PlacementRule(
    [property: Key(0)] RuleName Name,
    [property: Key(1)] bool Enabled,
    [property: Key(2)] RuleConditions Conditions,
    [property: Key(3)] RuleMode Mode,
    [property: Key(4)] IReadOnlyDictionary<string, string> Labels,
    [property: Key(5)] OfficeId? Office);

/// <summary>A device must meet all of these; of a list, one. Empty: met by all.</summary>
/// <param name="Addresses">Address ranges, as polls take them.</param>
/// <param name="Names">Patterns of the name or host name, such as <c>till-*</c>.</param>
/// <param name="Systems">Patterns of the operating system, such as <c>Debian*</c>.</param>
/// <param name="Labels">Labels it must all have, with these values.</param>
/// <param name="Vendors">Patterns of the vendor of one of its network cards.</param>
/// <param name="HasAgent">Null: with or without.</param>
[MessagePackObject]
public sealed record RuleConditions(
    [property: Key(0)] IReadOnlyList<string> Addresses,
    [property: Key(1)] IReadOnlyList<string> Names,
    [property: Key(2)] IReadOnlyList<string> Systems,
    [property: Key(3)] IReadOnlyList<OfficeId> Offices,
    [property: Key(4)] IReadOnlyDictionary<string, string> Labels,
    [property: Key(5)] IReadOnlyList<string> Vendors,
    [property: Key(6)] bool? HasAgent);

/// <summary>How often a rule acts on one device. Numbers are on the wire and in the journal.</summary>
public enum RuleMode
{
    /// <summary>Once for each machine: what people change afterwards stays, also after the agent is set up anew.</summary>
    Once = 1,

    /// <summary>Once, and again when the machine's agent is set up anew.</summary>
    OnceAndAtReenrolment = 2,

    /// <summary>Whenever the device is not as the rule says.</summary>
    Continuous = 3,
}
