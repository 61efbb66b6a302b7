using System.CommandLine;
using Fleet.Contracts.Api;
using Spectre.Console;

namespace Fleet.Cli.Connection;

/// <summary><c>fleet login</c>: tries an address and a token, and keeps them.</summary>
internal static class LoginCommand
{
    public static Command Make(FleetCommands commands) => commands.Local("login", "Checks an address and a token against headquarters and keeps both for later calls, readable by you alone.", "fleet login --url https://hq.example.com:8443 --token @/var/lib/fleet-hq/admin.token",
        async (parsed, cancellation) =>
        {
            var terminal = commands.Terminal;
            var (url, token) = commands.Connection(parsed);
            url ??= terminal.Variable(ConnectionSettings.UrlVariable) ?? Ask(terminal, "Address of headquarters (https://HOST:8443):", secret: false);
            token ??= terminal.Variable(ConnectionSettings.TokenVariable) ?? Ask(terminal, "Administrator token (from admin.token, or @FILE):", secret: true);
            var settings = new ConnectionSettings(ConnectionSettings.ReadUrl(url), ConnectionSettings.ReadToken(token));
            using var client = new FleetClient(settings, terminal.Clock);
            var status = await client.Get("status", ApiJson.Default.StatusResource, cancellation).ConfigureAwait(false);
            var path = new LoginFile(settings.Url.GetLeftPart(UriPartial.Authority), settings.Token.ToText()).Save(terminal.ConfigDirectory);
            var display = commands.Show(parsed);
            display.Show(status, ApiJson.Default.StatusResource,
                () => display.Say($"logged in to headquarters {status.Version} at {settings.Url.Authority}; kept in {path}"));
        });

    private static string Ask(Terminal terminal, string question, bool secret)
    {
        if (!terminal.IsInteractive)
            throw CommandFailure.Usage("say --url and --token; nobody is here to be asked");
        var prompt = new TextPrompt<string>(question);
        return terminal.Drawing().Prompt(secret ? prompt.Secret() : prompt);
    }
}
