using Fleet.Messages.Settings;

namespace Fleet.Messages.Tests.Settings;

public sealed class SettingsLayersTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("fleet-settings-").FullName;
    private readonly Problems _problems = new();

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Shipped_files_give_every_key_its_default()
    {
        var fleet = Load().Fleet;

        Assert.Equal(TimeSpan.FromSeconds(3), _problems.Positive(fleet, "link.ping-interval"));
        Assert.Empty(_problems.All);
    }

    [Fact]
    public void The_administrators_file_wins_over_the_shipped_ones_and_leaves_the_rest()
    {
        var file = File("fleet.link.ping-interval = 1s");

        var fleet = Load(file).Fleet;

        Assert.Equal(TimeSpan.FromSeconds(1), fleet.GetTimeSpan("link.ping-interval"));
        Assert.Equal(TimeSpan.FromSeconds(9), fleet.GetTimeSpan("link.lease"));
    }

    [Fact]
    public void The_environment_wins_over_the_file_and_the_command_line_over_both()
    {
        var file = File("fleet.link { ping-interval = 1s, lease = 30s }");

        var fleet = Load(file, ["link.lease=50s"], ("FLEET_LINK_PING_INTERVAL", "2s"), ("FLEET_LINK_LEASE", "40s")).Fleet;

        Assert.Equal(TimeSpan.FromSeconds(2), fleet.GetTimeSpan("link.ping-interval"));
        Assert.Equal(TimeSpan.FromSeconds(50), fleet.GetTimeSpan("link.lease"));
    }

    [Fact]
    public void A_set_may_name_its_key_with_or_without_fleet_in_front()
    {
        var fleet = Load(null, ["link.lease=20s", "fleet.link.ping-interval=4s"]).Fleet;

        Assert.Equal(TimeSpan.FromSeconds(20), fleet.GetTimeSpan("link.lease"));
        Assert.Equal(TimeSpan.FromSeconds(4), fleet.GetTimeSpan("link.ping-interval"));
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("with \"quotes\" and a \\ backslash")]
    [InlineData("a=b, {c} # d $e")]
    public void A_set_takes_its_value_as_one_text(string value)
    {
        var fleet = Load(null, [$"gateway.bind={value}"]).Fleet;

        Assert.Equal(value, fleet.GetString("gateway.bind"));
        Assert.Empty(_problems.All);
    }

    [Fact]
    public void Unknown_keys_are_all_named_with_where_they_came_from()
    {
        var file = File("""
            fleet.link.ping-intervall = 1s
            fleet.nonsense { deep = 1 }
            """);

        Load(file, ["link.leese=5s"]);

        Assert.Equal(3, _problems.All.Count);
        Assert.Contains(_problems.All, p => p.StartsWith("fleet.link.ping-intervall:", StringComparison.Ordinal) && p.Contains(file, StringComparison.Ordinal));
        Assert.Contains(_problems.All, p => p.StartsWith("fleet.nonsense.deep:", StringComparison.Ordinal));
        Assert.Contains(_problems.All, p => p.StartsWith("fleet.link.leese:", StringComparison.Ordinal) && p.Contains("--set", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("fleet { link { ping-interval = 1s")]
    [InlineData("fleet.link.ping-interval = \"1s")]
    [InlineData("}")]
    [InlineData("fleet { list = [1, 2 }")]
    public void Malformed_HOCON_is_one_clear_problem(string text)
    {
        var file = File(text);

        Load(file);

        Assert.Contains($"{file}: is not valid HOCON", Assert.Single(_problems.All), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("# a comment with { and \"\nfleet.link.lease = 20s")]
    [InlineData("// another } one\nfleet.link.lease = 20s")]
    [InlineData("fleet.link { lease = 20s } # behind {")]
    [InlineData("fleet.gateway.bind = \"a text with { and \\\" in it\"\nfleet.link.lease = 20s")]
    [InlineData("fleet.gateway.bind = \"\"\"one { \" \n two\"\"\"\nfleet.link.lease = 20s")]
    public void Brackets_and_quotes_in_comments_and_texts_are_no_syntax(string text)
    {
        var fleet = Load(File(text)).Fleet;

        Assert.Empty(_problems.All);
        Assert.Equal(TimeSpan.FromSeconds(20), fleet.GetTimeSpan("link.lease"));
    }

    [Fact]
    public void A_missing_file_is_a_problem()
    {
        Load(Path.Combine(_directory, "missing.hocon"));

        Assert.Contains("can't be read", Assert.Single(_problems.All), StringComparison.Ordinal);
    }

    [Fact]
    public void A_set_without_an_equals_sign_is_a_problem()
    {
        Load(null, ["link.lease"]);

        Assert.Equal("--set: 'link.lease' is not of the form key=value", Assert.Single(_problems.All));
    }

    [Fact]
    public void Akkas_own_keys_are_left_to_Akka()
    {
        var all = Load(null, ["akka.log-dead-letters=5"]).All;

        Assert.Equal(5, all.GetInt("akka.log-dead-letters"));
        Assert.Empty(_problems.All);
    }

    private SettingsLayers Load(string? file = null, string[]? sets = null, params (string Name, string Value)[] environment) =>
        SettingsLayers.Load(["fleet"], file, sets ?? [], _problems, name => environment.FirstOrDefault(e => e.Name == name).Value);

    private string File(string text)
    {
        var path = Path.Combine(_directory, "own.hocon");
        System.IO.File.WriteAllText(path, text);
        return path;
    }
}
