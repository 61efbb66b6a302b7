using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace Fleet.Messages.Log;

/// <summary>The process's one log: a line an entry on standard output, for journald or a file.</summary>
public static class ProcessLog
{
    public static ILoggerFactory Create(LogOptions options) => LoggerFactory.Create(log => log
        .SetMinimumLevel(options.Level)
        // ASP.NET, gRPC and Akka tell every step they take; from them warnings are enough, unless everything is wanted.
        .AddFilter("Microsoft", Libraries(options.Level))
        .AddFilter("Akka", Libraries(options.Level))
        .AddFilter("Grpc", Libraries(options.Level))
        // It warns of 30 seconds without a company actor in the first second of every start.
        .AddFilter("Akka.Cluster.Tools.Singleton.ClusterSingletonProxy", LogLevel.Error)
        // It wants the keys of console sessions encrypted; they lie in the data directory, beside greater secrets, where only this user can read.
        .AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error)
        // A start that fails is told by who started it, in one line.
        .AddFilter("Microsoft.Extensions.Hosting", LogLevel.None)
        .AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.UseUtcTimestamp = true;
            console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
            console.ColorBehavior = LoggerColorBehavior.Disabled;
        }));

    private static LogLevel Libraries(LogLevel own) => own == LogLevel.Information ? LogLevel.Warning : own;
}
