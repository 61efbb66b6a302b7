using Fleet.Contracts;
using MessagePack;

namespace Fleet.Messages.Offices;

/// <summary>
/// Events of one office that were decided together, as one row of the journal: a frame of many devices' reports costs about what one of them did. They mean what
/// each means alone, in their order; nothing is nested.
/// </summary>
/// <param name="Events">Never empty.</param>
[MessagePackObject]
public sealed record OfficeEvents([property: Key(0)] OfficeId OfficeId, [property: Key(1)] IReadOnlyList<IOfficeEvent> Events) : IOfficeEvent
{
    /// <summary>Events in one row. Histories tell so many of a row apart (the read model's positions).</summary>
    public const int Most = 1000;

    /// <summary>Kinds in one row: the journal keeps their manifests in a column of 500 characters.</summary>
    public const int MostKinds = 10;

    /// <summary>Bytes of reports in one row, or a little more: a row is read and written as a whole.</summary>
    public const int MostBytes = 1 << 20;

    /// <summary>When the last of them happened.</summary>
    [IgnoreMember]
    public DateTimeOffset At => Events[^1].At;

    /// <summary>The rows that these events go into. One that is alone in its row stays itself.</summary>
    public static IReadOnlyList<IOfficeEvent> Rows(OfficeId office, IReadOnlyList<IOfficeEvent> events)
    {
        var rows = new List<IOfficeEvent>();
        var (kinds, first, bytes) = (new HashSet<Type>(), 0, 0);
        for (var i = 0; i < events.Count; i++)
        {
            kinds.Add(events[i].GetType());
            if (i > first && (kinds.Count > MostKinds || i - first >= Most || bytes >= MostBytes))
            {
                rows.Add(Row(office, events, first, i));
                (kinds, first, bytes) = ([events[i].GetType()], i, 0);
            }

            bytes += events[i] is DeviceReported reported ? reported.Report.Length : 0;
        }

        if (first < events.Count)
            rows.Add(Row(office, events, first, events.Count));
        return rows;
    }

    private static IOfficeEvent Row(OfficeId office, IReadOnlyList<IOfficeEvent> events, int first, int end) =>
        end - first == 1 ? events[first] : new OfficeEvents(office, [.. events.Skip(first).Take(end - first)]);
}
