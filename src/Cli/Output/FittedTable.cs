using Spectre.Console;
using Spectre.Console.Rendering;

namespace Fleet.Cli.Output;

/// <summary>
/// A table that fits the terminal. Ids and names stay whole, so that they can be copied, as long as there is room for them; what reads as words folds.
/// Spectre leaves of a table whose unfolded columns are too wide nothing but an ellipsis, so this is decided before it draws.
/// </summary>
internal static class FittedTable
{
    private const int Gap = 2;

    public static Table Of(IReadOnlyList<string> headings, IReadOnlyList<IReadOnlyList<string>> rows, int width)
    {
        var whole = Whole(headings, rows, width);
        var table = new Table().Border(TableBorder.None);
        foreach (var (at, heading) in headings.Index())
        {
            var gap = at < headings.Count - 1 ? Gap : 0;
            table.AddColumn(new TableColumn(new Text(heading, new Style(decoration: Decoration.Bold))) { NoWrap = whole.Contains(at), Padding = new Padding(0, 0, gap, 0) });
        }

        foreach (var row in rows)
            table.AddRow(row.Select(IRenderable (text) => new Text(text)));
        return table;
    }

    /// <summary>The columns that are not folded.</summary>
    internal static IReadOnlySet<int> Whole(IReadOnlyList<string> headings, IReadOnlyList<IReadOnlyList<string>> rows, int width)
    {
        var cells = headings.Select((heading, at) => rows.Select(r => r[at]).Prepend(heading).ToList()).ToList();
        // A folding column needs room for its longest word.
        var folded = cells.Select(c => c.SelectMany(t => t.Split(' ')).Max(w => w.Length)).ToList();
        var unfolded = cells.Select(c => c.Max(t => t.Length)).ToList();
        var room = width - Gap * (headings.Count - 1);
        var whole = new HashSet<int>();
        foreach (var at in Enumerable.Range(0, headings.Count).Where(at => unfolded[at] == folded[at]).OrderBy(at => unfolded[at]))
        {
            var others = Enumerable.Range(0, headings.Count).Where(o => o != at && !whole.Contains(o)).Sum(o => Math.Min(folded[o], headings[o].Length));
            if (whole.Sum(w => unfolded[w]) + unfolded[at] + others <= room)
                whole.Add(at);
        }

        return whole;
    }
}
