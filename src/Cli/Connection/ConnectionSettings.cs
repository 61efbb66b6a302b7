using Fleet.Contracts;

namespace Fleet.Cli.Connection;

/// <summary>Where headquarters is, and who asks.</summary>
internal sealed record ConnectionSettings(Uri Url, AdminToken Token)
{
    public const string UrlVariable = "FLEET_URL";
    public const string TokenVariable = "FLEET_TOKEN";

    /// <summary>Options before environment before <c>fleet login</c>; address and token may come from different ones.</summary>
    /// <exception cref="CommandFailure">Missing or malformed.</exception>
    public static ConnectionSettings Resolve(string? url, string? token, Terminal terminal)
    {
        url ??= terminal.Variable(UrlVariable) is { Length: > 0 } setUrl ? setUrl : null;
        token ??= terminal.Variable(TokenVariable) is { Length: > 0 } setToken ? setToken : null;
        var kept = url is null || token is null ? LoginFile.Load(terminal.ConfigDirectory) : null;
        url ??= kept?.Url ?? throw CommandFailure.Usage($"where is headquarters? Say --url https://HOST:8443, set {UrlVariable}, or run 'fleet login'");
        token ??= kept?.Token ?? throw CommandFailure.Usage($"who are you? Say --token @FILE (headquarters' admin.token), set {TokenVariable}, or run 'fleet login'");
        return new ConnectionSettings(ReadUrl(url), ReadToken(token));
    }

    public static Uri ReadUrl(string text)
    {
        var whole = text.Contains("://", StringComparison.Ordinal) ? text : "https://" + text;
        if (!Uri.TryCreate(whole, UriKind.Absolute, out var url) || url.Scheme != Uri.UriSchemeHttps)
            throw CommandFailure.Usage($"'{text}' is no address of headquarters; it reads https://HOST:8443");
        return new Uri(url.GetLeftPart(UriPartial.Authority));
    }

    /// <summary>Reads the token's text, or the file that <c>@FILE</c> names.</summary>
    public static AdminToken ReadToken(string text)
    {
        var source = text;
        try
        {
            if (text.StartsWith('@'))
                source = File.ReadAllText(text[1..]);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure($"the token file {text[1..]} can't be read: {fault.Message}");
        }

        return AdminToken.TryParse(source, out var token, out var problem) ? token : throw CommandFailure.Usage(problem);
    }
}
