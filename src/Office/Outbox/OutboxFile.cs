using Fleet.Contracts;
using Fleet.Contracts.Storage;
using Fleet.Messages.Link;
using Fleet.Office.Storage;
using Microsoft.Data.Sqlite;

namespace Fleet.Office.Outbox;

/// <summary>A report that waits; <paramref name="Place"/> rises with every report kept, so a newer one of the same device has another.</summary>
public sealed record WaitingReport(long Place, DeviceEnvelopeUp Report);

/// <summary>
/// What must reach headquarters, on disk until headquarters has stored it: the newest report of each device, and the node's own history, numbered.
/// Nothing leaves it for having been sent. Not thread-safe: the Relay owns it.
/// </summary>
public sealed class OutboxFile : IDisposable
{
    private const int Format = 1;
    private const string Schema = """
        CREATE TABLE IF NOT EXISTS reports (place INTEGER PRIMARY KEY AUTOINCREMENT, device TEXT NOT NULL UNIQUE, office TEXT NOT NULL, envelope BLOB NOT NULL, at INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS events (number INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL);
        """;

    private readonly OutboxOptions _options;
    private readonly TimeProvider _clock;
    private readonly SqliteConnection _file;
    private readonly SqliteCommand _same;
    private readonly SqliteCommand _keep;
    private readonly SqliteCommand _record;
    private readonly SqliteCommand _reports;
    private readonly SqliteCommand _events;
    private readonly SqliteCommand _dropReport;
    private readonly SqliteCommand _dropEvents;
    private readonly SqliteCommand _capReports;
    private readonly SqliteCommand _capEvents;

    /// <exception cref="StorageException">Newer, damaged or not writable.</exception>
    public OutboxFile(string path, OutboxOptions options, TimeProvider clock)
    {
        (_options, _clock) = (options, clock);
        _file = SqliteFile.Open(path, Format, Schema);
        _same = SqliteFile.Prepare(_file, "SELECT 1 FROM reports WHERE device = $device AND envelope = $envelope", "$device", "$envelope");
        _keep = SqliteFile.Prepare(_file, "INSERT OR REPLACE INTO reports (device, office, envelope, at) VALUES ($device, $office, $envelope, $at)",
            "$device", "$office", "$envelope", "$at");
        _record = SqliteFile.Prepare(_file, "INSERT INTO events (at, kind, text) VALUES ($at, $kind, $text)", "$at", "$kind", "$text");
        _reports = SqliteFile.Prepare(_file, "SELECT place, device, envelope, office FROM reports WHERE place > $after ORDER BY place LIMIT $max", "$after", "$max");
        _events = SqliteFile.Prepare(_file, "SELECT number, at, kind, text FROM events WHERE number > $after ORDER BY number LIMIT $max", "$after", "$max");
        _dropReport = SqliteFile.Prepare(_file, "DELETE FROM reports WHERE place = $place", "$place");
        _dropEvents = SqliteFile.Prepare(_file, "DELETE FROM events WHERE number BETWEEN $first AND $last", "$first", "$last");
        _capReports = SqliteFile.Prepare(_file,
            "DELETE FROM reports WHERE at < $oldest OR place <= (SELECT place FROM reports ORDER BY place DESC LIMIT 1 OFFSET $max)", "$oldest", "$max");
        _capEvents = SqliteFile.Prepare(_file,
            "DELETE FROM events WHERE at < $oldest OR number <= (SELECT number FROM events ORDER BY number DESC LIMIT 1 OFFSET $max)", "$oldest", "$max");
    }

    public long ReportCount => SqliteFile.Number(_file, "SELECT count(*) FROM reports");

    public long EventCount => SqliteFile.Number(_file, "SELECT count(*) FROM events");

    /// <summary>Keeps reports, each in the place of its device's older one. Returns when they are safe.</summary>
    /// <exception cref="SqliteException">The disk is full or failing.</exception>
    public void Keep(IEnumerable<DeviceEnvelopeUp> reports) => InOneGo(() =>
    {
        foreach (var report in reports)
        {
            var envelope = report.Envelope.ToArray();
            // A device that hears nothing repeats itself; the report that waits keeps its place.
            if (_same.With(report.DeviceId.Value, envelope).ExecuteScalar() is null)
                _keep.With(report.DeviceId.Value, report.OfficeHint.Value, envelope, Now).ExecuteNonQuery();
        }

        _capReports.With(Oldest, _options.MaxReports).ExecuteNonQuery();
    });

    /// <summary>Adds to the node's history.</summary>
    /// <exception cref="SqliteException">The disk is full or failing.</exception>
    public void Record(string kind, string text) => InOneGo(() =>
    {
        _record.With(Now, kind, text).ExecuteNonQuery();
        _capEvents.With(Oldest, _options.MaxEvents).ExecuteNonQuery();
    });

    /// <summary>Reports behind a place, oldest first, up to a count and a size.</summary>
    public IReadOnlyList<WaitingReport> ReportsAfter(long place, int max, int maxBytes)
    {
        var found = new List<WaitingReport>();
        using var rows = _reports.With(place, max).ExecuteReader();
        for (var bytes = 0; rows.Read() && (found.Count == 0 || bytes < maxBytes); bytes += found[^1].Report.Envelope.Length)
            found.Add(new WaitingReport(rows.GetInt64(0), new DeviceEnvelopeUp(new DeviceId(rows.GetString(1)), (byte[])rows[2], new OfficeId(rows.GetString(3)))));
        return found;
    }

    /// <summary>Events behind a number, oldest first.</summary>
    public IReadOnlyList<NodeEvent> EventsAfter(ulong number, int max)
    {
        var found = new List<NodeEvent>();
        using var rows = _events.With((long)number, max).ExecuteReader();
        while (rows.Read())
            found.Add(new NodeEvent((ulong)rows.GetInt64(0), DateTimeOffset.FromUnixTimeMilliseconds(rows.GetInt64(1)), rows.GetString(2), rows.GetString(3)));
        return found;
    }

    /// <summary>Headquarters has these: they need not wait any longer.</summary>
    public void Stored(IEnumerable<long> places, ulong firstEvent, ulong lastEvent) => InOneGo(() =>
    {
        foreach (var place in places)
            _dropReport.With(place).ExecuteNonQuery();
        _dropEvents.With((long)firstEvent, (long)lastEvent).ExecuteNonQuery();
    });

    /// <summary>
    /// Headquarters has the history up to this number. If that is more than was ever numbered here, the file was lost: what waits gets numbers that
    /// headquarters has not seen yet.
    /// </summary>
    public void EventsStored(ulong number) => InOneGo(() =>
    {
        var last = SqliteFile.Number(_file, "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'events'");
        if ((long)number <= last)
        {
            _dropEvents.With(0L, (long)number).ExecuteNonQuery();
            return;
        }

        // Downwards first, so that no number is taken twice on the way.
        SqliteFile.Run(_file, $"UPDATE events SET number = -number; UPDATE events SET number = {number} - number;");
        SqliteFile.Run(_file, $"""
            DELETE FROM sqlite_sequence WHERE name = 'events';
            INSERT INTO sqlite_sequence (name, seq) SELECT 'events', max({number}, coalesce((SELECT max(number) FROM events), 0));
            """);
    });

    public void Dispose() => _file.Dispose();

    private long Now => _clock.GetUtcNow().ToUnixTimeMilliseconds();

    private long Oldest => (_clock.GetUtcNow() - _options.MaxAge).ToUnixTimeMilliseconds();

    private void InOneGo(Action work) => SqliteFile.InOneGo(_file, work);
}
