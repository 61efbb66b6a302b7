using System.Globalization;
using Fleet.Contracts;
using Fleet.Contracts.Api;

namespace Fleet.Cli.Output;

/// <summary>Times, sizes and lists as people read them.</summary>
internal static class Words
{
    public const string None = "-";

    /// <summary>How long ago, by this machine's clock.</summary>
    public static string Ago(DateTimeOffset? at, DateTimeOffset now) => at is not { } then ? "never" : (now - then) switch
    {
        { TotalSeconds: < 1 } => "just now",
        var age => $"{Length(age)} ago",
    };

    public static string Length(TimeSpan time) => time switch
    {
        { TotalSeconds: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:0} ms"),
        { TotalMinutes: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0} s"),
        { TotalHours: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(time.TotalMinutes):0} min"),
        { TotalDays: < 2 } => string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(time.TotalHours):0} h"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(time.TotalDays):0} days"),
    };

    public static string At(DateTimeOffset? at) => at?.ToUniversalTime().ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture) ?? None;

    /// <summary>For tables, where a line is short and the second does not matter.</summary>
    public static string AtMinute(DateTimeOffset at) => at.ToUniversalTime().ToString("yyyy-MM-dd HH:mm'Z'", CultureInfo.InvariantCulture);

    public static string Size(long bytes) => SizeText.Of(bytes);

    public static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    public static string Number(ulong number) => number.ToString(CultureInfo.InvariantCulture);

    public static string Many(IEnumerable<string> texts) => string.Join(", ", texts) is { Length: > 0 } all ? all : None;

    public static string Labels(IReadOnlyDictionary<string, string> labels) => Many(labels.OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => $"{l.Key}={l.Value}"));

    public static IReadOnlyList<string> EventColumns { get; } = ["WHEN", "WHAT", "DETAIL"];

    public static IReadOnlyList<string> EventRow(EventResource e) => [At(e.At), e.Kind, e.Text];
}
