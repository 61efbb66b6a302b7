using System.CommandLine;
using System.Globalization;
using Fleet.Contracts;

namespace Fleet.Cli.Sizing;

/// <summary><c>fleet size</c>.</summary>
internal static class SizeCommand
{
    private const long Most = 100_000_000;

    public static Command Make(FleetCommands commands)
    {
        var offices = Amount("--offices", "How many offices there will be.");
        var devices = Amount("--devices", "How many devices in all of them.");
        var changes = Percent("--changes-percent-a-minute", "How many per cent of all devices change their state each minute.", 1);
        var connected = Percent("--always-connected", "How many per cent of the devices keep a line open; the others sync each 15 minutes.", 100);
        return commands.Local("size", $"Says what a headquarters for so many offices and devices needs, from what was measured ({Measured.Results}). Asks no headquarters.", """
            fleet size --offices 200 --devices 10000
            fleet size --offices 1000 --devices 100000 --changes-percent-a-minute 5
            fleet size --offices 10000 --devices 1000000 --always-connected 10 --json
            """,
            (parsed, _) =>
            {
                var sizing = Sizing.Of(parsed.GetValue(offices), parsed.GetValue(devices), parsed.GetValue(changes), parsed.GetValue(connected));
                var display = commands.Show(parsed);
                display.Show(sizing, SizingJson.Default.Sizing, () => display.Facts(
                [
                    ("fleet", string.Create(CultureInfo.InvariantCulture, $"{sizing.Devices} devices in {sizing.Offices} offices, {sizing.ChangesPerSecond:0.#} changed reports a second")),
                    ("memory", $"{Memory(sizing)} resident, in all"),
                    ("processors", $"{Busy(sizing)} busy on average"),
                    ("journal", $"{Journal(sizing)} written a day"),
                    ("disk", $"{SizeText.Of(sizing.DiskBytes)} for journal and read model at most; beside it what you publish"),
                    ("storage", Storage(sizing)),
                    ("each machine", Machine(sizing)),
                ]));
                return Task.CompletedTask;
            },
            offices, devices, changes, connected);
    }

    public static string Memory(Sizing sizing) => SizeText.Of(sizing.MemoryBytes);

    public static string Busy(Sizing sizing) => sizing.Processors.ToString("0.00", CultureInfo.InvariantCulture);

    public static string Journal(Sizing sizing) => SizeText.Of(sizing.JournalBytesADay);

    public static string Storage(Sizing sizing) => sizing.Nodes == 1 ? "one node, SQLite" : string.Create(CultureInfo.InvariantCulture, $"{sizing.Nodes} nodes, PostgreSQL");

    public static string Machine(Sizing sizing) => string.Create(CultureInfo.InvariantCulture, $"{SizeText.Of(sizing.NodeMemoryBytes)}, {sizing.NodeProcessors} processors");

    private static Option<long> Amount(string name, string description)
    {
        var option = new Option<long>(name) { Description = description, HelpName = "N", Required = true };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && long.TryParse(result.Tokens[0].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var amount) && amount is < 1 or > Most)
                result.AddError($"{name} must be from 1 to {Most}");
        });
        return option;
    }

    private static Option<double> Percent(string name, string description, double usual)
    {
        var option = new Option<double>(name) { Description = string.Create(CultureInfo.InvariantCulture, $"{description} Default: {usual}."), HelpName = "PERCENT", DefaultValueFactory = _ => usual };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && double.TryParse(result.Tokens[0].Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var percent) && percent is not (>= 0 and <= 100))
                result.AddError($"{name} must be from 0 to 100");
        });
        return option;
    }
}
