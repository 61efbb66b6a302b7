using System.Diagnostics;

namespace Fleet.Contracts.Tracing;

/// <summary>
/// Spans of one journey through headquarters, office node and device, under the source <c>fleet</c>. What goes from process to process is a W3C traceparent, as
/// text; it is passed on also where nobody records, so that a trace has no holes behind such a place. Null wherever nothing is traced, which costs nothing.
/// </summary>
public static class Traces
{
    public const string SourceName = "fleet";

    /// <summary>Of version 00: <c>00-TRACE-SPAN-FLAGS</c>.</summary>
    private const int TextLength = 55;

    private static readonly ActivitySource Source = new(SourceName);

    /// <summary>Begins a trace, or goes on with the one that the caller named.</summary>
    public static Activity? Begin(string name, string? parent, ActivityKind kind = ActivityKind.Internal)
    {
        ActivityContext.TryParse(parent, null, isRemote: true, out var context);
        return Start(name, kind, context);
    }

    /// <summary>Goes on with a trace that came along; null where none did, or nobody records here.</summary>
    public static Activity? Continue(string name, string? parent, ActivityKind kind = ActivityKind.Internal) =>
        parent is not null && ActivityContext.TryParse(parent, null, isRemote: true, out var context) ? Start(name, kind, context) : null;

    /// <summary>What to hand on.</summary>
    /// <param name="came">What came along: handed on where nobody records here.</param>
    public static string? Of(Activity? span, string? came = null) => span is { Recorded: true } ? span.Id : came;

    /// <summary>What another process sent, where it may be a traceparent.</summary>
    public static string? Read(string? text) => text is { Length: TextLength } ? text : null;

    /// <summary>Whether both are of the same trace.</summary>
    public static bool AreOne(string? one, string? other) =>
        ActivityContext.TryParse(one, null, out var first) && ActivityContext.TryParse(other, null, out var second) && first.TraceId == second.TraceId;

    // Parents are named: actors and carriers have no ambient span, and a web server's own must not decide whether ours are recorded.
    private static Activity? Start(string name, ActivityKind kind, ActivityContext parent)
    {
        var ambient = Activity.Current;
        Activity.Current = null;
        var span = Source.StartActivity(name, kind, parent);
        Activity.Current = ambient;
        return span;
    }
}
