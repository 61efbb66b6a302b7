using Microsoft.Extensions.Logging;

namespace Fleet.NatLab.Fleets;

/// <summary>What the programs of an in-process fleet say, kept line by line; each program has its own <see cref="Of"/>.</summary>
internal sealed class LabLog
{
    private const int TailLines = 25;

    private readonly Lock _gate = new();
    private readonly List<string> _lines = [];

    /// <summary>The log of one program.</summary>
    public ILoggerFactory Of(string program) => LoggerFactory.Create(log => log
        .SetMinimumLevel(LogLevel.Information)
        .AddFilter("Microsoft", LogLevel.Warning)
        .AddProvider(new Provider(this, program)));

    public IReadOnlyList<string> Lines(string text)
    {
        lock (_gate)
            return [.. _lines.Where(l => l.Contains(text, StringComparison.Ordinal))];
    }

    public string Tail()
    {
        lock (_gate)
            return string.Join('\n', _lines.TakeLast(TailLines).Select(l => $"    {l}"));
    }

    private void Add(string line)
    {
        lock (_gate)
            _lines.Add(line);
    }

    private sealed class Provider(LabLog log, string program) : ILoggerProvider
    {
        public ILogger CreateLogger(string categoryName) => new Writer(log, program, categoryName);

        public void Dispose()
        {
        }
    }

    private sealed class Writer(LabLog log, string program, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            log.Add($"{TimeProvider.System.GetUtcNow():HH:mm:ss.fff} {program} {logLevel} {category}: {formatter(state, exception)} {exception}");
    }
}
