using System.Globalization;
using System.Text.Json;

namespace Fleet.Updates.Tuf;

/// <summary>
/// What the signed part of a metadata file says (specification 1.0.34, 4). Unknown fields are passed over here; the signature covers them. Every
/// method throws <see cref="FormatException"/> with what is wrong.
/// </summary>
internal static class MetadataReader
{
    /// <summary>The only form that the specification allows.</summary>
    public const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss'Z'";

    private const string SupportedMajor = "1";
    private const int MaxKeyIdLength = 128;

    public static Root Root(JsonElement signed)
    {
        var (version, expires) = Header(signed, RoleNames.Root);
        var keys = Keys(signed);
        var roles = signed.Field("roles", JsonValueKind.Object);
        return new Root(version, expires, signed.OptionalFlag("consistent_snapshot") ?? false,
            RoleNames.TopLevel.ToDictionary(role => role, role => Signers(roles.Field(role, JsonValueKind.Object), keys)));
    }

    public static Timestamp Timestamp(JsonElement signed)
    {
        var (version, expires) = Header(signed, RoleNames.Timestamp);
        var meta = signed.Field("meta", JsonValueKind.Object);
        return new Timestamp(version, expires, MetaFile(meta.Field(Tuf.Snapshot.FileOf(RoleNames.Snapshot), JsonValueKind.Object)));
    }

    public static Snapshot Snapshot(JsonElement signed)
    {
        var (version, expires) = Header(signed, RoleNames.Snapshot);
        var files = signed.Field("meta", JsonValueKind.Object).EnumerateObject();
        return new Snapshot(version, expires, files.ToDictionary(f => f.Name, f => MetaFile(f.Value), StringComparer.Ordinal));
    }

    public static Targets Targets(JsonElement signed)
    {
        var (version, expires) = Header(signed, RoleNames.Targets);
        var files = signed.Field("targets", JsonValueKind.Object).EnumerateObject();
        return new Targets(version, expires, files.ToDictionary(f => f.Name, f => TargetFile(f.Name, f.Value), StringComparer.Ordinal),
            signed.Optional("delegations", JsonValueKind.Object) is { } delegations ? Delegations(delegations) : null);
    }

    private static (long Version, DateTimeOffset Expires) Header(JsonElement signed, string type)
    {
        if (signed.Text("_type") is var found && found != type)
            throw new FormatException($"metadata of type '{found}' and not '{type}'");
        if (signed.Text("spec_version") is var spec && spec.Split('.')[0] != SupportedMajor)
            throw new FormatException($"specification {spec}; this client knows {SupportedMajor}.x");
        var expires = signed.Text("expires");
        if (!DateTimeOffset.TryParseExact(expires, TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time))
            throw new FormatException($"'expires' is '{expires}'");
        return (signed.Whole("version", least: 1), time);
    }

    private static Dictionary<string, TufKey> Keys(JsonElement parent) =>
        parent.Field("keys", JsonValueKind.Object).EnumerateObject().ToDictionary(k => KeyId(k.Name), k => Key(k.Value), StringComparer.Ordinal);

    private static TufKey Key(JsonElement key) =>
        new(key.Text("keytype"), key.Text("scheme"), key.Field("keyval", JsonValueKind.Object).Text("public"));

    private static string KeyId(string id) =>
        id.Length is > 0 and <= MaxKeyIdLength ? id : throw new FormatException($"a key id of {id.Length} characters");

    // A key id without a key is no fault (the other keys may suffice); one listed twice is.
    private static Signers Signers(JsonElement role, Dictionary<string, TufKey> keys)
    {
        var ids = role.Texts("keyids");
        if (ids.Distinct(StringComparer.Ordinal).Count() != ids.Count)
            throw new FormatException("a key id is listed twice");
        var threshold = (int)Math.Min(role.Whole("threshold", least: 1), int.MaxValue);
        return new Signers(ids.Where(keys.ContainsKey).ToDictionary(id => id, id => keys[id], StringComparer.Ordinal), threshold);
    }

    private static MetaFile MetaFile(JsonElement file) => new(file.Whole("version", least: 1), file.OptionalWhole("length", least: 0),
        file.Optional("hashes", JsonValueKind.Object) is { } hashes ? Hashes(hashes) : null);

    private static TargetFile TargetFile(string path, JsonElement file) => new(path, file.Whole("length", least: 0),
        Hashes(file.Field("hashes", JsonValueKind.Object)), file.TryGetProperty("custom", out var custom) ? custom : null);

    private static ContentHashes Hashes(JsonElement hashes)
    {
        var byAlgorithm = hashes.EnumerateObject().ToDictionary(h => h.Name, h => hashes.Text(h.Name), StringComparer.Ordinal);
        // The hash becomes part of file names, so it is one or nothing.
        if (new ContentHashes(byAlgorithm).Naming is { } name && !name.All(char.IsAsciiHexDigit))
            throw new FormatException("a hash is not hexadecimal");
        return new ContentHashes(byAlgorithm);
    }

    private static Delegations Delegations(JsonElement delegations)
    {
        var keys = Keys(delegations);
        if (delegations.Optional("succinct_roles", JsonValueKind.Object) is { } succinct)
        {
            var bits = succinct.Whole("bit_length", least: 1);
            if (bits > 32 || delegations.TryGetProperty("roles", out _))
                throw new FormatException("'succinct_roles' with more than 32 bits, or beside 'roles'");
            return new Delegations([], new SuccinctRoles(Signers(succinct, keys), (int)bits, RoleName(succinct.Text("name_prefix"))));
        }

        var roles = delegations.Field("roles", JsonValueKind.Array).EnumerateArray().Select(r => DelegatedRole(r, keys)).ToList();
        return roles.DistinctBy(r => r.Name, StringComparer.Ordinal).Count() == roles.Count
            ? new Delegations(roles)
            : throw new FormatException("two delegations to roles of one name");
    }

    private static DelegatedRole DelegatedRole(JsonElement role, Dictionary<string, TufKey> keys)
    {
        var paths = role.OptionalTexts("paths");
        var prefixes = role.OptionalTexts("path_hash_prefixes");
        if ((paths is null) == (prefixes is null))
            throw new FormatException("a delegation needs either 'paths' or 'path_hash_prefixes'");
        return new DelegatedRole(RoleName(role.Text("name")), Signers(role, keys), role.Flag("terminating"), paths, prefixes);
    }

    private static string RoleName(string name) => name.Length > 0 && !RoleNames.TopLevel.Contains(name, StringComparer.Ordinal)
        ? name
        : throw new FormatException($"a delegation to '{name}'");
}
