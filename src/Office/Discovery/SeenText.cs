using System.Globalization;
using Fleet.Messages.Link;

namespace Fleet.Office.Discovery;

/// <summary>Text that a machine on the network says of itself: anybody can say anything, so it is cut and cleaned before it goes anywhere.</summary>
internal static class SeenText
{
    private const int MaxSentence = 500;
    private const int MaxLength = Sighting.MostText;

    /// <summary>Without what a terminal or a page might obey (control and format characters); null where nothing is left.</summary>
    public static string? Clean(string text)
    {
        var clean = new string([.. text.Take(4 * MaxLength).Where(Shown)]).Trim();
        if (clean.Length > MaxLength)
            clean = clean[..(char.IsHighSurrogate(clean[MaxLength - 1]) ? MaxLength - 1 : MaxLength)];
        return clean.Length == 0 ? null : clean;
    }

    /// <summary>A sentence of ours about what others said: as much of it as headquarters takes.</summary>
    public static string Cut(string sentence) => sentence.Length <= MaxSentence ? sentence : sentence[..(MaxSentence - 1)] + "…";

    private static bool Shown(char c) => char.GetUnicodeCategory(c) is not (UnicodeCategory.Control or UnicodeCategory.Format
        or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.OtherNotAssigned or UnicodeCategory.PrivateUse);
}
