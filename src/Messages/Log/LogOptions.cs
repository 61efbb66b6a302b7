using Akka.Configuration;
using Fleet.Messages.Settings;
using Microsoft.Extensions.Logging;

namespace Fleet.Messages.Log;

/// <summary>Block <c>fleet.log</c>.</summary>
public sealed record LogOptions(LogLevel Level)
{
    public static LogOptions From(Config fleet, Problems problems)
    {
        LogLevel? level = problems.Text(fleet, "log.level") switch
        {
            "debug" => LogLevel.Debug,
            "info" => LogLevel.Information,
            "warning" => LogLevel.Warning,
            "error" => LogLevel.Error,
            _ => null,
        };
        if (level is null && !problems.Told("log.level"))
            problems.Add("fleet.log.level", "must be debug, info, warning or error");
        return new LogOptions(level ?? LogLevel.Information);
    }
}
