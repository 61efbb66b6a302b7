using System.Collections.Frozen;
using System.Security.Cryptography;
using Microsoft.Net.Http.Headers;

namespace Fleet.Headquarters.Console;

/// <summary>The console's style sheet, script and icon. They lie inside the program, so they are there wherever it runs.</summary>
internal static class ConsoleAssets
{
    private static readonly FrozenDictionary<string, Asset> All = new (string Name, string Type)[]
    {
        ("console.css", "text/css"),
        ("console.js", "text/javascript"),
        ("favicon.svg", "image/svg+xml"),
    }.Select(a => Load(a.Name, a.Type)).ToFrozenDictionary(a => a.Name);

    /// <summary>Where an asset is fetched. The mark changes with the content, so browsers may keep it for good.</summary>
    public static string Address(string name) => $"/assets/{name}?v={All[name].Mark}";

    public static void MapAssets(this IEndpointRouteBuilder host) => host.MapGet("/assets/{name}", (string name, HttpContext http) =>
    {
        if (!All.TryGetValue(name, out var asset))
            return Results.NotFound();
        http.Response.Headers.CacheControl = "public, max-age=31536000, immutable";
        return Results.Bytes(asset.Content, asset.Type, entityTag: new EntityTagHeaderValue($"\"{asset.Mark}\""));
    });

    private static Asset Load(string name, string type)
    {
        using var stream = typeof(ConsoleAssets).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"the program was built without {name}");
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        return new Asset(name, type, content, Convert.ToHexStringLower(SHA256.HashData(content))[..16]);
    }

    private sealed record Asset(string Name, string Type, byte[] Content, string Mark);
}
