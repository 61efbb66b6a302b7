using System.CommandLine;
using Fleet.Cli.Connection;
using Fleet.Cli.Output;
using Fleet.Contracts;
using Fleet.Contracts.Api;

namespace Fleet.Cli.Tokens;

/// <summary><c>fleet token</c>.</summary>
internal static class TokenCommands
{
    public static Command Make(FleetCommands commands) => new("token", "Join tokens: the short-lived secrets with which office nodes and agents enrol.")
    {
        Create(commands),
        List(commands),
        Revoke(commands),
    };

    private static Command Create(FleetCommands commands)
    {
        var office = new Option<string>("--office") { Description = "The office that may be joined.", HelpName = "OFFICE", Required = true };
        var kind = new Option<string>("--kind") { Description = "Who may join: an office node or an agent.", Required = true };
        kind.AcceptOnlyFromAmong("node", "agent");
        var uses = new Option<int>("--uses") { Description = "How many may join with it.", HelpName = "N", DefaultValueFactory = _ => 1 };
        uses.Validators.Add(given =>
        {
            if (given.GetValueOrDefault<int>() < 1)
                given.AddError("--uses must be at least 1");
        });
        var ttl = new Option<string>("--ttl") { Description = "How long it may be used: a number and s, m, h or d.", HelpName = "TIME", DefaultValueFactory = _ => "24h" };
        ttl.Validators.Add(given =>
        {
            if (!DurationText.TryParse(given.GetValueOrDefault<string>() ?? "", out _))
                given.AddError("--ttl must be a duration such as 30m, 24h or 7d");
        });
        return commands.Remote("create", "Makes a join token and prints it; it is shown this once.", """
            fleet token create --office leeds --kind node
            fleet token create --office leeds --kind agent --uses 50 --ttl 7d
            """,
            async call =>
            {
                var made = await call.Client.Send(HttpMethod.Post, "tokens",
                    new NewToken(call.Value(office)!, call.Value(kind)!, call.Value(uses), call.Value(ttl)!),
                    ApiJson.Default.NewToken, ApiJson.Default.CreatedToken, call.Cancellation).ConfigureAwait(false);
                call.Display.Show(made, ApiJson.Default.CreatedToken, () =>
                {
                    // The token alone on standard output, so that $(fleet token create …) is the token.
                    call.Display.Say(made.Text);
                    call.Terminal.Error.WriteLine($"token {made.Id} for {made.Kind} of {made.Office}, until {Words.At(made.ExpiresAt)}; it is shown this once");
                });
            },
            office, kind, uses, ttl);
    }

    private static Command List(FleetCommands commands)
    {
        var office = new Option<string?>("--office") { Description = "Tokens of this office alone.", HelpName = "OFFICE" };
        var all = new Option<bool>("--all") { Description = "Also spent, expired and revoked ones." };
        return commands.Remote("list", "Lists the join tokens that can be used.", "fleet token list --office leeds --all",
            call => call.Display.List(
                call.Client.List(Query.Of("tokens", ("office", call.Value(office)), ("usable", call.Value(all) ? null : "true")), ApiJson.Default.ListPageTokenResource, null, call.Cancellation),
                ApiJson.Default.TokenResource,
                "no usable tokens; make one: fleet token create --office OFFICE --kind node|agent",
                ["TOKEN", "OFFICE", "KIND", "STATE", "USED", "EXPIRES"],
                t => [t.Id, t.Office, t.Kind, t.State, $"{t.Used} of {t.Uses}", Words.AtMinute(t.ExpiresAt)]),
            office, all);
    }

    private static Command Revoke(FleetCommands commands)
    {
        var id = new Argument<string>("token") { Description = "The token's id, as 'fleet token list' shows it (not the secret text)." };
        return commands.Remote("revoke", "Revokes a join token: nobody can join with it any more.", "fleet token revoke t-5c2e83e04ca93df753e2",
            async call =>
            {
                await call.Client.Delete(Query.Path("tokens", call.Value(id)), call.Cancellation).ConfigureAwait(false);
                call.Display.Removed("token", call.Value(id), "revoked");
            },
            id);
    }
}
