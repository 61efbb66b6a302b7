using Fleet.Contracts;
using Fleet.Messages.Offices;
using MessagePack;

namespace Fleet.Messages.Company;

// What is said to the company actor (cluster singleton): it owns which offices exist and the policy book, and hands the book to every office.

public interface ICompanyCommand;

[MessagePackObject]
public sealed record AddOffice([property: Key(0)] OfficeId OfficeId, [property: Key(1)] string Title, [property: Key(2)] string By) : ICompanyCommand;

[MessagePackObject]
public sealed record RemoveOffice([property: Key(0)] OfficeId OfficeId, [property: Key(1)] bool Force, [property: Key(2)] string By) : ICompanyCommand;

/// <summary>Adds the policy, or its next version when the document differs. Answer: <see cref="PolicyAccepted"/>.</summary>
[MessagePackObject]
public sealed record ApplyPolicy([property: Key(0)] PolicyDocument Document, [property: Key(1)] string By) : ICompanyCommand;

[MessagePackObject]
public sealed record RemovePolicy([property: Key(0)] PolicyName Name, [property: Key(1)] string By) : ICompanyCommand;

/// <summary>An office twin says how many of its nodes and devices should stay connected. Answer: <see cref="ConnectionsGranted"/>.</summary>
[MessagePackObject]
public sealed record WantConnections([property: Key(0)] OfficeId OfficeId, [property: Key(1)] int Links, [property: Key(2)] int Devices) : ICompanyCommand;

// ---- Replies ----

public interface ICompanyReply;

[MessagePackObject]
public sealed record CompanyAccepted : ICompanyReply;

[MessagePackObject]
public sealed record CompanyRefused([property: Key(0)] RefusalCode Code, [property: Key(1)] string Detail) : ICompanyReply;

/// <param name="Changed">False when the document was the same as before.</param>
[MessagePackObject]
public sealed record PolicyAccepted([property: Key(0)] PolicyName Name, [property: Key(1)] ulong Version, [property: Key(2)] bool Changed) : ICompanyReply;

/// <summary>How many of the office may stay connected, of how many it asked for; and what of the company's budgets is taken by all offices together.</summary>
[MessagePackObject]
public sealed record ConnectionsGranted(
    [property: Key(0)] OfficeId OfficeId,
    [property: Key(1)] int Links,
    [property: Key(2)] int Devices,
    [property: Key(3)] int AskedLinks,
    [property: Key(4)] int AskedDevices,
    [property: Key(5)] int LinksTaken,
    [property: Key(6)] int LinksBudget,
    [property: Key(7)] int DevicesTaken,
    [property: Key(8)] int DevicesBudget) : ICompanyReply;

// ---- Events ----

public interface ICompanyEvent
{
    DateTimeOffset At { get; }
}

[MessagePackObject]
public sealed record OfficeAdded([property: Key(0)] OfficeId OfficeId, [property: Key(1)] string Title, [property: Key(2)] string By, [property: Key(3)] DateTimeOffset At) : ICompanyEvent;

[MessagePackObject]
public sealed record OfficeRemoved([property: Key(0)] OfficeId OfficeId, [property: Key(1)] string By, [property: Key(2)] DateTimeOffset At) : ICompanyEvent;

[MessagePackObject]
public sealed record PolicyApplied([property: Key(0)] Policy Policy, [property: Key(1)] ulong BookVersion, [property: Key(2)] string By, [property: Key(3)] DateTimeOffset At) : ICompanyEvent;

[MessagePackObject]
public sealed record PolicyRemoved([property: Key(0)] PolicyName Name, [property: Key(1)] ulong BookVersion, [property: Key(2)] string By, [property: Key(3)] DateTimeOffset At) : ICompanyEvent;

/// <summary>So many nodes and devices of the office may stay connected from now on.</summary>
[MessagePackObject]
public sealed record ConnectionsLeased(
    [property: Key(0)] OfficeId OfficeId,
    [property: Key(1)] int Links,
    [property: Key(2)] int Devices,
    [property: Key(3)] DateTimeOffset At) : ICompanyEvent;

// ---- Documents ----

/// <summary>What an operator writes: settings for the devices that the selector picks.</summary>
/// <param name="Offices">Offices it applies to; empty = all.</param>
/// <param name="Labels">Labels a device must all have, with these values; empty = any device.</param>
/// <param name="Priority">Where policies set the same key, the higher priority wins; equal ones go by name.</param>
[MessagePackObject]
public sealed record PolicyDocument(
    [property: Key(0)] PolicyName Name,
    [property: Key(1)] IReadOnlyList<OfficeId> Offices,
    [property: Key(2)] IReadOnlyDictionary<string, string> Labels,
    [property: Key(3)] int Priority,
    [property: Key(4)] IReadOnlyDictionary<string, string> Settings);

[MessagePackObject]
public sealed record Policy([property: Key(0)] PolicyDocument Document, [property: Key(1)] ulong Version, [property: Key(2)] DateTimeOffset At);

/// <summary>All policies; the version rises at each change.</summary>
[MessagePackObject]
public sealed record PolicyBook([property: Key(0)] ulong Version, [property: Key(1)] IReadOnlyList<Policy> Policies)
{
    public static PolicyBook Empty { get; } = new(0, []);
}

// ---- Snapshots ----

[MessagePackObject]
public sealed record CompanySnapshot(
    [property: Key(0)] IReadOnlyList<OfficeEntry> Offices,
    [property: Key(1)] PolicyBook Book,
    [property: Key(2)] RuleBook? Rules,
    [property: Key(3)] IReadOnlyList<ConnectionLease>? Leases,
    [property: Key(4)] UpdateBook? Updates,
    [property: Key(5)] IReadOnlyList<RolloutSnapshot>? Rollouts);

/// <summary>What an office has of the budgets.</summary>
[MessagePackObject]
public sealed record ConnectionLease([property: Key(0)] OfficeId OfficeId, [property: Key(1)] int Links, [property: Key(2)] int Devices);

/// <summary>One office in the company's list.</summary>
[MessagePackObject]
public sealed record OfficeEntry(
    [property: Key(0)] OfficeId OfficeId,
    [property: Key(1)] string Title,
    [property: Key(2)] string By,
    [property: Key(3)] DateTimeOffset At);

// ---- Queries ----

/// <summary>An office twin asks for the book after its start. Answered with <see cref="AdoptPolicyBook"/>.</summary>
[MessagePackObject]
public sealed record GetPolicyBook([property: Key(0)] OfficeId OfficeId);
