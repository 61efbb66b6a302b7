using Fleet.Updates.Tuf;
using Fleet.Updates.Tuf.Repository;

namespace Fleet.Updates.Tests.Tuf;

public sealed class DelegationWalkTests
{
    private static readonly SigningKey Key = SigningKey.NewEd25519();
    private static readonly Signers Anyone = new(new Dictionary<string, TufKey> { [Key.Id] = Key.Public }, 1);

    private readonly Dictionary<string, List<DelegatedRole>> _graph = [];
    private readonly Dictionary<string, TargetFile> _files = [];

    [Fact]
    public void Roles_are_asked_in_pre_order()
    {
        Delegate("targets", "A", "B");
        Delegate("A", "C", "D");

        Assert.Equal(["A", "C", "D", "B"], Walk("missing").Visited);
    }

    // CVE-2024-47534: go-tuf took the first level last to first.
    [Fact]
    public void The_first_role_that_lists_the_file_wins()
    {
        Delegate("targets", "A", "B");
        _files["A"] = new TargetFile("file", 1, ContentHashes.Of("a"u8));
        _files["B"] = new TargetFile("file", 2, ContentHashes.Of("b"u8));

        var (visited, found) = Walk("file");

        Assert.Equal(["A"], visited);
        Assert.Equal(1, found?.Length);
    }

    [Fact]
    public void After_a_terminating_role_only_its_own_delegates_are_asked()
    {
        Delegate("targets", "A", "B");
        Delegate("A", "!C", "D");
        Delegate("C", "E");

        Assert.Equal(["A", "C", "E"], Walk("missing").Visited);
    }

    [Fact]
    public void A_terminating_role_that_does_not_cover_the_path_ends_nothing()
    {
        _graph["targets"] = [new DelegatedRole("A", Anyone, Terminating: true, ["*.py"]), new DelegatedRole("B", Anyone, false, ["*"])];

        Assert.Equal(["B"], Walk("missing").Visited);
    }

    [Fact]
    public void Attack_13_a_cycle_ends()
    {
        Delegate("targets", "A", "B");
        Delegate("B", "C");
        Delegate("C", "D");
        Delegate("D", "B", "targets-again");

        Assert.Equal(["A", "B", "C", "D", "targets-again"], Walk("missing").Visited);
    }

    [Fact]
    public void Attack_13_every_role_of_the_chain_must_cover_the_path()
    {
        _graph["targets"] = [new DelegatedRole("A", Anyone, false, ["team/*"])];
        _graph["A"] = [new DelegatedRole("B", Anyone, false, ["*", "*/*"])];
        _files["B"] = new TargetFile("elsewhere", 1, ContentHashes.Of("x"u8));

        var (visited, found) = Walk("elsewhere");

        Assert.Empty(visited);
        Assert.Null(found);
        Assert.Equal(["A", "B"], Walk("team/missing").Visited);
    }

    [Fact]
    public void Attack_13_ten_thousand_roles_are_not_asked()
    {
        Delegate("targets", [.. Enumerable.Range(0, 10_000).Select(i => $"role{i}")]);

        var fault = Assert.Throws<TufException>(() => Walk("missing"));

        Assert.Equal(TufFault.TooMany, fault.Fault);
    }

    // "file" has the SHA-256 3b9c358f36f0a31b6ad3e14f309c7cf1....
    [Theory]
    [InlineData("3", true)]
    [InlineData("3b9c358f", true)]
    [InlineData("3B9C", false)]
    [InlineData("4", false)]
    public void Prefixes_of_the_paths_hash_delegate_too(string prefix, bool covers)
    {
        Assert.Equal(covers, new DelegatedRole("bin", Anyone, false, Paths: null, [prefix]).Covers("file"));
    }

    // TAP 15's own arithmetic: the first bits of the hash, as many digits as the highest number has.
    [Theory]
    [InlineData(1, "bin-0")]
    [InlineData(4, "bin-3")]
    [InlineData(5, "bin-07")]
    [InlineData(16, "bin-3b9c")]
    [InlineData(32, "bin-3b9c358f")]
    public void Succinct_roles_name_the_bin_by_the_first_bits(int bits, string name)
    {
        Assert.Equal(name, new SuccinctRoles(Anyone, bits, "bin").BinOf("file").Name);
    }

    private void Delegate(string delegator, params string[] roles) => _graph[delegator] =
        [.. roles.Select(r => new DelegatedRole(r.TrimStart('!'), Anyone, Terminating: r[0] == '!', ["*"]))];

    private (List<string> Visited, TargetFile? Found) Walk(string path)
    {
        var walk = new DelegationWalk<string>(path);
        var visited = new List<string>();
        walk.Visit("targets", Metadata("targets"));
        while (walk.Next() is { } step)
        {
            visited.Add(step.Role.Name);
            walk.Visit(step.Role.Name, Metadata(step.Role.Name));
        }

        return (visited, walk.Found);
    }

    private Targets Metadata(string role) => new(1, DateTimeOffset.MaxValue,
        _files.TryGetValue(role, out var file) ? new Dictionary<string, TargetFile> { [file.Path] = file } : [],
        _graph.TryGetValue(role, out var roles) ? new Delegations(roles) : null);
}
