using Akka.Actor;
using Fleet.Contracts;

namespace Fleet.Headquarters.Links;

// What the two sides of one link say to each other inside headquarters' process: OfficeLink (edge system, faces the node) and LinkSession
// (cluster system, faces the office twin). Besides these, the link's and the twin's own messages are passed through.

/// <summary>OfficeLink → LinkSessions: a node said Hello; the sender is its link.</summary>
internal sealed record OpenSession(NodeId NodeId, string Epoch, string CertificateSerial, string Incarnation);

/// <summary>LinkSession → OfficeLink: this is your session.</summary>
internal sealed record SessionOpened(IActorRef Session);

/// <summary>OfficeLink → LinkSession: the link is over.</summary>
internal sealed record LinkEnded(string Reason);

/// <summary>LinkSession → OfficeLink: the session is gone; the node has to come in anew.</summary>
internal sealed record SessionEnded(string Reason);

/// <summary>LinkSession → OfficeLink: the office's twin moved to another headquarters node or began anew, and has forgotten the link: it needs a new epoch.</summary>
internal sealed record TwinMoved;

/// <summary>To LinkDoor: send some nodes to another headquarters node. Answer: <see cref="LinksLeft"/>.</summary>
/// <param name="Most">So many now.</param>
/// <param name="Which">Only these, and of these none that came back from where it was sent; null: any.</param>
internal sealed record PartLinks(int Most, string Reason, Predicate<NodeId>? Which);

/// <param name="Count">Links that were meant, and are still here.</param>
internal sealed record LinksLeft(int Count);

/// <summary>LinkDoor → OfficeLink: the node is to go to another headquarters node.</summary>
internal sealed record PartElsewhere(string Reason);

/// <summary>LinkDoor → OfficeLink: the node came in anew, this link is void.</summary>
internal sealed record Replaced;
