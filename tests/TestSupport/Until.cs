using System.Diagnostics;

namespace Fleet.TestSupport;

/// <summary>Waits for a condition that no message or event announces. The only place in the tests that may wait by the clock.</summary>
public static class Until
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(5);

    /// <summary>Returns as soon as the condition holds.</summary>
    /// <param name="what">What is awaited, for the message of the failure.</param>
    /// <param name="within">Longest wait; default 20 s.</param>
    public static Task True(Func<bool> condition, string what, TimeSpan? within = null) => True(() => Task.FromResult(condition()), what, within);

    /// <inheritdoc cref="True(Func{bool}, string, TimeSpan?)"/>
    public static async Task True(Func<Task<bool>> condition, string what, TimeSpan? within = null)
    {
        var limit = within ?? TimeSpan.FromSeconds(20);
        var began = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            if (Stopwatch.GetElapsedTime(began) > limit)
                throw new TimeoutException($"after {limit.TotalSeconds:0.#} s still not: {what}");
#pragma warning disable RS0030 // This is the condition wait that the ban points to.
            await Task.Delay(Step);
#pragma warning restore RS0030
        }
    }
}
