using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace Fleet.Gateway.Service;

/// <summary>
/// The log of the agents' port. gRPC tells each call that can't be read in several entries, up to level error and with stack traces; anyone who can
/// connect can make those, so they become one line, and not more than one in a while. Faults of this program itself stay as they are.
/// </summary>
internal sealed partial class CallFaults(ILoggerFactory inner, TimeProvider clock) : ILoggerFactory
{
    private const string Calls = "Grpc.AspNetCore.Server.ServerCallHandler";

    /// <summary>The one of gRPC's entries that each such call makes.</summary>
    private const string Unreadable = "ErrorReadingMessage";

    private static readonly TimeSpan LogEvery = TimeSpan.FromSeconds(1);

    private readonly ILogger _log = inner.CreateLogger<AgentListener>();
    private readonly Lock _lock = new();
    private DateTimeOffset _loggedAt = DateTimeOffset.MinValue;
    private int _since;

    public ILogger CreateLogger(string categoryName) =>
        categoryName == Calls ? new CallLog(this, inner.CreateLogger(categoryName)) : inner.CreateLogger(categoryName);

    public void AddProvider(ILoggerProvider provider) => inner.AddProvider(provider);

    /// <summary>The factory is its maker's to close.</summary>
    public void Dispose()
    {
    }

    private void Tell(Exception fault)
    {
        int count;
        lock (_lock)
        {
            _since++;
            var now = clock.GetUtcNow();
            if (now - _loggedAt < LogEvery)
                return;
            (_loggedAt, count, _since) = (now, _since, 0);
        }

        LogMalformed(count, fault.Message);
    }

    [LoggerMessage(LogLevel.Warning, "Refused {Count} calls of agents that can't be read, the last because: {Problem}")]
    private partial void LogMalformed(int count, string problem);

    private sealed class CallLog(CallFaults faults, ILogger inner) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => inner.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => inner.IsEnabled(logLevel);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (exception is not (InvalidProtocolBufferException or IOException or RpcException))
                inner.Log(logLevel, eventId, state, exception, formatter);
            else if (eventId.Name == Unreadable)
                faults.Tell(exception);
        }
    }
}
