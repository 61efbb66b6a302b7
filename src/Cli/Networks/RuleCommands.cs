using System.CommandLine;
using Fleet.Cli.Connection;
using Fleet.Cli.Devices;
using Fleet.Cli.Output;
using Fleet.Contracts.Api;

namespace Fleet.Cli.Networks;

/// <summary><c>fleet rule</c>.</summary>
internal static class RuleCommands
{
    private const string Any = "any";

    public static Command Make(FleetCommands commands) => new("rule", "Placement rules: give labels and an office to devices that meet their conditions, in their order.")
    {
        Create(commands),
        List(commands),
        Show(commands),
        Move(commands),
        Switch(commands, "enable", "Turns a rule on.", enabled: true),
        Switch(commands, "disable", "Turns a rule off.", enabled: false),
        Remove(commands),
        Try(commands),
    };

    private static Argument<string> Name() => new("rule") { Description = "The rule's name." };

    private static Command Create(FleetCommands commands)
    {
        var name = Name();
        var addresses = Many("--address", "Address range it must be in; may repeat, and one of them must fit.", "RANGE");
        var names = Many("--name", "Pattern of its name or host name, such as 'till-*'; may repeat.", "PATTERN");
        var systems = Many("--os", "Pattern of its operating system; may repeat.", "PATTERN");
        var offices = Many("--in-office", "Office that it must be in; may repeat.", "OFFICE");
        var withLabels = LabelText.Pairs("--with-label", "Label that it must have; may repeat, and all must fit.");
        var vendors = Many("--vendor", "Pattern of its network card's vendor; may repeat.", "PATTERN");
        var agent = new Option<bool?>("--has-agent") { Description = "Only devices with an agent (true), or without (false)." };
        var mode = new Option<string>("--mode") { Description = "once (default), once-and-at-re-enrolment or continuous.", HelpName = "MODE", DefaultValueFactory = _ => "once" };
        mode.AcceptOnlyFromAmong("once", "once-and-at-re-enrolment", "continuous");
        var labels = LabelText.Pairs("--set-label", "Label that it gives; may repeat.");
        var to = new Option<string?>("--move-to") { Description = "Office to which it moves the device.", HelpName = "OFFICE" };
        var disabled = new Option<bool>("--disabled") { Description = "Leave it turned off." };
        return commands.Remote("create", "Creates a rule behind all others, or changes the one of this name.", """
            fleet rule create tills --name 'till-*' --address 192.168.1.0/24 --set-label room=shop
            fleet rule create printers --vendor 'Brother*' --has-agent false --move-to depot
            """,
            call => Shown(call, call.Client.Send(HttpMethod.Put, Query.Path("rules", call.Value(name)), new RuleResource(
                call.Value(name), !call.Value(disabled), call.Value(mode)!, call.Value(addresses), call.Value(names), call.Value(systems), call.Value(offices), LabelText.Read(call.Value(withLabels)), call.Value(vendors),
                call.Value(agent), LabelText.Read(call.Value(labels)), call.Value(to)), ApiJson.Default.RuleResource, ApiJson.Default.RuleResource, call.Cancellation)),
            name, addresses, names, systems, offices, withLabels, vendors, agent, mode, labels, to, disabled);
    }

    private static Command List(FleetCommands commands) => commands.Remote("list", "Lists the rules in their order.", "fleet rule list",
        call => call.Display.List(
            call.Client.List("rules", ApiJson.Default.ListPageRuleResource, null, call.Cancellation),
            ApiJson.Default.RuleResource,
            "no rules; 'fleet rule create --help' shows how to make one",
            ["RULE", "ON", "MODE", "WHERE", "GIVES"],
            r => [r.Name, r.Enabled ? "yes" : "no", r.Mode, Conditions(r), Gives(r)]));

    private static Command Show(FleetCommands commands)
    {
        var name = Name();
        return commands.Remote("show", "Shows a rule.", "fleet rule show tills",
            call => Shown(call, call.Client.Get(Query.Path("rules", call.Value(name)), ApiJson.Default.RuleResource, call.Cancellation)), name);
    }

    private static Command Move(FleetCommands commands)
    {
        var name = Name();
        var before = new Option<string?>("--before") { Description = "The rule that it comes before. Default: behind all.", HelpName = "RULE" };
        return commands.Remote("move", "Moves a rule in the order: where rules give the same label or an office, the earlier one has its way.", "fleet rule move tills --before printers",
            call => Shown(call, call.Client.Send(HttpMethod.Post, Query.Path("rules", call.Value(name), "/move"), new RuleMove(call.Value(before)), ApiJson.Default.RuleMove, ApiJson.Default.RuleResource, call.Cancellation)),
            name, before);
    }

    private static Command Switch(FleetCommands commands, string verb, string description, bool enabled)
    {
        var name = Name();
        return commands.Remote(verb, description, $"fleet rule {verb} tills",
            call => Shown(call, call.Client.Send(HttpMethod.Post, Query.Path("rules", call.Value(name), "/enabled"), new RuleSwitch(enabled), ApiJson.Default.RuleSwitch, ApiJson.Default.RuleResource, call.Cancellation)),
            name);
    }

    private static Command Remove(FleetCommands commands)
    {
        var name = Name();
        return commands.Remote("remove", "Removes a rule; what it gave stays.", "fleet rule remove tills",
            async call =>
            {
                await call.Client.Delete(Query.Path("rules", call.Value(name)), call.Cancellation).ConfigureAwait(false);
                call.Display.Removed("rule", call.Value(name));
            },
            name);
    }

    private static Command Try(FleetCommands commands)
    {
        var name = Name();
        return commands.Remote("try", "Lists the devices that a rule would touch now, also one that is turned off; changes nothing.", "fleet rule try tills",
            call => call.Display.List(Touched(call, call.Value(name)), ApiJson.Default.RuleTouchResource, "it would touch no device",
                ["NAME", "OFFICE", "AGENT", "LABELS", "MOVES TO", "ID"],
                t => [t.Name, t.Office, t.HasAgent ? "yes" : "no", Words.Labels(t.Labels), t.MovesTo ?? Words.None, t.Id]),
            name);
    }

    private static async IAsyncEnumerable<RuleTouchResource> Touched(RemoteCall call, string name)
    {
        string? after = null;
        do
        {
            var page = await call.Client.Post(Query.Of(Query.Path("rules", name, "/try"), ("page-size", Words.Number(PageSize.Max)), ("after", after)), ApiJson.Default.ListPageRuleTouchResource, call.Cancellation).ConfigureAwait(false);
            foreach (var touch in page.Items)
                yield return touch;
            after = page.Next;
        }
        while (after is not null);
    }

    private static async Task Shown(RemoteCall call, Task<RuleResource> asked)
    {
        var rule = await asked.ConfigureAwait(false);
        call.Display.Show(rule, ApiJson.Default.RuleResource, () => call.Display.Facts(
        [
            ("rule", rule.Name),
            ("on", rule.Enabled ? "yes" : "no"),
            ("acts", rule.Mode),
            ("where", Conditions(rule)),
            ("gives", Gives(rule)),
        ]));
    }

    private static string Conditions(RuleResource r)
    {
        string[] all =
        [
            Said("address", r.Addresses), Said("name", r.Names), Said("os", r.Systems), Said("office", r.InOffices), Said("vendor", r.Vendors),
            r.WithLabels is { Count: > 0 } labels ? $"label {Words.Labels(labels)}" : "", r.HasAgent is { } agent ? agent ? "with an agent" : "without an agent" : "",
        ];
        return string.Join(" and ", all.Where(c => c.Length > 0)) is { Length: > 0 } conditions ? conditions : Any;

        static string Said(string what, IReadOnlyList<string>? of) => of is { Count: > 0 } ? $"{what} {string.Join(" or ", of)}" : "";
    }

    private static string Gives(RuleResource r) => string.Join("; ", new[] { r.Labels is { Count: > 0 } labels ? Words.Labels(labels) : "", r.Office is { } office ? $"office {office}" : "" }.Where(g => g.Length > 0));

    private static Option<string[]> Many(string name, string description, string help) => new(name) { Description = description, HelpName = help };
}
