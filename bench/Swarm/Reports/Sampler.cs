using System.Diagnostics;
using Fleet.Swarm.Offices;

namespace Fleet.Swarm.Reports;

/// <summary>Takes a sample of the swarm and of headquarters each second.</summary>
internal sealed class Sampler : IAsyncDisposable
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    private readonly FleetSwarm _swarm;
    private readonly Func<int?> _headquarters;
    private readonly string? _data;
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly List<Sample> _samples = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _sampling;
    private string _phase = "";

    /// <param name="headquarters">Its process now; null: it is on another machine, or down.</param>
    /// <param name="data">Its data directory; null: not on this machine.</param>
    public Sampler(FleetSwarm swarm, Func<int?> headquarters, string? data)
    {
        (_swarm, _headquarters, _data) = (swarm, headquarters, data);
        _sampling = Task.Run(Run);
    }

    /// <summary>Seconds since it began.</summary>
    public double Now => _clock.Elapsed.TotalSeconds;

    public IReadOnlyList<Sample> Samples
    {
        get
        {
            lock (_samples)
                return [.. _samples];
        }
    }

    /// <summary>A phase of the scenario begins.</summary>
    public void Enter(string phase) => Volatile.Write(ref _phase, phase);

    /// <summary>What headquarters and the swarm took in a phase.</summary>
    public PhaseFigures Of(string phase) => PhaseFigures.Of(phase, [.. Samples.Where(s => s.Phase == phase)]);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _sampling.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task Run()
    {
        using var timer = new PeriodicTimer(Every);
        var before = Take(null);
        while (await timer.WaitForNextTickAsync(_stop.Token).ConfigureAwait(false))
        {
            before = Take(before);
            lock (_samples)
                _samples.Add(before);
        }
    }

    private Sample Take(Sample? before)
    {
        var (counts, headquarters, own) = (_swarm.Counts.All(), ProcessFigures.Of(_headquarters()), ProcessFigures.Of(Environment.ProcessId));
        var now = new Sample(Now, Volatile.Read(ref _phase), counts, headquarters.ResidentMegabytes, 0, own.ResidentMegabytes, 0, JournalBytes(), 0, _swarm.Behind.TotalSeconds)
        {
            HeadquartersProcessor = headquarters.Processor,
            OwnProcessor = own.Processor,
        };
        if (before is null)
            return now;
        var seconds = now.Second - before.Second;
        // Another process than before: what it has used so far was used over longer than one sample.
        var used = before.HeadquartersProcessor == TimeSpan.Zero || now.HeadquartersProcessor < before.HeadquartersProcessor ? TimeSpan.Zero : now.HeadquartersProcessor - before.HeadquartersProcessor;
        return now with
        {
            HqCpuPercent = Math.Round(used.TotalSeconds / seconds * 100, 1),
            SwarmCpuPercent = Math.Round((now.OwnProcessor - before.OwnProcessor).TotalSeconds / seconds * 100, 1),
            MessagesPerSecond = Math.Round((Messages(now) - Messages(before)) / seconds, 1),
        };
    }

    private static double Messages(Sample sample) => sample.Counts[nameof(Count.Up)] + sample.Counts[nameof(Count.Down)];

    private long JournalBytes()
    {
        try
        {
            return _data is null ? 0 : new DirectoryInfo(_data).EnumerateFiles("*.db*").Sum(f => f.Length);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // A file went while it was being counted, or is not ours to see.
            return 0;
        }
    }
}

/// <summary>A second of a run.</summary>
/// <param name="HqCpuPercent">Of one core.</param>
/// <param name="JournalBytes">Of headquarters' SQLite files.</param>
/// <param name="MessagesPerSecond">Of the link, both ways.</param>
/// <param name="BehindSeconds">How far the swarm is behind with what it should do: over one it measures itself.</param>
internal sealed record Sample(
    double Second,
    string Phase,
    IReadOnlyDictionary<string, long> Counts,
    double HqMegabytes,
    double HqCpuPercent,
    double SwarmMegabytes,
    double SwarmCpuPercent,
    long JournalBytes,
    double MessagesPerSecond,
    double BehindSeconds)
{
    [System.Text.Json.Serialization.JsonIgnore]
    public TimeSpan HeadquartersProcessor { get; init; }

    [System.Text.Json.Serialization.JsonIgnore]
    public TimeSpan OwnProcessor { get; init; }
}

/// <summary>A phase in figures.</summary>
/// <param name="HqMegabytesFirst">At its first sample.</param>
/// <param name="HqCpuPercent">Of one core, on average.</param>
/// <param name="JournalBytesPerHour">How fast headquarters' files grew.</param>
internal sealed record PhaseFigures(
    string Phase, double Seconds, double HqMegabytesFirst, double HqMegabytesLast, double HqMegabytesPeak, double HqCpuPercent, double HqCpuPercentPeak, double SwarmCpuPercent, double MessagesPerSecond, double JournalBytesPerHour)
{
    public static PhaseFigures Of(string phase, IReadOnlyList<Sample> samples)
    {
        if (samples.Count == 0)
            return new PhaseFigures(phase, 0, 0, 0, 0, 0, 0, 0, 0, 0);
        var (first, last) = (samples[0], samples[^1]);
        var hours = Math.Max(1, last.Second - first.Second) / 3600;
        return new PhaseFigures(phase, Math.Round(last.Second - first.Second), first.HqMegabytes, last.HqMegabytes, samples.Max(s => s.HqMegabytes),
            Math.Round(samples.Average(s => s.HqCpuPercent), 1), samples.Max(s => s.HqCpuPercent), Math.Round(samples.Average(s => s.SwarmCpuPercent), 1),
            Math.Round(samples.Average(s => s.MessagesPerSecond), 1), Math.Round((last.JournalBytes - first.JournalBytes) / hours));
    }
}
