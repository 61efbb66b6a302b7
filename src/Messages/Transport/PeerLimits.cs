using Google.Protobuf;

namespace Fleet.Messages.Transport;

/// <summary>
/// What an authenticated peer may say: messages from its own actors, to a few actors here. Akka itself delivers to any path that a peer
/// writes down, and believes any sender, so a node could speak as another office over its own connection.
/// </summary>
/// <param name="reachable">Paths that a peer may address, with what lies under them.</param>
internal sealed class PeerLimits(IReadOnlyList<string> reachable)
{
    /// <summary>Why a frame is refused, or null.</summary>
    public string? Violation(ByteString frame, string peerHost)
    {
        if (!AkkaPdu.TryAddresses(frame.Span, out var recipient, out var sender))
            return "sent a malformed frame";
        if (recipient is null)
            return null;
        if (sender is not null && HostOf(sender) != peerHost)
            return $"spoke as {Shown(sender)}";
        // The root takes selections alone, and those only to akka.remote.trusted-selection-paths.
        var path = PathOf(recipient);
        return path is "/" || (IsPlain(path) && reachable.Any(r => path == r || path.StartsWith(r + "/", StringComparison.Ordinal))) ? null : $"addressed {Shown(recipient)}";
    }

    /// <summary>The host in <c>akka.tls://system@host:port/…</c>; null where there is none.</summary>
    private static string? HostOf(string actor)
    {
        var authority = actor.AsSpan(0, actor.Length - PathOf(actor).Length);
        var (at, colon) = (authority.LastIndexOf('@'), authority.LastIndexOf(':'));
        return at > 0 && colon > at ? authority[(at + 1)..colon].ToString() : null;
    }

    private static string PathOf(string actor)
    {
        var authority = actor.IndexOf("://", StringComparison.Ordinal);
        var slash = authority < 0 ? -1 : actor.IndexOf('/', authority + 3);
        return slash < 0 ? "" : actor[slash..];
    }

    // No "..", no escapes: nothing that Akka could read as another path.
    private static bool IsPlain(string path) =>
        !path.Contains("..", StringComparison.Ordinal) && path.All(c => char.IsAsciiLetterOrDigit(c) || c is '/' or '-' or '_' or '#' or '.');

    private static string Shown(string actor) => actor.Length <= 120 ? actor : actor[..120] + "…";
}
