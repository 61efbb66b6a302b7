using System.Globalization;
using Fleet.Contracts;
using Fleet.Contracts.Api;

namespace Fleet.Cli.Rollouts;

/// <summary>A ring as people write it: <c>canary:label:ring=canary</c>, <c>ten:10%</c>, <c>rest</c>.</summary>
internal static class RingText
{
    public const string Form = "NAME[:PERCENT%][:SELECTOR]";

    /// <summary>Where no rings are given.</summary>
    public static IReadOnlyList<string> Usual { get; } = ["canary:label:ring=canary", "tenth:10%", "rest"];

    /// <summary>The ring, or what is wrong with it.</summary>
    public static NewRing? Read(string text, out string problem)
    {
        var between = text.IndexOf(':', StringComparison.Ordinal);
        var name = between < 0 ? text : text[..between];
        if (IdText.Problem(name) is { } misnamed)
        {
            problem = $"ring '{text}': {misnamed}";
            return null;
        }

        var words = (between < 0 ? "" : text[(between + 1)..]).Replace("%:", "% ", StringComparison.Ordinal).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var share = words.FirstOrDefault(w => w.EndsWith('%')) ?? "100%";
        if (Share(share) is not { } percent)
        {
            problem = $"ring '{text}': '{share}' is not a percentage from 1% to 100%";
            return null;
        }

        var picks = SelectorText.Read(words.Where(w => !w.EndsWith('%')), out problem);
        if (picks is null)
            problem = $"ring '{text}': {problem}";
        return picks is null ? null : new NewRing(name, picks, percent);
    }

    /// <summary>1 to 100, written with <c>%</c>; null: it is not.</summary>
    public static int? Share(string text) =>
        text.EndsWith('%') && int.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var percent) && percent is >= 1 and <= 100 ? percent : null;
}
