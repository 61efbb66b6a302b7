using System.Diagnostics;
using System.Runtime;
using System.Runtime.InteropServices;

namespace Fleet.Headquarters.Monitoring;

/// <summary>
/// Collects and compacts the whole heap once after each storm, and what died old in quiet times (<see cref="RestingHeap"/>). Runs until disposed; one a process. What the runtime decides by itself
/// happens beside the work while one runs: it compacted 4.3 GB while all stood still for 8.6 s, as long as a link's lease, and 3,400 of 7,700 links were lost (bench/results/2026-11-28.md).
/// </summary>
internal sealed partial class HeapKeeper : IAsyncDisposable
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(5);

    private readonly ILogger _log;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _watching;

    public HeapKeeper(ILogger log)
    {
        _log = log;
        GCSettings.LatencyMode = GCLatencyMode.SustainedLowLatency;
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
                heap = heap.Next(allocated - before, Stopwatch.GetElapsedTime(last, now), Old());
                (last, before) = (now, allocated);
                if (heap.Due == HeapCare.None)
                    continue;
                if (heap.Due == HeapCare.Compact)
                    Compact(heap);
                else
                    Sweep(heap);
                heap = heap.Cared();
            }
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
    }

    private static OldObjects Old()
    {
        var last = GC.GetGCMemoryInfo(GCKind.Any).GenerationInfo[GC.MaxGeneration];
        return new OldObjects(last.SizeAfterBytes, last.FragmentationAfterBytes);
    }

    private void Compact(RestingHeap heap)
    {
        var (before, began) = (Environment.WorkingSet, Stopwatch.GetTimestamp());
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: true);
        NativeHeap.Trim();
        var (after, took) = (Environment.WorkingSet, Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        if (heap.Stormed)
            LogAfterStorm(_log, before / 1_000_000, after / 1_000_000, took);
        else
            LogCompacted(_log, before / 1_000_000, after / 1_000_000, took);
    }

    private void Sweep(RestingHeap heap)
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: false);
        LogSwept(_log, heap.Old.Bytes / 1_000_000, heap.SinceLooked.TotalMinutes);
    }

    [LoggerMessage(LogLevel.Information, "It is quiet after a storm: memory was put in order, {Before} MB are now {After} MB (took {Milliseconds:0} ms)")]
    private static partial void LogAfterStorm(ILogger log, long before, long after, double milliseconds);

    [LoggerMessage(LogLevel.Debug, "Holes between old objects were closed, {Before} MB are now {After} MB (took {Milliseconds:0} ms)")]
    private static partial void LogCompacted(ILogger log, long before, long after, double milliseconds);

    [LoggerMessage(LogLevel.Debug, "Dead objects are collected among {Old} MB of old ones, which was last done {Minutes:0.#} minutes ago")]
    private static partial void LogSwept(ILogger log, long old, double minutes);

    /// <summary>What libraries allocate outside the runtime's heap: TLS and SQLite above all.</summary>
    private static class NativeHeap
    {
        /// <summary>Gives free memory back to the system, where the C library knows how (malloc_trim(3), glibc): each thread's arena keeps what a storm needed.</summary>
        public static void Trim()
        {
            if (!NativeLibrary.TryLoad("libc.so.6", out var libc))
                return;
            if (NativeLibrary.TryGetExport(libc, "malloc_trim", out var trim))
                Marshal.GetDelegateForFunctionPointer<MallocTrim>(trim)(0);
            NativeLibrary.Free(libc);
        }

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate int MallocTrim(nuint pad);
    }
}
