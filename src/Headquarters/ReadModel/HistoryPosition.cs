using Fleet.Messages.Offices;

namespace Fleet.Headquarters.ReadModel;

/// <summary>
/// Where an event stands in the whole history: by its journal row, then by its place in the row. Rows of histories that were written when each event had a row of
/// its own bear that row's ordering; those are lower than any that comes after, so that the order holds and nothing is written anew.
/// </summary>
internal static class HistoryPosition
{
    /// <summary>More than <see cref="OfficeEvents.Most"/>. With orderings up to 2^41 positions stay exact in JavaScript's numbers.</summary>
    private const long PlacesInRow = 4096;

    public static long Of(long ordering, int place) => (ordering * PlacesInRow) + place;

    /// <summary>The last position that a row's events can have.</summary>
    public static long EndOf(long ordering) => Of(ordering + 1, 0) - 1;
}
