using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Fleet.TestSupport;

/// <summary>Keeps what a process would write to its log.</summary>
public sealed class CaughtLog : ILoggerFactory
{
    private readonly ConcurrentQueue<Entry> _entries = new();

    public IReadOnlyList<Entry> All => [.. _entries];

    /// <summary>The entries of a level that an administrator reads, Akka's and ASP.NET's from warnings on, as the real log has them.</summary>
    public IReadOnlyList<Entry> Lines =>
        [.. _entries.Where(e => e.Level >= (e.Category.StartsWith("Fleet.", StringComparison.Ordinal) ? LogLevel.Information : LogLevel.Warning))];

    public ILogger CreateLogger(string categoryName) => new Catcher(this, categoryName);

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public void Dispose()
    {
    }

    public sealed record Entry(LogLevel Level, string Category, string Text, Exception? Cause);

    private sealed class Catcher(CaughtLog log, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            log._entries.Enqueue(new Entry(logLevel, category, formatter(state, exception), exception));
    }
}
