using System.CommandLine;
using Fleet.Cli.Connection;
using Fleet.Cli.Output;
using Fleet.Contracts.Api;

namespace Fleet.Cli.Policies;

/// <summary><c>fleet policy</c>.</summary>
internal static class PolicyCommands
{
    public static Command Make(FleetCommands commands) => new("policy", "Policies: named, versioned settings for the devices that they select.")
    {
        Apply(commands),
        List(commands),
        Show(commands),
        Remove(commands),
    };

    private static Argument<string> Name() => new("policy") { Description = "The policy's name." };

    private static Command Apply(FleetCommands commands)
    {
        var file = new Argument<string>("file") { Description = "A policy file (YAML or JSON)." };
        return commands.Remote("apply", "Adds a policy, or makes its next version when the file differs from what headquarters has.", """
            fleet policy apply shops.yaml    # which says:
              name: shops
              offices: [leeds, york]
              labels:
                room: shop
              priority: 10
              settings:
                sync.interval: 5m
            """,
            async call =>
            {
                var policy = PolicyFile.Read(call.Value(file));
                var done = await call.Client.Send(HttpMethod.Put, Query.Path("policies", policy.Name!), policy,
                    ApiJson.Default.PolicyContent, ApiJson.Default.PolicyChanged, call.Cancellation).ConfigureAwait(false);
                call.Display.Show(done, ApiJson.Default.PolicyChanged, () => call.Display.Say(
                    done.Changed ? $"policy {done.Name} is version {done.Version} now" : $"policy {done.Name} is unchanged, version {done.Version}"));
            },
            file);
    }

    private static Command List(FleetCommands commands) => commands.Remote("list", "Lists the policies.", "fleet policy list",
        call => call.Display.List(
            call.Client.List("policies", ApiJson.Default.ListPagePolicyResource, null, call.Cancellation),
            ApiJson.Default.PolicyResource,
            "no policies; 'fleet policy apply --help' shows how a file looks",
            ["POLICY", "VERSION", "PRIORITY", "OFFICES", "LABELS", "SETTINGS", "APPLIED"],
            p => [p.Name, Words.Number(p.Version), Words.Number(p.Priority), p.Offices.Count == 0 ? "all" : Words.Many(p.Offices), Words.Labels(p.Labels),
                Words.Number(p.Settings.Count), Words.AtMinute(p.AppliedAt)]));

    private static Command Show(FleetCommands commands)
    {
        var name = Name();
        return commands.Remote("show", "Shows a policy.", "fleet policy show shops",
            async call =>
            {
                var policy = await call.Client.Get(Query.Path("policies", call.Value(name)), ApiJson.Default.PolicyResource, call.Cancellation).ConfigureAwait(false);
                call.Display.Show(policy, ApiJson.Default.PolicyResource, () =>
                {
                    call.Display.Facts(
                    [
                        ("policy", policy.Name),
                        ("version", $"{policy.Version}, applied {Words.At(policy.AppliedAt)} by {policy.AppliedBy}"),
                        ("offices", policy.Offices.Count == 0 ? "all" : Words.Many(policy.Offices)),
                        ("labels", policy.Labels.Count == 0 ? "any" : Words.Labels(policy.Labels)),
                        ("priority", Words.Number(policy.Priority)),
                    ]);
                    call.Display.Section("Settings", ["SETTING", "VALUE"], policy.Settings.OrderBy(s => s.Key, StringComparer.Ordinal).Select(IReadOnlyList<string> (s) => [s.Key, s.Value]));
                });
            },
            name);
    }

    private static Command Remove(FleetCommands commands)
    {
        var name = Name();
        return commands.Remote("remove", "Removes a policy; its settings go from the devices at their next sync.", "fleet policy remove shops",
            async call =>
            {
                await call.Client.Delete(Query.Path("policies", call.Value(name)), call.Cancellation).ConfigureAwait(false);
                call.Display.Removed("policy", call.Value(name));
            },
            name);
    }
}
