using Fleet.Device.Sync;

namespace Fleet.Device.Updates;

/// <summary>What sources did that belongs into the device's history: lies at once, being frozen once it lasts, because every mirror lags for a moment.</summary>
/// <param name="record">Takes a note, and drops repeats.</param>
internal sealed class SourceIncidents(Action<Note> record, TimeProvider clock)
{
    public const string LyingSource = "update-source-lied";
    public const string FrozenSource = "update-source-frozen";

    public static readonly TimeSpan FrozenAfter = TimeSpan.FromMinutes(5);

    private readonly Dictionary<string, long> _frozen = [];

    /// <param name="what">Which file, and what was wrong with it.</param>
    public void Lied(string source, string what) => record(new Note(LyingSource, $"{source} lies: {what}"));

    public void Frozen(string source, string what)
    {
        if (_frozen.TryAdd(source, clock.GetTimestamp()) || clock.GetElapsedTime(_frozen[source]) < FrozenAfter)
            return;
        record(new Note(FrozenSource, $"{source} is frozen: {what}"));
    }

    /// <summary>How long it has been frozen, as this device has seen it; zero: it is not.</summary>
    public TimeSpan FrozenFor(string source) => _frozen.TryGetValue(source, out var since) ? clock.GetElapsedTime(since) : TimeSpan.Zero;

    public void Fresh(string source) => _frozen.Remove(source);
}
