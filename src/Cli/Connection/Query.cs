namespace Fleet.Cli.Connection;

/// <summary>Writes addresses of the API.</summary>
internal static class Query
{
    /// <summary>A path and its parameters; absent ones are left out.</summary>
    public static string Of(string path, params IEnumerable<(string Name, string? Value)> parameters)
    {
        var query = string.Join('&', parameters.Where(p => p.Value is not null).Select(p => $"{p.Name}={Uri.EscapeDataString(p.Value!)}"));
        return query.Length == 0 ? path : $"{path}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}{query}";
    }

    /// <summary>A path whose last part was typed by somebody.</summary>
    public static string Path(string collection, string id, string rest = "") => $"{collection}/{Uri.EscapeDataString(id)}{rest}";
}
