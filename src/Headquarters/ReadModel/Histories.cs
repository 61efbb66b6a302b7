using System.Globalization;
using LinqToDB.Data;
using LinqToDB.Mapping;

namespace Fleet.Headquarters.ReadModel;

/// <summary>One table whose rows say what happened and is over.</summary>
/// <param name="Name">As metrics and the log name it.</param>
/// <param name="Key">What names a row.</param>
/// <param name="Subject">Whose history it is a part of.</param>
/// <param name="Order">The oldest first.</param>
/// <param name="At">When it was over; null: it goes on, and stays.</param>
internal sealed record History(string Name, string Table, string Key, string Subject, string Order, string At, Func<RetentionOptions, Kept> Kept)
{
    public static IReadOnlyList<History> All { get; } =
    [
        new("devices", "device_events", "position", "device_id", "position", "at", o => o.Devices),
        new("nodes", "node_events", "position", "node_id", "position", "at", o => o.Nodes),
        new("offices", "office_events", "position", "office_id", "position", "at", o => o.Offices),
        new("rollouts", "rollout_events", "position", "name", "position", "at", o => o.Rollouts),
        new("incidents", "incidents", "position, subject", "office_id", "closed_at", "closed_at", o => o.Incidents),
        new("polls", "polls", "poll_id", "office_id", "ended_at", "ended_at", o => o.Polls),
        new("installs", "installs", "install_id", "office_id", "ended_at", "ended_at", o => o.Installs),
        new("tokens", "tokens", "token_id", "office_id", "expires_at", "expires_at", o => o.Tokens),
    ];
}

/// <summary>Takes out of the histories what is older, or more, than is kept: a little at a time, so that whoever else writes the read model waits for no more than that.</summary>
internal sealed class Histories(ReadModelStore store, RetentionOptions options, TimeProvider clock)
{
    /// <summary>Subjects looked at in one transaction.</summary>
    private const int Subjects = 100;

    /// <summary>Takes out some of what has to go.</summary>
    /// <returns>How many; 0: nothing has to go any more.</returns>
    public int RemoveSome(History history)
    {
        using var db = store.Open();
        if (OlderThan(db, history, clock.GetUtcNow() - history.Kept(options).Age) is > 0 and var old)
            return old;
        var over = db.Execute<long>($"SELECT count(*) FROM {history.Table} WHERE {history.At} IS NOT NULL") - options.Most;
        return over > 0 ? Oldest(db, history, "", (int)Math.Min(over, options.Batch)) : MoreThan(db, history, history.Kept(options).Count);
    }

    // Looks at the oldest alone: what is behind them is younger.
    private int OlderThan(ReadModelConnection db, History history, DateTimeOffset before) => db.Execute(
        $"""
        DELETE FROM {history.Table} WHERE ({history.Key}) IN (SELECT {history.Key} FROM (
            SELECT {history.Key}, {history.At} AS over_at FROM {history.Table} WHERE {history.At} IS NOT NULL ORDER BY {history.Order} LIMIT @most) AS oldest WHERE over_at < @before)
        """,
        new DataParameter("most", options.Batch), new DataParameter("before", before.ToUnixTimeMilliseconds()));

    // A tenth more than has to, so that the same subject is not here again after its next entry.
    private int MoreThan(ReadModelConnection db, History history, int count)
    {
        var over = db.Query<Surplus>(string.Create(CultureInfo.InvariantCulture,
            $"SELECT {history.Subject} AS subject, count(*) AS entries FROM {history.Table} WHERE {history.At} IS NOT NULL GROUP BY {history.Subject} HAVING count(*) > {count} LIMIT {Subjects}")).ToList();
        var removed = 0;
        using var transaction = db.BeginTransaction();
        foreach (var one in over.TakeWhile(_ => removed < options.Batch))
            removed += Oldest(db, history, one.Subject, (int)Math.Min(one.Entries - count + (count / 10), options.Batch - removed));
        transaction.Commit();
        return removed;
    }

    /// <param name="subject">Blank: whosever they are.</param>
    private static int Oldest(ReadModelConnection db, History history, string subject, int most) => db.Execute(
        $"""
        DELETE FROM {history.Table} WHERE ({history.Key}) IN (
            SELECT {history.Key} FROM {history.Table} WHERE {history.At} IS NOT NULL AND (@subject = '' OR {history.Subject} = @subject) ORDER BY {history.Order} LIMIT @most)
        """,
        new DataParameter("subject", subject), new DataParameter("most", most));

    // Not every database finds columns whatever their case.
    private sealed class Surplus
    {
        [Column("subject")] public string Subject { get; set; } = "";
        [Column("entries")] public long Entries { get; set; }
    }
}
