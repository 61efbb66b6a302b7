using Fleet.Contracts.Storage;
using Fleet.Messages.Company;
using Fleet.Messages.Serialization;
using MessagePack;

namespace Fleet.Office.DistributionPoint;

/// <summary>Keeps how the tasks last ran (<c>downloads.bin</c>), so that a run that was missed is made up for and none runs twice.</summary>
internal sealed class DownloadRuns(string file)
{
    private readonly Dictionary<string, DownloadRunRecord> _runs = Load(file).ToDictionary(r => r.Task);

    public DownloadRunRecord Of(string task) => _runs[task];

    /// <summary>Forgets tasks that are gone. A new one counts from now: its schedule decides when it runs first, however often the node is off until then.</summary>
    /// <exception cref="StorageException">The disk is full or not writable.</exception>
    public void Know(IReadOnlyList<DownloadTask> tasks, DateTimeOffset now)
    {
        var (gone, unknown) = (_runs.Keys.Except(tasks.Select(t => t.Name)).ToList(), tasks.Where(t => !_runs.ContainsKey(t.Name)).ToList());
        foreach (var task in gone)
            _runs.Remove(task);
        foreach (var task in unknown)
            _runs[task.Name] = new DownloadRunRecord(task.Name, now, 0);
        if (gone.Count + unknown.Count > 0)
            Save();
    }

    /// <summary>A run began or ended. It counts at once; that the disk does not take it is told behind that.</summary>
    /// <exception cref="StorageException">The disk is full or not writable.</exception>
    public void Put(DownloadRunRecord run)
    {
        _runs[run.Task] = run;
        Save();
    }

    private void Save() => DurableFile.Replace(file, MessagePackSerializer.Serialize(_runs.Values.ToList(), Codec.Options));

    private static List<DownloadRunRecord> Load(string file)
    {
        try
        {
            return File.Exists(file) ? MessagePackSerializer.Deserialize<List<DownloadRunRecord>>(File.ReadAllBytes(file), Codec.Options) : [];
        }
        catch (MessagePackSerializationException)
        {
            return [];
        }
    }
}
