using System.CommandLine;
using Fleet.Cli.Connection;
using Fleet.Cli.Output;
using Fleet.Contracts.Api;

namespace Fleet.Cli.Incidents;

/// <summary><c>fleet incident</c>.</summary>
internal static class IncidentCommands
{
    public static Command Make(FleetCommands commands) => new("incident", "What went wrong: each thing once, however much hangs on it.") { List(commands) };

    private static Command List(FleetCommands commands)
    {
        var office = new Option<string?>("--office") { Description = "Incidents of this office alone.", HelpName = "OFFICE" };
        var all = new Option<bool>("--all") { Description = "Also those that are over; they are kept for 90 days." };
        return commands.Remote("list", "Lists what went wrong and goes on for more than 30 s.", "fleet incident list --office leeds --all",
            call => call.Display.List(
                call.Client.List(Query.Of("incidents", ("office", call.Value(office)), ("all", call.Value(all) ? "true" : null)), ApiJson.Default.ListPageIncidentResource, null, call.Cancellation),
                ApiJson.Default.IncidentResource,
                "no incidents",
                ["SINCE", "WHAT", "FOR", "DEVICES", "WHY"],
                i => [Words.AtMinute(i.OpenedAt), $"{i.Subject} is down", Words.Length((i.ClosedAt ?? call.Terminal.Clock.GetUtcNow()) - i.OpenedAt) + (i.ClosedAt is null ? "" : ", over"),
                    Words.Number(i.Devices), i.Why]),
            office, all);
    }
}
