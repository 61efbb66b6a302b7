using LinqToDB;
using LinqToDB.Data;

namespace Fleet.Headquarters.ReadModel;

/// <summary>
/// The device rows and device events of one batch: each row is read once, and written once however often the batch changes it; events are written
/// together. A row of which only the report or the wake-up changes is not read at all.
/// </summary>
internal sealed class DeviceRows(ReadModelConnection db)
{
    internal const int Chunk = 200;

    private readonly Dictionary<string, DeviceRow?> _rows = [];
    private readonly Dictionary<string, ReportedColumns> _reports = [];
    private readonly Dictionary<string, WakeColumns> _wakes = [];
    private readonly HashSet<string> _changed = [];
    private readonly List<DeviceEventRow> _events = [];

    /// <summary>Reads the rows of these devices, with one statement for many.</summary>
    public void Read(IEnumerable<string> devices)
    {
        foreach (var ids in devices.Distinct().Where(id => !_rows.ContainsKey(id)).Chunk(Chunk))
        {
            // Who reads a row wants it with its report and its wake-up.
            SaveColumns();
            foreach (var id in ids)
                _rows[id] = null;
            foreach (var row in db.Devices.Where(d => ids.Contains(d.DeviceId)))
                _rows[row.DeviceId] = row;
        }
    }

    /// <summary>The device's row as the batch left it so far; null when there is none.</summary>
    public DeviceRow? Find(string device)
    {
        Read([device]);
        return _rows[device];
    }

    /// <summary>Changes the row of a device, if there is one: a removed device's last reports change nothing.</summary>
    public void Change(string device, Action<DeviceRow> change)
    {
        if (Find(device) is not { } row)
            return;
        change(row);
        _changed.Add(device);
    }

    /// <summary>Changes what the device's row says of its report, if there is one.</summary>
    public void Report(string device, ReportedColumns reported)
    {
        if (_rows.ContainsKey(device))
        {
            Change(device, reported.Fill);
            return;
        }

        if (!_reports.TryGetValue(device, out var before))
        {
            _reports[device] = reported;
        }
        else if (reported.After(before) is { } both)
        {
            _reports[device] = both;
        }
        else
        {
            SaveColumns();
            _reports[device] = reported;
        }
    }

    /// <summary>Changes what the device's row says of its wake-up, if there is one.</summary>
    public void Wake(string device, WakeColumns wake)
    {
        if (_rows.ContainsKey(device))
            Change(device, wake.Fill);
        else
            _wakes[device] = _wakes.TryGetValue(device, out var before) ? wake.After(before) : wake;
    }

    public void Put(DeviceRow row)
    {
        _rows[row.DeviceId] = row;
        _changed.Add(row.DeviceId);
    }

    public void Remove(string device)
    {
        _rows[device] = null;
        _changed.Add(device);
    }

    /// <summary>Forgets the devices of an office.</summary>
    public void Clear(string office)
    {
        Save();
        db.Labels.Delete(l => db.Devices.Any(d => d.DeviceId == l.DeviceId && d.OfficeId == office));
        db.Devices.Delete(d => d.OfficeId == office);
        foreach (var (device, _) in _rows.Where(r => r.Value?.OfficeId == office).ToList())
            _rows[device] = null;
    }

    public void Note(DeviceEventRow happened) => _events.Add(happened);

    /// <summary>Writes all that changed so far.</summary>
    public void Save()
    {
        SaveColumns();
        foreach (var ids in _changed.Chunk(Chunk))
        {
            db.Devices.Delete(d => ids.Contains(d.DeviceId));
            db.Devices.BulkCopy(db.Together, ids.Select(id => _rows[id]).OfType<DeviceRow>());
        }

        if (_events.Count > 0)
            db.DeviceEvents.BulkCopy(db.Together, _events);
        _changed.Clear();
        _events.Clear();
    }

    private void SaveColumns()
    {
        if (_reports.Count > 0)
            ReportedColumns.Statement.Execute(db, _reports);
        if (_wakes.Count > 0)
            WakeColumns.Statement.Execute(db, _wakes);
        _reports.Clear();
        _wakes.Clear();
    }
}
