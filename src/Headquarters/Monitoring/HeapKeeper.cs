using System.Diagnostics;

namespace Fleet.Headquarters.Monitoring;

/// <summary>Collects and compacts the whole heap once after each storm (<see cref="RestingHeap"/>). Runs until disposed; one a process.</summary>
internal sealed partial class HeapKeeper : IAsyncDisposable
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(5);

    private readonly ILogger _log;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _watching;

    public HeapKeeper(ILogger log)
    {
        _log = log;
        _watching = Task.Run(Watch);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _watching;
        _stop.Dispose();
    }

    private async Task Watch()
    {
        using var timer = new PeriodicTimer(LookEvery);
        var (heap, last, before) = (new RestingHeap(), Stopwatch.GetTimestamp(), GC.GetTotalAllocatedBytes());
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                var (now, allocated) = (Stopwatch.GetTimestamp(), GC.GetTotalAllocatedBytes());
                heap = heap.Next(allocated - before, Stopwatch.GetElapsedTime(last, now));
                (last, before) = (now, allocated);
                if (!heap.IsDue)
                    continue;
                Collect();
                heap = heap.Collected();
            }
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
    }

    private void Collect()
    {
        var (before, began) = (Environment.WorkingSet, Stopwatch.GetTimestamp());
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: true);
        LogCollected(_log, before / 1_000_000, Environment.WorkingSet / 1_000_000, Stopwatch.GetElapsedTime(began).TotalMilliseconds);
    }

    [LoggerMessage(LogLevel.Information, "It is quiet after a storm: memory was put in order, {Before} MB are now {After} MB (took {Milliseconds:0} ms)")]
    private static partial void LogCollected(ILogger log, long before, long after, double milliseconds);
}
