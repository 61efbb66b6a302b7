using Fleet.Headquarters.ReadModel;

namespace Fleet.Headquarters.Api;

/// <summary>
/// Lets a caller read what it wrote: the read model follows the journal by some hundred milliseconds, and an answer waits until it shows the change.
/// Past the timeout the answer is what the read model shows by then; the change itself is journaled.
/// </summary>
public sealed class Settled(ReadModelSignal changes, TimeSpan timeout, TimeProvider clock)
{
    /// <summary>The view as soon as <paramref name="shown"/> holds.</summary>
    public async Task<T?> When<T>(Func<Task<T?>> look, Func<T?, bool> shown)
    {
        using var tooLong = new CancellationTokenSource(timeout, clock);
        while (true)
        {
            var seen = changes.Count;
            var view = await look();
            if (shown(view))
                return view;
            try
            {
                await changes.After(seen).WaitAsync(tooLong.Token);
            }
            catch (OperationCanceledException)
            {
                return view;
            }
        }
    }
}
