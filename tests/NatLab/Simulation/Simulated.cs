namespace Fleet.NatLab.Simulation;

internal static class Simulated
{
    /// <summary>Acts later by the network's clock; at once where there is nothing to wait for.</summary>
    public static void After(TimeProvider clock, TimeSpan delay, Action act)
    {
        if (delay <= TimeSpan.Zero)
        {
            act();
            return;
        }

        // The timer must outlive this call, and nobody else holds it: the box does, until it has fired.
        var box = new Box(act);
        box.Timer = clock.CreateTimer(static state => ((Box)state!).Fire(), box, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        Held.TryAdd(box, true);
        box.Timer.Change(delay, Timeout.InfiniteTimeSpan);
    }

    private static readonly System.Collections.Concurrent.ConcurrentDictionary<Box, bool> Held = new();

    private sealed class Box(Action act)
    {
        public ITimer? Timer { get; set; }

        public void Fire()
        {
            Held.TryRemove(this, out _);
            Timer?.Dispose();
            act();
        }
    }
}
