using Akka.Configuration;
using Akka.Hosting.Logging;

namespace Fleet.Office;

/// <summary>Sends what actors log to the process's own log.</summary>
internal static class ActorLogging
{
    public static Config Hocon { get; } = ConfigurationFactory.ParseString($$"""
        akka.loggers = ["{{typeof(LoggerFactoryLogger).FullName}}, {{typeof(LoggerFactoryLogger).Assembly.GetName().Name}}"]
        akka.loglevel = INFO
        # The process decides when it ends.
        akka.coordinated-shutdown.exit-clr = off
        akka.coordinated-shutdown.run-by-clr-shutdown-hook = off
        # Default 10 ms; an idle office node need not wake that often.
        akka.scheduler.tick-duration = 50ms
        """);
}
