namespace Fleet.Device;

/// <summary>The parts of one program, none of which is of use without the others.</summary>
public static class SideBySide
{
    /// <summary>Runs the parts until all have ended. The first that fails ends the others, and its fault is thrown.</summary>
    public static async Task Run(IReadOnlyList<Func<CancellationToken, Task>> parts, CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task[] running = [.. parts.Select(part => part(stop.Token))];
        await foreach (var ended in Task.WhenEach(running).ConfigureAwait(false))
            if (ended.IsFaulted)
                await stop.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(running).ConfigureAwait(false);
    }
}
