namespace Fleet.Contracts.Api;

/// <summary>A placement rule: gives labels and an office to devices that meet all its conditions. PUT /api/v1/rules/{name} takes it as well.</summary>
/// <param name="Mode"><c>once</c>, <c>once-and-at-re-enrolment</c> or <c>continuous</c>.</param>
/// <param name="Addresses">Address ranges; of each list, one must fit. Empty or absent: any.</param>
/// <param name="Names">Patterns of the name or host name, such as <c>till-*</c>.</param>
/// <param name="Systems">Patterns of the operating system.</param>
/// <param name="InOffices">Offices that the device must be in.</param>
/// <param name="WithLabels">Labels that it must all have.</param>
/// <param name="Vendors">Patterns of the vendor of a network card.</param>
/// <param name="HasAgent">Absent: with or without.</param>
/// <param name="Labels">What it gives.</param>
/// <param name="Office">Where it moves the device; absent: it stays.</param>
public sealed record RuleResource(
    string Name,
    bool Enabled = true,
    string Mode = "once",
    IReadOnlyList<string>? Addresses = null,
    IReadOnlyList<string>? Names = null,
    IReadOnlyList<string>? Systems = null,
    IReadOnlyList<string>? InOffices = null,
    IReadOnlyDictionary<string, string>? WithLabels = null,
    IReadOnlyList<string>? Vendors = null,
    bool? HasAgent = null,
    IReadOnlyDictionary<string, string>? Labels = null,
    string? Office = null);

/// <summary>POST /api/v1/rules/{name}/move.</summary>
/// <param name="Before">The rule that it comes before; absent: behind all.</param>
public sealed record RuleMove(string? Before = null);

/// <summary>POST /api/v1/rules/{name}/enabled.</summary>
public sealed record RuleSwitch(bool Enabled);

/// <summary>What a rule would do to a device now.</summary>
/// <param name="Id">A device's id, or a discovered device's where it has no agent.</param>
/// <param name="Labels">Labels that it does not have so.</param>
/// <param name="MovesTo">Where it would be moved, or its agent enrolled; absent: it stays.</param>
public sealed record RuleTouchResource(string Id, string Name, string Office, bool HasAgent, IReadOnlyDictionary<string, string> Labels, string? MovesTo);
