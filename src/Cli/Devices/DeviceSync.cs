using System.CommandLine;
using System.Diagnostics;
using Fleet.Cli.Connection;
using Fleet.Cli.Output;
using Fleet.Contracts;
using Fleet.Contracts.Api;
using Spectre.Console;

namespace Fleet.Cli.Devices;

/// <summary><c>fleet device sync</c>: asks a device to sync and waits until it has.</summary>
internal static class DeviceSync
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(300);

    public static Command Make(FleetCommands commands)
    {
        var device = DeviceArgument.Make();
        var noWait = new Option<bool>("--no-wait") { Description = "Ask and return." };
        var timeout = new Option<string>("--timeout") { Description = "Longest wait.", HelpName = "TIME", DefaultValueFactory = _ => "2m" };
        timeout.Validators.Add(given =>
        {
            if (!DurationText.TryParse(given.GetValueOrDefault<string>() ?? "", out _))
                given.AddError("--timeout must be a duration such as 30s or 5m");
        });
        return commands.Remote("sync", "Asks a device to sync, and waits until it has.", """
            fleet device sync till-4
            fleet device sync till-4 --no-wait
            """,
            async call =>
            {
                var found = await DeviceArgument.Find(call, device).ConfigureAwait(false);
                var asked = await call.Client.Post(Query.Path("devices", found.Device.Id, "/sync"), ApiJson.Default.SyncRequested, call.Cancellation).ConfigureAwait(false);
                if (call.Value(noWait))
                {
                    call.Display.Show(asked, ApiJson.Default.SyncRequested, () => call.Display.Say($"{found.Device.Name} was asked to sync"));
                    return;
                }

                DurationText.TryParse(call.Value(timeout)!, out var longest);
                var began = Stopwatch.GetTimestamp();
                var synced = await Watched(call, found.Device.Name, () => Wait(call, asked, longest)).ConfigureAwait(false);
                call.Display.Show(synced, ApiJson.Default.DeviceDetailResource, () => call.Display.Say(
                    $"{synced.Device.Name} synced through {synced.Device.Through ?? "headquarters"} after {Words.Length(Stopwatch.GetElapsedTime(began))}; "
                    + $"it runs version {synced.Device.AppliedVersion} of {synced.Device.DesiredVersion}"));
            },
            device, noWait, timeout);
    }

    private static Task<DeviceDetailResource> Watched(RemoteCall call, string name, Func<Task<DeviceDetailResource>> wait) =>
        call.Terminal.IsInteractive && !call.Display.Json
            ? call.Display.Drawing.Status().StartAsync(Markup.Escape($"waiting for {name} to sync"), _ => wait())
            : wait();

    private static async Task<DeviceDetailResource> Wait(RemoteCall call, SyncRequested asked, TimeSpan longest)
    {
        var began = Stopwatch.GetTimestamp();
        while (true)
        {
            var now = await call.Client.Get(Query.Path("devices", asked.Id), ApiJson.Default.DeviceDetailResource, call.Cancellation).ConfigureAwait(false);
            if (now.Device.LastSync is { } seen && seen != asked.LastSync)
                return now;
            if (Stopwatch.GetElapsedTime(began) > longest)
                throw new CommandFailure($"{now.Device.Name} has not synced within {DurationText.Of(longest)}; it will at its own next time"
                    + (now.Device.LastSync is null ? "" : $" (last seen {Words.At(now.Device.LastSync)})"));
            await Task.Delay(LookEvery, call.Cancellation).ConfigureAwait(false);
        }
    }
}
