using System.CommandLine;
using System.Globalization;
using Fleet.Cli.Connection;
using Fleet.Cli.Output;
using Fleet.Contracts;
using Fleet.Contracts.Api;

namespace Fleet.Cli.Cluster;

/// <summary><c>fleet cluster</c>.</summary>
internal static class ClusterCommands
{
    /// <summary>Clocks that differ by more make histories of the nodes contradict each other.</summary>
    private const double ClockTolerance = 2;

    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    public static Command Make(FleetCommands commands) => new("cluster", "The nodes of headquarters, where it runs on several machines.")
    {
        Status(commands),
        Join(commands),
        Drain(commands),
    };

    private static Command Status(FleetCommands commands) => commands.Remote("status", "Lists the nodes of headquarters.", "fleet cluster status",
        call => call.Display.List(
            call.Client.List("cluster/nodes", ApiJson.Default.ListPageClusterNodeResource, null, call.Cancellation),
            ApiJson.Default.ClusterNodeResource,
            "no nodes",
            ["NODE", "STATUS", "OFFICES", "LINKS", "MEMORY", "CPU", "VERSION", "UP FOR", "REMARKS"],
            n =>
            [
                n.Address, n.Status, Words.Number(n.Offices), n.Links is { } links ? Words.Number(links) : "", n.MemoryBytes is { } memory ? SizeText.Of(memory) : "",
                n.Processors is { } share ? $"{(share * 100).ToString("0", CultureInfo.InvariantCulture)} %" : "", n.Version ?? "",
                n.StartedAt is { } started ? Words.Length(call.Terminal.Clock.GetUtcNow() - started) : "", Remarks(n),
            ]));

    private static Command Join(FleetCommands commands) => commands.Remote("join",
        "Lets one more machine become a node of headquarters: makes an invitation, good once and for 15 minutes, and says what to run there. Who has it gets headquarters' identity: hand it on in confidence.",
        "fleet cluster join",
        async call =>
        {
            var invitation = await call.Client.Post("cluster/invitations", ApiJson.Default.ClusterInvitationResource, call.Cancellation).ConfigureAwait(false);
            call.Display.Show(invitation, ApiJson.Default.ClusterInvitationResource, () => call.Display.Say($"""
                On the new machine, until {Words.At(invitation.ExpiresAt)}:
                  headquarters join --data /var/lib/fleet-hq --from {call.Client.Address} --invitation {invitation.Text}
                """));
        });

    private static Command Drain(FleetCommands commands)
    {
        var node = new Argument<string>("node") { Description = "The node, as 'fleet cluster status' names it: HOST:PORT." };
        return commands.Remote("drain", "Lets a headquarters node give its work to the others and stop, before its machine is changed or its program updated. Offices move without losing anything.",
            "fleet cluster drain hq2.example.net:13002",
            async call =>
            {
                var address = call.Value(node);
                var before = (await Nodes(call).ConfigureAwait(false)).FirstOrDefault(n => n.Address == address)
                    ?? throw new CommandFailure($"headquarters has no node {address}; see: fleet cluster status");
                await call.Client.Tell(Query.Path("cluster/nodes", address, "/drain"), call.Cancellation).ConfigureAwait(false);
                if (before.Self)
                    call.Terminal.Error.WriteLine($"{address} answers here, so how far it is can't be asked: look at another node's 'fleet cluster status'");
                else
                    await Gone(call, address).ConfigureAwait(false);
                call.Display.Show(before, ApiJson.Default.ClusterNodeResource, () =>
                    call.Display.Say(before.Self ? $"{address} gives its work to the others and stops" : $"{address} has stopped; its {Words.Number(before.Offices)} offices and {Words.Number(before.Links ?? 0)} links are with the others"));
            },
            node);
    }

    private static async Task<IReadOnlyList<ClusterNodeResource>> Nodes(RemoteCall call) =>
        (await call.Client.Get("cluster/nodes", ApiJson.Default.ListPageClusterNodeResource, call.Cancellation).ConfigureAwait(false)).Items;

    private static async Task Gone(RemoteCall call, string address)
    {
        var left = int.MaxValue;
        while ((await Nodes(call).ConfigureAwait(false)).FirstOrDefault(n => n.Address == address) is { } node)
        {
            if (node.Links is { } links && links < left)
                await call.Terminal.Error.WriteLineAsync($"{address}: {node.Status}, {Words.Number(links)} links and {Words.Number(node.Offices)} offices left").ConfigureAwait(false);
            left = Math.Min(left, node.Links ?? left);
            await Task.Delay(LookEvery, call.Terminal.Clock, call.Cancellation).ConfigureAwait(false);
        }
    }

    private static string Remarks(ClusterNodeResource node)
    {
        List<string> remarks = [];
        if (node.Self)
            remarks.Add("answers here");
        if (node.Oldest)
            remarks.Add("oldest: company and projection run here");
        if (node.Overload is { } why)
            remarks.Add($"overloaded: {why}");
        if (node.ClockOff is { } off && Math.Abs(off) > ClockTolerance)
            remarks.Add($"clock {Math.Abs(off).ToString("0.#", CultureInfo.InvariantCulture)} s {(off > 0 ? "ahead" : "behind")}: set it by NTP");
        return string.Join("; ", remarks);
    }
}
