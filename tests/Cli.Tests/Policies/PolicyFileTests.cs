using Fleet.Cli.Policies;

namespace Fleet.Cli.Tests.Policies;

public sealed class PolicyFileTests
{
    [Fact]
    public void A_whole_policy_is_read()
    {
        var policy = PolicyFile.Parse("""
            # Shops sync often.
            name: shops
            offices: [leeds, york]
            labels:
              room: shop
            priority: 10
            settings:
              sync.interval: 5m
              agent.gateway-only: true
              motd: "yes: really"
            """);

        Assert.Equal(("shops", 10), (policy.Name, policy.Priority));
        Assert.Equal(["leeds", "york"], policy.Offices);
        Assert.Equal("shop", policy.Labels!["room"]);
        Assert.Equal(("5m", "true", "yes: really"), (policy.Settings!["sync.interval"], policy.Settings["agent.gateway-only"], policy.Settings["motd"]));
    }

    [Fact]
    public void JSON_reads_as_well()
    {
        var policy = PolicyFile.Parse("""{ "name": "all", "settings": { "sync.interval": "30s" } }""");

        Assert.Equal(("all", "30s"), (policy.Name, policy.Settings!["sync.interval"]));
    }

    [Theory]
    [InlineData("name: a\nsettings:\n  x: 1\ncolour: red", 4, "'colour' is no key of a policy")]
    [InlineData("settings:\n  x: 1", 1, "name is missing")]
    [InlineData("name: a", 1, "has no settings")]
    [InlineData("name: a\nsettings: {}", 1, "has no settings")]
    [InlineData("name: a\npriority: high\nsettings:\n  x: 1", 2, "a whole number is wanted")]
    [InlineData("name: a\noffices: leeds\nsettings:\n  x: 1", 2, "a list is wanted")]
    [InlineData("name: a\nsettings:\n  x: [1]", 3, "a plain text is wanted")]
    [InlineData("- name: a", 1, "one mapping")]
    [InlineData("name: a\nsettings:\n  x: 1\n  x: 2", 4, "x")]
    public void What_is_wrong_is_told_with_its_line(string text, int line, string what)
    {
        using var file = new TempFile(text);

        var refused = Assert.Throws<CommandFailure>(() => PolicyFile.Read(file.Path));

        Assert.Equal(ExitCode.Usage, refused.Code);
        Assert.Contains($"line {line}:", refused.Message, StringComparison.Ordinal);
        Assert.Contains(what, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_file_is_told() =>
        Assert.Contains("can't be read", Assert.Throws<CommandFailure>(() => PolicyFile.Read("/nowhere/policy.yaml")).Message, StringComparison.Ordinal);

    private sealed class TempFile : IDisposable
    {
        public TempFile(string text) => File.WriteAllText(Path, text);

        public string Path { get; } = System.IO.Path.GetTempFileName();

        public void Dispose() => File.Delete(Path);
    }
}
