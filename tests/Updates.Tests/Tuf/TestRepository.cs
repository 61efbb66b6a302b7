using System.Text.Json.Nodes;
using Fleet.Updates.Tuf;
using Fleet.Updates.Tuf.Repository;

namespace Fleet.Updates.Tests.Tuf;

/// <summary>
/// A repository in memory that also publishes what no honest one would. The state is in plain sight: change it, then <see cref="Publish"/> the roles
/// that should show it; versions go up by themselves.
/// </summary>
internal sealed class TestRepository
{
    public static readonly DateTimeOffset Noon = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);

    private static readonly DateTimeOffset Later = Noon.AddDays(30);

    public TestRepository()
    {
        Root = new Root(0, Later, ConsistentSnapshot: true, RoleNames.TopLevel.ToDictionary(r => r, r => Signers(Keys[r])));
        Publish("root", "targets", "snapshot", "timestamp");
    }

    /// <summary>Who signs each role.</summary>
    public Dictionary<string, List<SigningKey>> Keys { get; } =
        RoleNames.TopLevel.ToDictionary(r => r, _ => new List<SigningKey> { SigningKey.NewEd25519() });

    public Root Root { get; set; }

    public Timestamp Timestamp { get; set; } = new(0, Later, new MetaFile(1));

    public Snapshot Snapshot { get; set; } = new(0, Later, new Dictionary<string, MetaFile>());

    /// <summary>The top-level targets and the delegated roles by name.</summary>
    public Dictionary<string, Targets> Roles { get; } = new() { ["targets"] = new Targets(0, Later, new Dictionary<string, TargetFile>(), null) };

    /// <summary>The served files by path; what is put in here by hand is what a lying mirror does.</summary>
    public Dictionary<string, byte[]> Files { get; } = [];

    /// <summary>Whether promises of metadata files carry lengths and hashes.</summary>
    public bool Promises { get; set; } = true;

    public static Signers Signers(IEnumerable<SigningKey> keys, int threshold = 1) => new(keys.ToDictionary(k => k.Id, k => k.Public), threshold);

    /// <summary>Signs with whatever keys are given, whether or not they are the role's.</summary>
    public static byte[] Sign(Metadata metadata, params IEnumerable<SigningKey> keys) => MetadataDocument.Sign(MetadataDocument.Unsigned(metadata), keys);

    /// <summary>The same after somebody changed the JSON of the signed part, signed anew.</summary>
    public static byte[] Sign(Metadata metadata, Action<JsonObject> change, params IEnumerable<SigningKey> keys)
    {
        var json = MetadataWriter.Json(metadata);
        change(json);
        return MetadataDocument.Sign(MetadataDocument.Unsigned(json), keys);
    }

    public byte[] Current(string role) => Files[FileOf(role, VersionOf(role))];

    public void Publish(params string[] roles)
    {
        foreach (var role in roles)
        {
            switch (role)
            {
                case "root":
                    Serve(role, Root = Root with { Version = Root.Version + 1 });
                    break;
                case "timestamp":
                    Serve(role, Timestamp = Timestamp with { Version = Timestamp.Version + 1 });
                    break;
                case "snapshot":
                    var bytes = Serve(role, Snapshot = Snapshot with { Version = Snapshot.Version + 1 });
                    Timestamp = Timestamp with { Snapshot = Promise(Snapshot.Version, bytes) };
                    break;
                default:
                    var targets = Serve(role, Roles[role] = Roles[role] with { Version = Roles[role].Version + 1 });
                    SetSnapshotFile(role, Promise(Roles[role].Version, targets));
                    break;
            }
        }
    }

    public void SetSnapshotFile(string role, MetaFile? file)
    {
        var files = Snapshot.Files.Where(f => f.Key != Snapshot.FileOf(role)).ToDictionary();
        if (file is not null)
            files[Snapshot.FileOf(role)] = file;
        Snapshot = Snapshot with { Files = files };
    }

    public void SetSigners(string role, Signers signers) =>
        Root = Root with { Roles = Root.Roles.Where(r => r.Key != role).Append(new(role, signers)).ToDictionary() };

    /// <summary>Gives the role new keys and takes the old ones away.</summary>
    public void Rotate(string role)
    {
        Keys[role] = [SigningKey.NewEd25519()];
        SetSigners(role, Signers(Keys[role]));
    }

    public void SetVersion(string role, long version)
    {
        switch (role)
        {
            case "root": Root = Root with { Version = version }; break;
            case "timestamp": Timestamp = Timestamp with { Version = version }; break;
            case "snapshot": Snapshot = Snapshot with { Version = version }; break;
            default: Roles[role] = Roles[role] with { Version = version }; break;
        }
    }

    public void SetExpiry(string role, DateTimeOffset expires)
    {
        switch (role)
        {
            case "root": Root = Root with { Expires = expires }; break;
            case "timestamp": Timestamp = Timestamp with { Expires = expires }; break;
            case "snapshot": Snapshot = Snapshot with { Expires = expires }; break;
            default: Roles[role] = Roles[role] with { Expires = expires }; break;
        }
    }

    /// <summary>Adds a file to a role and serves its content.</summary>
    public TargetFile AddTarget(string path, byte[] content, string role = "targets")
    {
        var file = new TargetFile(path, content.Length, ContentHashes.Of(content));
        Roles[role] = Roles[role] with { Files = Roles[role].Files.Where(f => f.Key != path).Append(new(path, file)).ToDictionary() };
        var slash = path.LastIndexOf('/') + 1;
        Files[$"targets/{path[..slash]}{file.Hashes.Naming}.{path[slash..]}"] = content;
        return file;
    }

    /// <summary>Lets <paramref name="delegator"/> delegate to a role, which is made where it is not there yet, with a key of its own.</summary>
    public void Delegate(string delegator, string role, string[] paths, IEnumerable<SigningKey>? keys = null)
    {
        if (Roles.TryAdd(role, new Targets(0, Later, new Dictionary<string, TargetFile>(), null)))
            Keys[role] = [SigningKey.NewEd25519()];
        var delegated = new DelegatedRole(role, Signers(keys ?? Keys[role]), Terminating: false, paths);
        Roles[delegator] = Roles[delegator] with { Delegations = new Delegations([.. Roles[delegator].Delegations?.Roles ?? [], delegated]) };
    }

    private static string FileOf(string role, long version) =>
        role == "timestamp" ? "metadata/timestamp.json" : $"metadata/{version}.{Uri.EscapeDataString(role)}.json";

    private long VersionOf(string role) => role switch
    {
        "root" => Root.Version,
        "timestamp" => Timestamp.Version,
        "snapshot" => Snapshot.Version,
        _ => Roles[role].Version,
    };

    private byte[] Serve(string role, Metadata metadata) => Files[FileOf(role, metadata.Version)] = Sign(metadata, Keys[role]);

    private MetaFile Promise(long version, byte[] bytes) => Promises ? new MetaFile(version, bytes.Length, ContentHashes.Of(bytes)) : new MetaFile(version);
}
