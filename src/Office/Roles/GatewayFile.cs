using Fleet.Contracts;
using Fleet.Contracts.Storage;
using Fleet.Gateway.Sessions;
using Fleet.Messages.Link;
using Fleet.Office.Storage;
using Microsoft.Data.Sqlite;

namespace Fleet.Office.Roles;

/// <summary>
/// The gateway's sessions on disk (<c>gateway.db</c>), so that a node restarted while headquarters is out of reach answers syncs from the last
/// desired state. A cache: what it loses, headquarters sends again.
/// </summary>
public sealed class GatewayFile : IGatewayStore, IDisposable
{
    private const int Format = 1;
    private const string Schema =
        "CREATE TABLE IF NOT EXISTS sessions (device TEXT PRIMARY KEY, desired BLOB, ack BLOB, interval_ms INTEGER, refused INTEGER, refusal TEXT) WITHOUT ROWID;";

    private readonly SqliteConnection _file;
    private readonly SqliteCommand _save;
    private readonly SqliteCommand _forget;

    /// <exception cref="StorageException">Newer, damaged or not writable.</exception>
    public GatewayFile(string path)
    {
        _file = SqliteFile.Open(path, Format, Schema);
        _save = SqliteFile.Prepare(_file, "INSERT OR REPLACE INTO sessions VALUES ($device, $desired, $ack, $interval, $refused, $refusal)",
            "$device", "$desired", "$ack", "$interval", "$refused", "$refusal");
        _forget = SqliteFile.Prepare(_file, "DELETE FROM sessions WHERE device = $device", "$device");
    }

    /// <summary>What headquarters had of the devices is not kept: it holds for one epoch alone.</summary>
    public IEnumerable<DeviceSession> Load()
    {
        var found = new List<DeviceSession>();
        using var command = SqliteFile.Prepare(_file, "SELECT device, desired, ack, interval_ms, refused, refusal FROM sessions");
        using var rows = command.ExecuteReader();
        while (rows.Read())
        {
            var id = new DeviceId(rows.GetString(0));
            found.Add(new DeviceSession(id)
            {
                Desired = EnvelopeIn(rows, 1, id),
                Ack = EnvelopeIn(rows, 2, id),
                SyncInterval = rows.IsDBNull(3) ? null : TimeSpan.FromMilliseconds(rows.GetInt64(3)),
                Refused = rows.IsDBNull(4) ? null : new DeviceRefusedDown(id, (RefusalCode)rows.GetInt32(4), rows.GetString(5)),
            });
        }

        return found;
    }

    public void Save(IReadOnlyCollection<DeviceSession> changed, IReadOnlyCollection<DeviceId> forgotten) => SqliteFile.InOneGo(_file, () =>
    {
        foreach (var session in changed)
            _save.With(session.Id.Value, session.Desired?.Bytes.ToArray(), session.Ack?.Bytes.ToArray(), (long?)session.SyncInterval?.TotalMilliseconds,
                (int?)session.Refused?.Code, session.Refused?.Detail).ExecuteNonQuery();
        foreach (var id in forgotten)
            _forget.With(id.Value).ExecuteNonQuery();
    });

    public void Dispose() => _file.Dispose();

    private static CarriedEnvelope? EnvelopeIn(SqliteDataReader rows, int column, DeviceId id) =>
        rows.IsDBNull(column) ? null : CarriedEnvelope.From(id, (byte[])rows[column], out _);
}
