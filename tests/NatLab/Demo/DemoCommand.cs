using Fleet.NatLab.Fleets;
using Fleet.NatLab.Kernel;
using Fleet.NatLab.Topologies;
using Spectre.Console;

namespace Fleet.NatLab.Demo;

/// <summary><c>natlab demo</c>: a small fleet on this machine, shown live until Ctrl-C; with <c>--once</c> until all devices have synced.</summary>
internal static class DemoCommand
{
    private const int Steps = 4;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    public static async Task<int> Run(bool once, CancellationToken stop)
    {
        var topology = Topology.Load("demo");
        ProcessFleet? fleet = null;
        try
        {
            fleet = await AnsiConsole.Progress().AutoClear(false).Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new ElapsedTimeColumn())
                .StartAsync(async progress => await Begin(topology, progress.AddTask("starting", maxValue: Steps), made => fleet = made, stop).ConfigureAwait(false)).ConfigureAwait(false);
            Say(fleet);
            if (!once)
                await DemoView.Show(fleet, stop).ConfigureAwait(false);
            return 0;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return once ? 1 : 0;
        }
        catch (Exception fault) when (fault is LabException or TimeoutException or IOException)
        {
            await Console.Error.WriteLineAsync($"the fleet did not start: {fault.Message}\n{fleet?.Tails()}").ConfigureAwait(false);
            return 1;
        }
        finally
        {
            if (fleet is not null)
                await fleet.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static async Task<ProcessFleet> Begin(Topology topology, ProgressTask task, Action<ProcessFleet> made, CancellationToken stop)
    {
        void Step(string what)
        {
            task.Description = Markup.Escape(what);
            task.Increment(1);
        }

        var unable = KernelLab.Unable();
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
        catch (TimeoutException late)
        {
            throw new LabException($"after {Limit.TotalSeconds:0} s not all devices had synced: {late.Message}");
        }

        return fleet;
    }

    private static void Say(ProcessFleet fleet) => AnsiConsole.Write(new Rows(
        new Text($"Console        {fleet.ConsoleAddress}  (its certificate is of this fleet's own CA)"),
        new Text($"Administrator  {File.ReadAllText(fleet.AdminTokenFile).Trim()}"),
        new Text($"               from {fleet.AdminTokenFile}"),
        new Text("")));
}
