using Akka.Event;

namespace Fleet.Messages.Log;

/// <summary>
/// Akka.Remote's own entries about a connection that ended or could not be made: up to four for one loss, with stack traces and at level error.
/// Losing a link is a daily event, and who owns the link tells it in one line, so these are for those who look closer. Quarantine and faults of
/// any other cause are not among them.
/// </summary>
internal static class LostAssociation
{
    // Akka.Remote's types are internal.
    private static readonly HashSet<string> Ends =
    [
        "Akka.Remote.EndpointDisassociatedException",
        "Akka.Remote.EndpointAssociationException",
        "Akka.Remote.InvalidAssociation",
        "Akka.Remote.ShutDownAssociation",
        "Akka.Remote.Transport.InvalidAssociationException",
    ];

    // Told beside the supervisor's entry, which has the cause.
    private static readonly string[] Beginnings = ["Association with remote system", "Tried to associate with unreachable remote address", "AssociationError"];

    /// <summary>Whether the entry tells no more than that.</summary>
    public static bool IsAllIn(LogEvent entry) =>
        entry.Cause is { } cause
            ? Ends.Contains(cause.GetType().FullName!)
            : entry.LogLevel() <= LogLevel.WarningLevel && entry.Message.ToString() is { } text && Beginnings.Any(b => text.StartsWith(b, StringComparison.Ordinal));
}
