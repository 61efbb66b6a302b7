using System.CommandLine;
using System.Runtime.CompilerServices;
using Fleet.Cli.Connection;
using Fleet.Cli.Output;
using Fleet.Contracts.Api;
using Spectre.Console;

namespace Fleet.Cli.Devices;

/// <summary><c>fleet device wake</c> and <c>fleet office wake</c>: wake devices and wait for each outcome.</summary>
internal static class DeviceWake
{
    private const string Running = "running";
    private const int AtOnce = 16;
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(200);

    public static Command Make(FleetCommands commands)
    {
        var devices = new Argument<string[]>("devices") { Description = "Ids, or names that only one device has.", Arity = ArgumentArity.OneOrMore };
        var noWait = NoWait();
        return commands.Remote("wake", "Wakes devices, and waits for the outcome of each.", """
            fleet device wake till-4 till-5
            fleet device wake till-4 --no-wait
            """,
            call => Run(call, Named(call, call.Value(devices)), call.Value(noWait)),
            devices, noWait);
    }

    public static Command MakeForOffice(FleetCommands commands)
    {
        var office = new Argument<string>("office") { Description = "The office's id." };
        var noWait = NoWait();
        return commands.Remote("wake", "Wakes all devices of an office, and waits for the outcome of each.", "fleet office wake leeds",
            call => Run(call, call.Client.List(Query.Of("devices", ("office", call.Value(office))), ApiJson.Default.ListPageDeviceResource, null, call.Cancellation), call.Value(noWait)),
            office, noWait);
    }

    private static Option<bool> NoWait() => new("--no-wait") { Description = "Begin the wake-ups and return their ids." };

    private static async IAsyncEnumerable<DeviceResource> Named(RemoteCall call, IEnumerable<string> names)
    {
        foreach (var name in names.Distinct())
            yield return (await DeviceArgument.Find(call, name).ConfigureAwait(false)).Device;
    }

    private static async Task Run(RemoteCall call, IAsyncEnumerable<DeviceResource> devices, bool noWait)
    {
        var wanted = new List<DeviceResource>();
        await foreach (var device in devices.ConfigureAwait(false))
            wanted.Add(device);
        var outcomes = call.Terminal.IsInteractive && !call.Display.Json && !noWait && wanted.Count > 0
            ? await Watched(call, wanted).ConfigureAwait(false)
            : await All(call, wanted, noWait, _ => { }).ConfigureAwait(false);
        await call.Display.List(Each(outcomes), ApiJson.Default.WakeOutcome, "no devices there",
            ["NAME", "OUTCOME", "BY", "TOOK", "WAKE-UP", "FAILED BEFORE"],
            o => [o.Name, o.Wake.State, o.Wake.Channel ?? Words.None, o.Wake.Milliseconds is { } took ? Words.Length(TimeSpan.FromMilliseconds(took)) : Words.None,
                o.Wake.Id, Words.Many(o.Wake.Failures)]).ConfigureAwait(false);
        if (outcomes.Count(o => o.Wake.State == "failed") is > 0 and var failed)
            throw new CommandFailure($"{failed} of {outcomes.Count} devices did not sync");
    }

    private static Task<IReadOnlyList<WakeOutcome>> Watched(RemoteCall call, IReadOnlyList<DeviceResource> wanted) =>
        call.Display.Drawing.Progress().AutoClear(true).StartAsync(progress =>
        {
            var bar = progress.AddTask("waking", maxValue: wanted.Count);
            return All(call, wanted, noWait: false, _ => bar.Increment(1));
        });

    private static async Task<IReadOnlyList<WakeOutcome>> All(RemoteCall call, IReadOnlyList<DeviceResource> wanted, bool noWait, Action<WakeOutcome> done)
    {
        var outcomes = new WakeOutcome[wanted.Count];
        await Parallel.ForEachAsync(Enumerable.Range(0, wanted.Count), new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = call.Cancellation }, async (n, _) =>
        {
            outcomes[n] = await One(call, wanted[n], noWait).ConfigureAwait(false);
            lock (outcomes)
                done(outcomes[n]);
        }).ConfigureAwait(false);
        return outcomes;
    }

    private static async Task<WakeOutcome> One(RemoteCall call, DeviceResource device, bool noWait)
    {
        var asked = await call.Client.Post(Query.Path("devices", device.Id, "/wake"), ApiJson.Default.WakeRequested, call.Cancellation).ConfigureAwait(false);
        if (asked.Note is { } note && !call.Display.Json)
            call.Display.Say($"{device.Name}: {note}");
        if (noWait)
            return new WakeOutcome(device.Id, device.Name, new WakeResource(asked.Wake, Running, asked.RequestedAt, null, null, null, []));
        while (true)
        {
            var now = await call.Client.Get(Query.Path("devices", device.Id), ApiJson.Default.DeviceDetailResource, call.Cancellation).ConfigureAwait(false);
            if (now.Wake is { State: not Running } wake && wake.Id == asked.Wake)
                return new WakeOutcome(device.Id, device.Name, wake);
            await Task.Delay(LookEvery, call.Cancellation).ConfigureAwait(false);
        }
    }

    private static async IAsyncEnumerable<WakeOutcome> Each(IReadOnlyList<WakeOutcome> outcomes, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        foreach (var outcome in outcomes)
        {
            cancellation.ThrowIfCancellationRequested();
            yield return outcome;
        }

        await Task.CompletedTask.ConfigureAwait(false);
    }
}
