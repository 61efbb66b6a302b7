using Fleet.Contracts.Storage;
using Fleet.Messages.Serialization;
using MessagePack;

namespace Fleet.Office.DistributionPoint;

/// <summary>The last run of a task.</summary>
/// <param name="RunNumber">Of the task, when it began.</param>
[MessagePackObject]
public sealed record DownloadRunRecord([property: Key(0)] string Task, [property: Key(1)] DateTimeOffset At, [property: Key(2)] ulong RunNumber);

/// <summary>Keeps when tasks last ran (<c>downloads.bin</c>), so that a run that was missed is made up for and none runs twice.</summary>
internal sealed class DownloadRuns(string file, DateTimeOffset now)
{
    private readonly Dictionary<string, DownloadRunRecord> _runs = Load(file).ToDictionary(r => r.Task);

    /// <summary>A task that never ran counts from the start of the node: its schedule decides when it runs first.</summary>
    public DownloadRunRecord Of(string task) => _runs.GetValueOrDefault(task) ?? new DownloadRunRecord(task, now, 0);

    /// <exception cref="StorageException">The disk is full or not writable.</exception>
    public void Began(IEnumerable<DownloadRunRecord> runs, IReadOnlyCollection<string> tasks)
    {
        foreach (var run in runs)
            _runs[run.Task] = run;
        foreach (var gone in _runs.Keys.Except(tasks).ToList())
            _runs.Remove(gone);
        DurableFile.Replace(file, MessagePackSerializer.Serialize(_runs.Values.ToList(), Codec.Options));
    }

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
