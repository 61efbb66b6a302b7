using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Fleet.Updates.Tuf.Repository;

/// <summary>The signed part of metadata files, as <see cref="MetadataReader"/> reads it.</summary>
public static class MetadataWriter
{
    private const string SpecificationVersion = "1.0.34";

    /// <summary>The hexadecimal SHA-256 of the key's canonical form, as the reference tools name keys.</summary>
    public static string IdOf(TufKey key) =>
        Convert.ToHexStringLower(SHA256.HashData(CanonicalJson.Of(JsonElement.Parse(Key(key).ToJsonString()))));

    public static JsonObject Json(Metadata metadata) => metadata switch
    {
        Root root => Json(root),
        Timestamp timestamp => Header(timestamp, RoleNames.Timestamp, ("meta", Files([new(Snapshot.FileOf(RoleNames.Snapshot), timestamp.Snapshot)]))),
        Snapshot snapshot => Header(snapshot, RoleNames.Snapshot, ("meta", Files(snapshot.Files))),
        Targets { Delegations: { } delegations } targets =>
            Header(targets, RoleNames.Targets, ("targets", Object(targets.Files, File)), ("delegations", Json(delegations))),
        Targets targets => Header(targets, RoleNames.Targets, ("targets", Object(targets.Files, File))),
        _ => throw new NotSupportedException(metadata.GetType().Name),
    };

    private static JsonObject Json(Root root) => Header(root, RoleNames.Root,
        ("consistent_snapshot", root.ConsistentSnapshot), ("keys", Keys(root.Roles.Values)), ("roles", Object(root.Roles, Role)));

    private static JsonObject Json(Delegations delegations)
    {
        if (delegations.Succinct is not { } succinct)
            return new JsonObject { ["keys"] = Keys(delegations.Roles.Select(r => r.Signers)), ["roles"] = Array(delegations.Roles.Select(Role)) };
        var bins = Role(succinct.Signers);
        bins["bit_length"] = succinct.BitLength;
        bins["name_prefix"] = succinct.NamePrefix;
        return new JsonObject { ["keys"] = Keys([succinct.Signers]), ["succinct_roles"] = bins };
    }

    private static JsonObject Header(Metadata metadata, string type, params IEnumerable<(string Name, JsonNode? Value)> rest)
    {
        var json = new JsonObject
        {
            ["_type"] = type,
            ["spec_version"] = SpecificationVersion,
            ["version"] = metadata.Version,
            ["expires"] = metadata.Expires.UtcDateTime.ToString(MetadataReader.TimeFormat, CultureInfo.InvariantCulture),
        };
        foreach (var (name, value) in rest)
            json[name] = value;
        return json;
    }

    private static JsonObject Keys(IEnumerable<Signers> roles) =>
        Object(roles.SelectMany(r => r.Keys).DistinctBy(k => k.Key, StringComparer.Ordinal), Key);

    private static JsonObject Key(TufKey key) =>
        new() { ["keytype"] = key.Type, ["scheme"] = key.Scheme, ["keyval"] = new JsonObject { ["public"] = key.Public } };

    private static JsonObject Role(Signers signers) =>
        new() { ["keyids"] = Array(signers.Keys.Keys.Select(Text)), ["threshold"] = signers.Threshold };

    private static JsonObject Role(DelegatedRole role)
    {
        var json = Role(role.Signers);
        json["name"] = role.Name;
        json["terminating"] = role.Terminating;
        json[role.Paths is null ? "path_hash_prefixes" : "paths"] = Array((role.Paths ?? role.HashPrefixes)!.Select(Text));
        return json;
    }

    private static JsonObject Files(IEnumerable<KeyValuePair<string, MetaFile>> files) => Object(files, file =>
    {
        var json = new JsonObject { ["version"] = file.Version };
        if (file.Length is { } length)
            json["length"] = length;
        if (file.Hashes is { } hashes)
            json["hashes"] = Object(hashes.ByAlgorithm, Text);
        return json;
    });

    private static JsonObject File(TargetFile file)
    {
        var json = new JsonObject { ["length"] = file.Length, ["hashes"] = Object(file.Hashes.ByAlgorithm, Text) };
        if (file.Custom is { } custom)
            json["custom"] = JsonNode.Parse(custom.GetRawText());
        return json;
    }

    private static JsonValue Text(string text) => JsonValue.Create(text);

    private static JsonArray Array(IEnumerable<JsonNode> items) => [.. items];

    private static JsonObject Object<T>(IEnumerable<KeyValuePair<string, T>> members, Func<T, JsonNode> json) =>
        [.. members.Select(m => KeyValuePair.Create(m.Key, (JsonNode?)json(m.Value)))];
}
