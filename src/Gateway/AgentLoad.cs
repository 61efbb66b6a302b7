using Fleet.Messages.Admission;

namespace Fleet.Gateway;

/// <summary>
/// What the agents give a gateway or push server to do, and what it asks of them because of it: how fast lines are let in, and within what time those
/// who lose it should come back. For one thread.
/// </summary>
/// <param name="returnsPerSecond">Agents that may come back a second at full speed.</param>
public sealed class AgentLoad(int returnsPerSecond, LoadMeter meter)
{
    /// <summary>How many may come at once after a quiet time, in seconds' worth.</summary>
    private const int BurstSeconds = 2;

    private readonly AdmissionRate _lines = new(returnsPerSecond, returnsPerSecond * BurstSeconds);

    /// <summary>Null: a line may be opened now; else how long its device should wait.</summary>
    /// <param name="chance">From 0 to 1.</param>
    public TimeSpan? WaitForLine(DateTimeOffset now, double chance)
    {
        _lines.PerSecond = PerSecond;
        return _lines.Wait(now, chance);
    }

    /// <summary>Within which so many agents should come, or come back.</summary>
    public TimeSpan Window(int agents) => LoadRule.Window(agents, PerSecond);

    private double PerSecond => returnsPerSecond * LoadRule.Speed(meter.Now.Processors);
}
