using System.CommandLine;
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
    private static readonly TimeSpan LookAtLeastEvery = TimeSpan.FromSeconds(2);

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
            async call =>
            {
                var names = new Dictionary<string, string>();
                await foreach (var device in call.Client.List(Query.Of("devices", ("office", call.Value(office))), ApiJson.Default.ListPageDeviceResource, null, call.Cancellation).ConfigureAwait(false))
                    names[device.Id] = device.Name;
                var asked = await call.Client.Post(Query.Path("offices", call.Value(office), "/wake"), ApiJson.Default.OfficeWakeRequested, call.Cancellation).ConfigureAwait(false);
                await Show(call, [.. asked.Wakes.Select(w => Begun(w, names.GetValueOrDefault(w.Id, w.Id)))], call.Value(noWait)).ConfigureAwait(false);
            },
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
        await Show(call, await Begun(call, wanted).ConfigureAwait(false), noWait).ConfigureAwait(false);
    }

    private static async Task Show(RemoteCall call, WakeOutcome[] begun, bool noWait)
    {
        var outcomes = noWait || begun.Length == 0 ? begun
            : call.Terminal.IsInteractive && !call.Display.Json ? await Watched(call, begun).ConfigureAwait(false)
            : await Ended(call, begun, _ => { }).ConfigureAwait(false);
        await call.Display.List(outcomes.ToAsyncEnumerable(), ApiJson.Default.WakeOutcome, "no devices there",
            ["NAME", "OUTCOME", "BY", "TOOK", "WAKE-UP", "FAILED BEFORE"],
            o => [o.Name, o.Wake.State, o.Wake.Channel ?? Words.None, o.Wake.Milliseconds is { } took ? Words.Length(TimeSpan.FromMilliseconds(took)) : Words.None,
                o.Wake.Id, Words.Many(o.Wake.Failures)]).ConfigureAwait(false);
        if (outcomes.Count(o => o.Wake.State == "failed") is > 0 and var failed)
            throw new CommandFailure($"{failed} of {outcomes.Length} devices did not sync");
    }

    // All are asked for before any is waited for: one that is out of reach holds up nobody.
    private static async Task<WakeOutcome[]> Begun(RemoteCall call, IReadOnlyList<DeviceResource> wanted)
    {
        var begun = new WakeOutcome[wanted.Count];
        await Each(call, Enumerable.Range(0, wanted.Count), async n =>
        {
            var device = wanted[n];
            var asked = await call.Client.Post(Query.Path("devices", device.Id, "/wake"), ApiJson.Default.WakeRequested, call.Cancellation).ConfigureAwait(false);
            if (asked.Note is { } note && !call.Display.Json)
                call.Display.Say($"{device.Name}: {note}");
            begun[n] = Begun(asked, device.Name);
        }).ConfigureAwait(false);
        return begun;
    }

    private static WakeOutcome Begun(WakeRequested asked, string name) => new(asked.Id, name, new WakeResource(asked.Wake, Running, asked.RequestedAt, null, null, null, []));

    private static Task<WakeOutcome[]> Watched(RemoteCall call, WakeOutcome[] begun) => call.Display.Drawing.Progress().AutoClear(true).StartAsync(progress =>
    {
        var bar = progress.AddTask("waking", maxValue: begun.Length);
        return Ended(call, begun, over => bar.Value = over);
    });

    private static async Task<WakeOutcome[]> Ended(RemoteCall call, WakeOutcome[] begun, Action<int> over)
    {
        var outcomes = begun.ToArray();
        // Most are over at once; the others wait for minutes, and are asked for less and less often.
        for (var wait = LookEvery; ; wait = wait * 1.5 < LookAtLeastEvery ? wait * 1.5 : LookAtLeastEvery)
        {
            List<int> open = [.. Enumerable.Range(0, outcomes.Length).Where(n => outcomes[n].Wake.State == Running)];
            over(outcomes.Length - open.Count);
            if (open.Count == 0)
                return outcomes;
            await Task.Delay(wait, call.Cancellation).ConfigureAwait(false);
            await Each(call, open, async n =>
            {
                var now = await call.Client.Get(Query.Path("devices", outcomes[n].Id), ApiJson.Default.DeviceDetailResource, call.Cancellation).ConfigureAwait(false);
                if (now.Wake is { State: not Running } wake && wake.Id == outcomes[n].Wake.Id)
                    outcomes[n] = outcomes[n] with { Wake = wake };
            }).ConfigureAwait(false);
        }
    }

    private static Task Each(RemoteCall call, IEnumerable<int> numbers, Func<int, Task> act) => Parallel.ForEachAsync(
        numbers, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = call.Cancellation }, async (n, _) => await act(n).ConfigureAwait(false));
}
