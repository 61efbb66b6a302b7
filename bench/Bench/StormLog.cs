using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;

namespace Fleet.Bench;

/// <summary>What devices say of their lines, counted: how many are open, and within what time they were asked to come back.</summary>
internal sealed partial class StormLog : ILogger
{
    private int _open;
    private double _window;

    public int OpenLines => Volatile.Read(ref _open);

    /// <summary>In seconds; the longest.</summary>
    public double Window => Volatile.Read(ref _window);

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        // The names of the agent's own log methods.
        if (eventId.Name == "LogOpen")
            Interlocked.Increment(ref _open);
        if (eventId.Name != "LogLost")
            return;
        Interlocked.Decrement(ref _open);
        Told(formatter(state, exception));
    }

    /// <summary>Reads the window in a line of the log about something lost.</summary>
    public void Told(string line)
    {
        if (Asked().Match(line) is { Success: true } asked)
            InterlockedMax(double.Parse(asked.Groups[1].Value, CultureInfo.InvariantCulture));
    }

    private void InterlockedMax(double value)
    {
        for (var now = _window; value > now; now = _window)
            Interlocked.CompareExchange(ref _window, value, now);
    }

    [GeneratedRegex("asked to come back within ([0-9.]+) s")]
    private static partial Regex Asked();
}
