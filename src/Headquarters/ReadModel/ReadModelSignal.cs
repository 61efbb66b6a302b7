namespace Fleet.Headquarters.ReadModel;

/// <summary>Tells those who wait that the read model was written. Counts, so that a waiter never misses a change between looking and waiting.</summary>
public sealed class ReadModelSignal
{
    private readonly Lock _lock = new();
    private TaskCompletionSource _next = New();
    private long _count;

    /// <summary>How many changes there were.</summary>
    public long Count => Interlocked.Read(ref _count);

    /// <summary>Completes as soon as there were more changes than <paramref name="seen"/>.</summary>
    public Task After(long seen)
    {
        lock (_lock)
            return _count > seen ? Task.CompletedTask : _next.Task;
    }

    internal void Raise()
    {
        TaskCompletionSource passed;
        lock (_lock)
        {
            Interlocked.Increment(ref _count);
            (passed, _next) = (_next, New());
        }

        passed.SetResult();
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
