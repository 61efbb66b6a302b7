using Fleet.Messages.Link;

namespace Fleet.Office;

// What the actors of one office node say to each other, besides the link's and the gateway's own conversations.

/// <summary>HqLink → Relay and OfficeActor: headquarters let the node in. <see cref="Fleet.Office.Link.HqLink"/> carries <see cref="IEpochMessage"/>s from now on.</summary>
/// <param name="EventsStored">How far headquarters has the node's history.</param>
/// <param name="LinkedBy">The way that the link goes, for people.</param>
public sealed record LinkOpened(string Epoch, ulong EventsStored, string LinkedBy);

/// <summary>HqLink → Relay and OfficeActor: the link is down; what was under way in the epoch is void.</summary>
public sealed record LinkClosed(string Reason);

/// <summary>Relay → HqLink: headquarters takes pings and stores nothing; open the link anew.</summary>
public sealed record Redial(string Reason);

/// <summary>OfficeActor → Relay: the node's reported state changed. The way of its link is the Relay's to fill in.</summary>
public sealed record ReportNode(NodeReport Report);

/// <summary>Anyone → Relay: add to the node's history.</summary>
public sealed record RecordEvent(string Kind, string Text);

/// <summary>Relay → OfficeActor: the outbox can't be written, or can again (null).</summary>
public sealed record OutboxTrouble(string? Problem);

/// <summary>OfficeActor → HqLink: dial about this often, bring all up to date and hang up; null: keep the link.</summary>
public sealed record DialEvery(TimeSpan? Interval);
