namespace Fleet.Contracts;

/// <summary>Finds what somebody who mistyped a name most likely meant.</summary>
public static class NearMiss
{
    private const int MostEdits = 3;

    /// <summary>The closest of the known names, as <c>; did you mean X?</c>; empty where none is close.</summary>
    public static string Hint(string given, IEnumerable<string> known)
    {
        var (name, edits) = known.Select(k => (k, Edits(given, k))).DefaultIfEmpty(("", int.MaxValue)).MinBy(c => c.Item2);
        return edits <= MostEdits ? $"; did you mean {name}?" : "";
    }

    // Levenshtein's distance, with a swap of two neighbours counted as one edit.
    private static int Edits(string one, string other)
    {
        var costs = new int[one.Length + 1, other.Length + 1];
        for (var i = 0; i <= one.Length; i++)
            costs[i, 0] = i;
        for (var j = 0; j <= other.Length; j++)
            costs[0, j] = j;
        for (var i = 1; i <= one.Length; i++)
        {
            for (var j = 1; j <= other.Length; j++)
            {
                costs[i, j] = Math.Min(
                    Math.Min(costs[i - 1, j], costs[i, j - 1]) + 1,
                    costs[i - 1, j - 1] + (one[i - 1] == other[j - 1] ? 0 : 1));
                if (i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1])
                    costs[i, j] = Math.Min(costs[i, j], costs[i - 2, j - 2] + 1);
            }
        }

        return costs[one.Length, other.Length];
    }
}
