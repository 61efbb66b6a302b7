using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Fleet.Agent;

/// <summary>One line an entry on standard output, for journald or a file: all the logging that one small program needs.</summary>
internal sealed class ConsoleLog(TimeProvider clock) : ILogger
{
    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel))
            return;
        var time = clock.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
        var text = formatter(state, exception).ReplaceLineEndings(" ");
        Console.Out.WriteLine($"{time} {Word(logLevel)} {text}");
    }

    private static string Word(LogLevel level) => level switch
    {
        LogLevel.Warning => "WARN ",
        LogLevel.Error or LogLevel.Critical => "ERROR",
        _ => "INFO ",
    };
}
