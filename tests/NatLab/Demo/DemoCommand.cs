using Fleet.NatLab.Fleets;
using Fleet.NatLab.Kernel;
using Fleet.NatLab.Topologies;
using Spectre.Console;

namespace Fleet.NatLab.Demo;

/// <summary><c>natlab demo</c>: a small fleet on this machine, shown live until Ctrl-C; with <c>--once</c> until all devices have synced.</summary>
internal static class DemoCommand
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    public static async Task<int> Run(bool once, CancellationToken stop)
    {
        var topology = Topology.Load("demo");
        ProcessFleet? fleet = null;
        try
        {
            fleet = await AnsiConsole.Progress().AutoClear(false).Columns(new ProgressBarColumn { Width = 24 }, new ElapsedTimeColumn(), new TaskDescriptionColumn { Alignment = Justify.Left })
                .StartAsync(async progress => await Begin(topology, progress.AddTask("starting", maxValue: StepsOf(topology)), made => fleet = made, stop).ConfigureAwait(false)).ConfigureAwait(false);
            if (once)
            {
                await SayWhoSynced(fleet).ConfigureAwait(false);
                return 0;
            }

            await SayHowToUse(fleet).ConfigureAwait(false);
            await DemoView.Show(fleet, stop).ConfigureAwait(false);
            return 0;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            await Console.Error.WriteLineAsync("stopping, and removing everything").ConfigureAwait(false);
            return once ? 1 : 0;
        }
        catch (Exception fault) when (fault is LabException or TimeoutException or IOException)
        {
            await Console.Error.WriteLineAsync($"{fleet?.Tails()}\nthe fleet did not start: {fault.Message}").ConfigureAwait(false);
            return 1;
        }
        finally
        {
            if (fleet is not null)
                await fleet.DisposeAsync().ConfigureAwait(false);
        }
    }

    // Network, headquarters, each node, all nodes linked, each device, all devices synced.
    private static int StepsOf(Topology topology) => 4 + topology.Offices.Sum(o => o.Nodes.Count) + topology.Devices.Count();

    private static async Task<ProcessFleet> Begin(Topology topology, ProgressTask task, Action<ProcessFleet> made, CancellationToken stop)
    {
        var reached = "starting";
        void Step(string what)
        {
            reached = what;
            task.Description = Markup.Escape(what);
            task.Increment(1);
        }

        var unable = KernelLab.Unable();
        task.Description = unable is null ? "building two offices behind NAT" : "starting headquarters";
        var fleet = unable is null ? await ProcessFleet.InKernelLab(topology, Step).ConfigureAwait(false) : ProcessFleet.OnLoopback(topology);
        made(fleet);
        if (unable is not null)
        {
            AnsiConsole.MarkupLineInterpolated($"[yellow]On loopback, without real NAT: {unable}.[/]");
            Step("on loopback");
        }

        try
        {
            await fleet.StartAll(Step, interval: "5s").WaitAsync(Limit, stop).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            throw new LabException($"after {Limit.TotalSeconds:0} s not all devices had synced; it came as far as '{reached}', and above are the last lines of every program");
        }

        return fleet;
    }

    // Written past the drawing, which would fold long lines: what a person copies stays one line.
    private static async Task SayHowToUse(ProcessFleet fleet)
    {
        var token = (await File.ReadAllTextAsync(fleet.AdminTokenFile).ConfigureAwait(false)).Trim();
        await Console.Out.WriteLineAsync($"""

            Console: {fleet.ConsoleAddress} (the certificate is of its own CA). Token to log in:
            {token}
            The command line, from another terminal in this directory:
              export FLEET_URL={fleet.ConsoleAddress}
              export FLEET_TOKEN=@{fleet.AdminTokenFile}
              {Path.GetRelativePath(Environment.CurrentDirectory, Programs.Fleet)} status

            """).ConfigureAwait(false);
    }

    private static async Task SayWhoSynced(ProcessFleet fleet)
    {
        foreach (var device in DemoView.InOrder(await fleet.Shown.Devices().ConfigureAwait(false)).Where(d => d.LastSync is not null))
            await Console.Out.WriteLineAsync($"{device.Office}: {device.Name} has synced through {device.Through ?? "headquarters"} and runs version {device.AppliedVersion} of {device.DesiredVersion}").ConfigureAwait(false);
    }
}
