using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Dispatch;
using Akka.Event;
using Microsoft.Extensions.Logging;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Fleet.Messages.Log;

/// <summary>
/// Makes an actor system write to the process's log. The category is the class that logs, so Fleet's own entries and Akka's can be told apart
/// by level. Give the system <see cref="Hocon"/> and an <see cref="ActorLogSetup"/>.
/// </summary>
public sealed class ActorLog : ReceiveActor, IRequiresMessageQueue<ILoggerMessageQueueSemantics>
{
    private readonly ILoggerFactory _logging = Context.System.Settings.Setup.Get<ActorLogSetup>() is { HasValue: true } setup
        ? setup.Value.Logging
        : throw new ConfigurationException($"actor system {Context.System.Name} was made without an {nameof(ActorLogSetup)}");

    public ActorLog()
    {
        Receive<LogEvent>(Write);
        Receive<InitializeLogger>(_ => Sender.Tell(new LoggerInitialized()));
    }

    /// <summary>Akka hands on what the process's log takes at its most talkative; what is written decides that log.</summary>
    public static Config Hocon(LogLevel lowest) => ConfigurationFactory.ParseString($$"""
        akka {
          loggers = ["{{typeof(ActorLog).FullName}}, {{typeof(ActorLog).Assembly.GetName().Name}}"]
          loglevel = {{(lowest <= LogLevel.Debug ? "DEBUG" : "INFO")}}
          stdout-logger-class = "{{typeof(LastWords).FullName}}, {{typeof(LastWords).Assembly.GetName().Name}}"
          stdout-loglevel = ERROR
        }
        """);

    private void Write(LogEvent entry)
    {
        var level = entry.LogLevel() switch
        {
            Akka.Event.LogLevel.DebugLevel => LogLevel.Debug,
            Akka.Event.LogLevel.InfoLevel => LogLevel.Information,
            Akka.Event.LogLevel.WarningLevel => LogLevel.Warning,
            _ => LogLevel.Error,
        };
        if (LostAssociation.IsAllIn(entry))
            level = LogLevel.Debug;
        _logging.CreateLogger(entry.LogClass.FullName ?? entry.LogClass.Name).Log(level, default, entry, entry.Cause, static (e, _) => e.Message.ToString() ?? "");
    }
}

/// <summary>Where an actor system's <see cref="ActorLog"/> writes.</summary>
public sealed class ActorLogSetup(ILoggerFactory logging) : Setup
{
    public ILoggerFactory Logging { get; } = logging;
}
