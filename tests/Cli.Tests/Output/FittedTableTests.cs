using Fleet.Cli.Output;
using Spectre.Console;

namespace Fleet.Cli.Tests.Output;

public sealed class FittedTableTests
{
    private const int Width = 80;
    private const string Id = "d-35ed8fb111cd438d1272";
    private static readonly string[] Headings = ["NAME", "OFFICE", "SYNCED", "THROUGH", "RUNS", "DEVICE", "LABELS"];

    [Theory]
    [InlineData("leeds-till", "-")]
    [InlineData("leeds-till", "floor=1, room=shop, owner=store-manager")]
    [InlineData("a-host-name-that-is-much-longer-than-its-column-may-be.example.com", "-")]
    [InlineData("A device with a long name that reads as words", "floor=1")]
    public void A_row_fits_into_80_columns_with_its_id_whole(string name, string labels)
    {
        var lines = Drawn([[name, "leeds", "12 s ago", "gw1.leeds", "1 → 2", Id, labels]]);

        Assert.Contains(lines, l => l.Contains(Id, StringComparison.Ordinal));
        Assert.Contains(lines, l => l.Contains("gw1.leeds", StringComparison.Ordinal));
        Assert.DoesNotContain(lines, l => l.Contains('…'));
        Assert.All(lines, l => Assert.True(l.Length <= Width, l));
    }

    [Fact]
    public void Where_nothing_can_stay_whole_everything_folds()
    {
        var lines = Drawn([[.. Headings.Select(_ => new string('x', 30))]]);

        Assert.DoesNotContain(lines, l => l.Contains('…'));
        Assert.Equal(30 * Headings.Length, lines.Sum(l => l.Count(c => c == 'x')));
    }

    private static string[] Drawn(IReadOnlyList<IReadOnlyList<string>> rows)
    {
        using var output = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output), Ansi = AnsiSupport.No, Interactive = InteractionSupport.No });
        console.Profile.Width = Width;
        console.Write(FittedTable.Of(Headings, rows, Width));
        return output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
