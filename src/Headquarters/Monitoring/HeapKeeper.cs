using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Fleet.Headquarters.Monitoring;

/// <summary>Collects and compacts the whole heap once after each storm, and what died old in quiet times (<see cref="RestingHeap"/>). Runs until disposed; one a process.</summary>
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
                heap = heap.Next(allocated - before, Stopwatch.GetElapsedTime(last, now), OldAfter(GC.GetGCMemoryInfo(GCKind.Any)), OldAfter(LastOfAll()));
                (last, before) = (now, allocated);
                if (heap.Due == HeapCare.None)
                    continue;
                if (heap.Due == HeapCare.Compact)
                    Compact();
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

    /// <summary>The last collection that looked at all objects.</summary>
    private static GCMemoryInfo LastOfAll()
    {
        var (blocking, beside) = (GC.GetGCMemoryInfo(GCKind.FullBlocking), GC.GetGCMemoryInfo(GCKind.Background));
        return blocking.Index > beside.Index ? blocking : beside;
    }

    private static long OldAfter(GCMemoryInfo collection) => collection.GenerationInfo[GC.MaxGeneration].SizeAfterBytes;

    private void Compact()
    {
        var (before, began) = (Environment.WorkingSet, Stopwatch.GetTimestamp());
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: true);
        NativeHeap.Trim();
        LogCompacted(_log, before / 1_000_000, Environment.WorkingSet / 1_000_000, Stopwatch.GetElapsedTime(began).TotalMilliseconds);
    }

    private void Sweep(RestingHeap heap)
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: false);
        LogSwept(_log, heap.AtLast / 1_000_000, heap.Old / 1_000_000);
    }

    [LoggerMessage(LogLevel.Information, "It is quiet after a storm: memory was put in order, {Before} MB are now {After} MB (took {Milliseconds:0} ms)")]
    private static partial void LogCompacted(ILogger log, long before, long after, double milliseconds);

    [LoggerMessage(LogLevel.Debug, "Old objects grew from {Before} MB to {After} MB: the dead ones among them are collected")]
    private static partial void LogSwept(ILogger log, long before, long after);

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
