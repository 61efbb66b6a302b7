using System.CommandLine;
using Fleet.Cli.Networks;
using Fleet.Contracts.Api;

namespace Fleet.Cli.Updates;

/// <summary>The options of how a source with a URL is asked.</summary>
internal sealed class SourceAccess
{
    private readonly Option<string?> _proxy = new("--proxy") { Description = "HTTP proxy to the source with a URL. Default: the node's own settings.", HelpName = "http://HOST:PORT" };
    private readonly Option<string?> _user = new("--user") { Description = "Who asks the source with a URL.", HelpName = "USER" };
    private readonly Option<string?> _password = new("--password") { Description = "Its password, as @FILE. The distribution points alone can read it. Default: the one that is kept.", HelpName = "@FILE" };
    private readonly Option<string?> _pin = new("--pin") { Description = "SHA-256 of the public key of the source's server: no other is accepted.", HelpName = "HEX" };

    public IEnumerable<Option> All => [_proxy, _user, _password, _pin];

    public IReadOnlyList<DownloadSource> Of(RemoteCall call, IReadOnlyList<string> sources)
    {
        var given = new DownloadSource("", call.Value(_proxy), call.Value(_user), SecretFile.Read(call.Value(_password), "--password"), call.Value(_pin));
        if (given != new DownloadSource("") && sources.Count(IsUrl) != 1)
            throw CommandFailure.Usage("--proxy, --user, --password and --pin are of one source with a URL");
        return [.. sources.Select(s => IsUrl(s) ? given with { From = s } : new DownloadSource(s))];
    }

    private static bool IsUrl(string source) => source.Contains("://", StringComparison.Ordinal);
}
