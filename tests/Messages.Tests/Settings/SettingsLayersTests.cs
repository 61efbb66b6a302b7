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

    [Theory]
    [InlineData("fleet.link.lease = 20s\nfleet.link.min-backoff 5s\n", "line 2: 'fleet.link.min-backoff 5s' has no value")]
    [InlineData("= 5", "line 1: a value without a key")]
    [InlineData("fleet {\n  link\n}\nfleet.link.lease = 20s", "line 2: 'link' has no value")]
    [InlineData("\u0000 garbage", "line 1: '\u0000 garbage' has no value")]
    public void A_line_that_is_no_setting_is_named(string text, string problem)
    {
        var file = File(text);

        Load(file);

        Assert.StartsWith($"{file}: is not valid HOCON: {problem}", Assert.Single(_problems.All), StringComparison.Ordinal);
    }

    [Fact]
    public void A_mistake_is_told_with_its_file_and_line_and_what_was_meant()
    {
        var file = File("""
            # own settings
            fleet {
              link
              {
                leese = 20s   # mistyped
                ping-interval = never
              }
              gateway.bind =
                "0.0.0.0"
              gateway { prot = 1, max-devices : many }
            }
            """);

        var fleet = Load(file).Fleet;
        _problems.Positive(fleet, "link.ping-interval");
        _problems.Number(fleet, "gateway.max-devices", 1, 10);

        Assert.Equal(
            [
                $"fleet.link.leese: is no setting of Fleet; did you mean fleet.link.lease? ({file}:5)",
                $"fleet.gateway.prot: is no setting of Fleet; did you mean fleet.gateway.port? ({file}:10)",
                $"fleet.link.ping-interval: must be a duration over zero, such as 15s, not 'never' ({file}:6)",
                $"fleet.gateway.max-devices: must be a whole number from 1 to 10, not 'many' ({file}:10)",
            ],
            _problems.All);
    }

    [Fact]
    public void A_wrong_variable_of_the_environment_is_named()
    {
        var fleet = Load(null, [], ("FLEET_GATEWAY_PORT", "abc")).Fleet;
        _problems.Port(fleet, "gateway.port");

        Assert.Equal("fleet.gateway.port: must be a whole number from 0 to 65535, not 'abc' (FLEET_GATEWAY_PORT)", Assert.Single(_problems.All));
    }

    [Theory]
    [InlineData("fleet.link = 5", null)]
    [InlineData(null, "link={")]
    public void A_value_in_the_place_of_a_block_is_one_problem_and_the_block_stays(string? text, string? set)
    {
        var fleet = Load(text is null ? null : File(text), set is null ? [] : [set]).Fleet;

        Assert.StartsWith("fleet.link: is a block of settings", Assert.Single(_problems.All), StringComparison.Ordinal);
        Assert.Equal(TimeSpan.FromSeconds(9), _problems.Positive(fleet, "link.lease"));
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
