using System.CommandLine;
using Fleet.Device;
using Fleet.Device.Enrolment;
using Fleet.Device.Identity;
using Fleet.Device.Installs;
using Fleet.Device.Inventory;
using Fleet.Device.Push;
using Fleet.Device.Settings;
using Fleet.Device.Storage;
using Fleet.Device.Sync;
using Fleet.Device.Updates;
using Microsoft.Extensions.Logging;

namespace Fleet.Agent.Commands;

/// <summary><c>agent run</c>: syncs until stopped; completes an enrolment that is under way first.</summary>
internal static partial class RunCommand
{
    public static Command Make()
    {
        var data = AgentOptions.Data();
        var config = AgentOptions.Config();
        var command = new Command("run", """
            Runs the agent until it is stopped (SIGTERM or Ctrl-C). An enrolment that has not been answered yet completes first.

            Example:
              agent run --data /var/lib/fleet-agent
            """)
        { data, config };
        // System.CommandLine cancels on SIGINT and SIGTERM.
        command.SetAction((parsed, cancellation) => AgentOptions.Guarded(() =>
            Run(parsed.GetValue(data)!, AgentOptions.Load(parsed.GetValue(data)!, parsed.GetValue(config)), cancellation)));
        return command;
    }

    private static async Task<int> Run(string data, DeviceOptions options, CancellationToken cancellation)
    {
        var log = new ConsoleLog(TimeProvider.System);
        var slot = new AgentSlot(DeviceUpdates.PackagesIn(Path.GetFullPath(data), options.Updates), OwnProgram.File, OwnProgram.StartedBy);
        // Whoever started this process has counted its start.
        var isSettled = OwnProgram.StartedBy is not null;
        while (true)
        {
            string? other;
            using (var directory = DeviceDirectory.Open(data, mayMake: false))
            {
                other = isSettled ? null : slot.Begin();
                if (other is null && await Run(directory, options, slot, log, cancellation).ConfigureAwait(false) is { } code)
                    return code;
            }

            isSettled = false;
            if (other is null)
                continue;
            LogBecoming(log, other);
            // Its service starts whatever 'current' leads to.
            if (OperatingSystem.IsWindows() && slot.Runs is not null)
                return ExitCode.Restart;
            var why = OwnProgram.Become(other);
            LogStays(log, other, why);
            // What can't even be started is given up; where it was good once, this program is better than none.
            isSettled = !slot.IsOnProbation;
            if (!isSettled)
                slot.Conclude($"it can't be started: {why}");
        }
    }

    /// <returns>Null: another version of the agent has to take over.</returns>
    private static async Task<int?> Run(DeviceDirectory directory, DeviceOptions options, AgentSlot slot, ConsoleLog log, CancellationToken cancellation)
    {
        var clock = TimeProvider.System;
        try
        {
            if (IdentityFiles.Load(directory) is null && await Complete(directory, options, clock, log, cancellation).ConfigureAwait(false) is { } failed)
            {
                await Console.Error.WriteLineAsync(failed).ConfigureAwait(false);
                return ExitCode.Failed;
            }

            await using var carriers = new GrpcCarriers(Tcp.Connect, options, clock);
            var device = new DeviceRuntime(directory, options, carriers, new LocalMachine(AgentVersion.Text), clock, log, AgentVersion.Text);
            using var updates = new DeviceUpdates(device, directory, directory.Path, Tcp.Connect, options, clock, log, slot);
            // Between two syncs nothing is needed but the connection: what a round used goes back to the machine for the next 15 minutes.
            device.RoundEnded += _ => GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive);
            LogReady(log, device.Identity.Device.Value);
            await SideBySide.Run(
                [device.Run, new PushLine(device, Tcp.Connect, options, clock, log).Run, updates.Run, stop => TakeDatagrams(device, options, log, stop)], cancellation).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            LogStopped(log);
        }
        catch (RestartException restart)
        {
            LogRestart(log, restart.Message);
            return null;
        }

        return ExitCode.Done;
    }

    private static async Task TakeDatagrams(DeviceRuntime device, DeviceOptions options, ConsoleLog log, CancellationToken cancellation)
    {
        if (options.WakePort == 0)
            return;
        using var socket = WakeSocket.Open(options.WakePort, log);
        if (socket is not null)
            await socket.Run(device, cancellation).ConfigureAwait(false);
    }

    /// <summary>Returns why the machine can't be enrolled, or null once it is.</summary>
    private static async Task<string?> Complete(DeviceDirectory directory, DeviceOptions options, TimeProvider clock, ILogger log, CancellationToken cancellation)
    {
        if (PendingEnrolment.Load(directory) is not { } pending)
            return $"{directory.Path} holds no enrolled device; run 'agent enroll' first";
        var outcome = await new EnrolmentClient(Tcp.Connect, options, clock)
            .EnrolUntilAnswered(pending, (unreachable, wait) => LogOutOfReach(log, unreachable.Detail, (long)wait.TotalSeconds), cancellation).ConfigureAwait(false);
        switch (outcome)
        {
            case EnrolmentOutcome.Accepted accepted:
                DeviceEnrolment.Complete(directory, pending, accepted);
                LogEnrolled(log, pending.Token.Office.Value, accepted.Through);
                return null;
            case EnrolmentOutcome.Refused refused:
                return $"enrolment refused: {refused.Detail}; get another token and run 'agent enroll' again";
            default:
                throw new NotSupportedException($"{outcome.GetType().Name} has no rule");
        }
    }

    [LoggerMessage(LogLevel.Information, "agent {Device} is ready")]
    private static partial void LogReady(ILogger log, string device);

    [LoggerMessage(LogLevel.Information, "{Why}")]
    private static partial void LogRestart(ILogger log, string why);

    [LoggerMessage(LogLevel.Information, "{Program} takes over")]
    private static partial void LogBecoming(ILogger log, string program);

    [LoggerMessage(LogLevel.Error, "{Program} could not take over: {Why}")]
    private static partial void LogStays(ILogger log, string program, string why);

    [LoggerMessage(LogLevel.Information, "agent stopped")]
    private static partial void LogStopped(ILogger log);

    [LoggerMessage(LogLevel.Information, "enrolled at office {Office} through {Carrier}")]
    private static partial void LogEnrolled(ILogger log, string office, string carrier);

    [LoggerMessage(LogLevel.Warning, "not enrolled yet, headquarters is out of reach ({Why}); trying again in {Seconds} s")]
    private static partial void LogOutOfReach(ILogger log, string why, long seconds);
}
