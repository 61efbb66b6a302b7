using Fleet.Contracts;
using Fleet.Messages.Link;

namespace Fleet.Headquarters.Updates;

/// <summary>Twin → event stream: what went through a distribution point, as it last said. Stays inside headquarters' process, and is not journaled.</summary>
public sealed record ContentCounted(NodeId NodeId, ContentCounts Counts, DateTimeOffset At);
