using System.Globalization;
using Fleet.Headquarters.Company;
using Fleet.Headquarters.Offices;
using Fleet.Headquarters.Storage;
using LinqToDB.Data;

namespace Fleet.Headquarters.ReadModel;

/// <summary>
/// Puts the tables of one read model in place of another's, in one session that sees both. The journal decides what is now. Of what happened it may have less
/// than the histories, and what nobody tells again (when a device was first seen to obey, how far a poll is) is taken along.
/// </summary>
/// <param name="fresh">The schema that was written anew.</param>
/// <param name="served">The one that it replaces.</param>
internal sealed class ReadModelSwap(ReadModelConnection db, string fresh, string served)
{
    /// <summary>Of whom the journal tells what happened, from which position of the history.</summary>
    private const string From = "told_from";

    /// <summary>By office.</summary>
    private static readonly string[] OfOffices = ["device_events", "node_events", "office_events"];

    public void Remember(IReadOnlyCollection<FirstRow> firsts)
    {
        db.Execute($"CREATE TEMPORARY TABLE {From} (owner varchar(255) PRIMARY KEY, since bigint NOT NULL)");
        foreach (var first in firsts)
            db.Execute($"INSERT INTO {From} VALUES (@owner, @since)", new DataParameter("owner", OwnerOf(first.PersistenceId)), new DataParameter("since", HistoryPosition.Of(first.Ordering, 0)));
    }

    /// <returns>False: it does not stand where it must.</returns>
    public bool Move(long reached, long? from) => db.Execute(string.Create(CultureInfo.InvariantCulture,
        $"UPDATE {served}.projection SET position = {reached} WHERE name = '{ReadModelConnection.ProjectionName}'{(from is { } at ? $" AND position = {at}" : "")}")) == 1;

    public void Replace()
    {
        TakeAlong();
        foreach (var table in ReadModelConnection.Told)
        {
            db.Execute($"DELETE FROM {served}.{table.Name}");
            Insert(table);
        }

        foreach (var table in OfOffices)
            db.Execute($"DELETE FROM {served}.{table} WHERE position >= (SELECT since FROM {From} WHERE owner = {table}.office_id)");
        db.Execute($"DELETE FROM {served}.rollout_events WHERE position >= (SELECT since FROM {From} WHERE owner = '{CompanyActor.Id}')");
        foreach (var (table, key) in (ReadOnlySpan<(string, string)>)[("polls", "poll_id"), ("installs", "install_id")])
        {
            // What goes on is as it was seen last; what the journal does not know as going on is not.
            db.Execute($"DELETE FROM {fresh}.{table} WHERE ended_at IS NULL AND {key} IN (SELECT {key} FROM {served}.{table} WHERE ended_at IS NULL)");
            db.Execute($"DELETE FROM {served}.{table} WHERE {key} IN (SELECT {key} FROM {fresh}.{table})");
        }

        ReplaceIncidents();
        foreach (var table in ReadModelConnection.Histories)
            Insert(table);
        db.Execute($"DELETE FROM {served}.presence WHERE device_id NOT IN (SELECT device_id FROM {served}.devices)");
        db.Execute($"DELETE FROM {served}.network_seen WHERE device_id NOT IN (SELECT device_id FROM {served}.devices)");
    }

    // One that was open at a twin's beginning began earlier: the history knows when.
    private void ReplaceIncidents()
    {
        const string same = "AND ((s.closed_at IS NULL AND incidents.closed_at IS NULL) OR s.closed_at = incidents.closed_at)";
        db.Execute($"DELETE FROM {served}.incidents WHERE closed_at IS NULL AND NOT EXISTS (SELECT 1 FROM {fresh}.incidents f WHERE f.subject = incidents.subject AND f.closed_at IS NULL)");
        db.Execute($"DELETE FROM {served}.incidents WHERE closed_at IS NOT NULL AND position >= (SELECT since FROM {From} WHERE owner = incidents.office_id)");
        db.Execute($"DELETE FROM {fresh}.incidents WHERE EXISTS (SELECT 1 FROM {served}.incidents s WHERE s.subject = incidents.subject {same})");
    }

    private void TakeAlong()
    {
        db.Execute($"""
            UPDATE {fresh}.policies SET applied_by = (SELECT s.applied_by FROM {served}.policies s WHERE s.name = policies.name)
            WHERE applied_by = '' AND EXISTS (SELECT 1 FROM {served}.policies s WHERE s.name = policies.name AND s.version = policies.version)
            """);
        db.Execute($"""
            UPDATE {fresh}.devices SET applied_known_at = (SELECT s.applied_known_at FROM {served}.devices s WHERE s.device_id = devices.device_id)
            WHERE EXISTS (SELECT 1 FROM {served}.devices s WHERE s.device_id = devices.device_id AND s.applied_version = devices.applied_version AND s.applied_known_at < devices.applied_known_at)
            """);
        db.Execute($"""
            UPDATE {fresh}.discovered SET (last_seen, seen_by, seen_with) = (SELECT s.last_seen, s.seen_by, s.seen_with FROM {served}.discovered s WHERE s.discovered_id = discovered.discovered_id)
            WHERE EXISTS (SELECT 1 FROM {served}.discovered s WHERE s.discovered_id = discovered.discovered_id AND s.last_seen > discovered.last_seen)
            """);
    }

    private void Insert(ReadModelTable table)
    {
        var columns = string.Join(", ", table.Columns);
        db.Execute($"INSERT INTO {served}.{table.Name} ({columns}) SELECT {columns} FROM {fresh}.{table.Name} WHERE true ON CONFLICT DO NOTHING");
    }

    // As the tables name it.
    private static string OwnerOf(string persistenceId) =>
        persistenceId.StartsWith(OfficeActor.PersistencePrefix, StringComparison.Ordinal) ? persistenceId[OfficeActor.PersistencePrefix.Length..] : persistenceId;
}
