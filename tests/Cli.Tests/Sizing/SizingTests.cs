using System.Globalization;
using Fleet.Cli.Sizing;

namespace Fleet.Cli.Tests.Sizing;

public sealed class SizingTests : IDisposable
{
    private readonly TestTerminal _terminal = new();

    public void Dispose() => _terminal.Dispose();

    [Fact]
    public void The_table_in_the_manual_is_what_the_command_says()
    {
        var rows = DocumentationTests.Read("docs/operations.md").Split('\n').SkipWhile(l => !l.StartsWith("| offices | devices |", StringComparison.Ordinal)).Skip(2).TakeWhile(l => l.StartsWith('|'))
            .Select(l => l.Trim('|', ' ').Split(" | ")).ToList();

        Assert.NotEmpty(rows);
        Assert.All(rows, row =>
        {
            var sizing = Cli.Sizing.Sizing.Of(Number(row[0]), Number(row[1]), changesPercentAMinute: 1, alwaysConnectedPercent: 100);
            Assert.Equal([row[0], row[1], SizeCommand.Memory(sizing), SizeCommand.Busy(sizing), SizeCommand.Journal(sizing), SizeCommand.Storage(sizing), SizeCommand.Machine(sizing)], row);
        });
    }

    [Fact]
    public void What_was_measured_stands_in_the_results_that_are_named() =>
        Assert.Contains(Measured.MostReports.ToString("#,0", CultureInfo.InvariantCulture), DocumentationTests.Read(Measured.Results), StringComparison.Ordinal);

    [Fact]
    public void More_devices_than_one_node_was_measured_with_need_a_cluster_that_may_lose_one()
    {
        var most = Cli.Sizing.Sizing.Of(1000, Measured.MostDevices, 1, 100);
        var more = Cli.Sizing.Sizing.Of(1000, Measured.MostDevices + 1, 1, 100);

        Assert.Equal(("sqlite", 1), (most.Storage, most.Nodes));
        Assert.Equal(("postgresql", 3), (more.Storage, more.Nodes));
    }

    [Fact]
    public void Changes_faster_than_one_journal_takes_need_a_cluster() => Assert.Equal("postgresql", Cli.Sizing.Sizing.Of(1000, 100_000, 100 * 60 * Measured.MostReports / 100_000, 100).Storage);

    [Fact]
    public async Task It_asks_no_headquarters_and_speaks_JSON()
    {
        var ran = (await _terminal.Run("size", "--offices", "10", "--devices", "500", "--json")).Done();

        using var json = System.Text.Json.JsonDocument.Parse(ran.Out);
        Assert.Equal("sqlite", json.RootElement.GetProperty("storage").GetString());
    }

    [Theory]
    [InlineData("--offices 0 --devices 500")]
    [InlineData("--offices 10 --devices 500 --changes-percent-a-minute 101")]
    [InlineData("--offices 10 --devices 500 --always-connected -1")]
    public async Task A_fleet_that_can_not_be_is_wrong_usage(string line) => Assert.Equal(ExitCode.Usage, (await _terminal.Run(["size", .. line.Split(' ')])).Code);

    private static long Number(string text) => long.Parse(text, NumberStyles.AllowThousands, CultureInfo.InvariantCulture);
}
