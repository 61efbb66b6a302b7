using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Fleet.Architecture.Tests;

/// <summary>Dashboards, alert rules and the guide name what programs count, and nothing else.</summary>
public sealed partial class MonitoringTests
{
    /// <summary>By Npgsql, once it is connected (https://www.npgsql.org/doc/diagnostics/metrics.html).</summary>
    private static readonly string[] OfNpgsql = ["db_client_connection_count"];

    [Fact]
    public void Dashboards_and_alerts_name_only_metrics_that_exist()
    {
        var shown = Instruments().SelectMany(i => i.Series).Concat(OfDotNet()).Concat(OfNpgsql).ToHashSet();

        var wrong = from expression in Expressions()
                    from Match name in Named().Matches(Labels().Replace(expression.Text, ""))
                    where !shown.Contains(name.Value)
                    select $"{expression.File}: {name.Value} in {expression.Text}";

        Assert.Empty(wrong);
    }

    [Fact]
    public void Every_metric_is_explained_in_the_guide()
    {
        var guide = File.ReadAllText(Repository.PathOf("docs/operations.md"));

        Assert.All(Instruments(), i => Assert.Contains($"`{i.Name}`", guide, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_alert_says_what_to_do()
    {
        var alerts = File.ReadAllText(Repository.PathOf("docs/monitoring/alerts.yaml")).Split("- alert: ")[1..];

        Assert.NotEmpty(alerts);
        Assert.All(alerts, alert => Assert.Matches(@"(?s)expr: .+summary: "".+runbook: "".+", alert));
    }

    [Fact]
    public void Every_alert_is_tried()
    {
        var tried = File.ReadAllText(Repository.PathOf("docs/monitoring/alerts-test.yaml"));

        Assert.All(AlertName().Matches(File.ReadAllText(Repository.PathOf("docs/monitoring/alerts.yaml"))), alert => Assert.Contains($"alertname=\"{alert.Groups[1].Value}\",alertstate=\"firing\"", tried, StringComparison.Ordinal));
    }

    /// <summary>By Prometheus' own tool (Debian: prometheus).</summary>
    [SkippableFact]
    public async Task Alerts_fire_when_they_should()
    {
        var tool = Environment.GetEnvironmentVariable("PATH")!.Split(Path.PathSeparator).Select(folder => Path.Combine(folder, "promtool")).FirstOrDefault(File.Exists);
        Skip.If(tool is null, "promtool is not installed");

        using var run = Process.Start(new ProcessStartInfo(tool!, ["test", "rules", Repository.PathOf("docs/monitoring/alerts-test.yaml")]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (said, faults) = (run.StandardOutput.ReadToEndAsync(), run.StandardError.ReadToEndAsync());
        await run.WaitForExitAsync();

        Assert.True(run.ExitCode == 0, await said + await faults);
    }

    private static IEnumerable<(string File, string Text)> Expressions()
    {
        foreach (var file in Repository.Files("docs/monitoring/grafana", "*.json"))
        {
            using var dashboard = JsonDocument.Parse(File.ReadAllText(file));
            foreach (var panel in dashboard.RootElement.GetProperty("panels").EnumerateArray())
                if (panel.TryGetProperty("targets", out var targets))
                    foreach (var target in targets.EnumerateArray())
                        yield return (Path.GetFileName(file), target.GetProperty("expr").GetString()!);
            foreach (var variable in dashboard.RootElement.GetProperty("templating").GetProperty("list").EnumerateArray())
                yield return (Path.GetFileName(file), variable.GetProperty("query").GetString()!);
        }

        foreach (var line in File.ReadLines(Repository.PathOf("docs/monitoring/alerts.yaml")).Where(l => l.TrimStart().StartsWith("expr:", StringComparison.Ordinal)))
            yield return ("alerts.yaml", line);
    }

    // As they stand in the source: kind, name, and the unit among the texts that follow.
    private static List<Instrument> Instruments() =>
        [.. from file in Repository.Files("src", "*.cs")
            from Match made in Made().Matches(File.ReadAllText(file))
            let unit = Texts().Matches(made.Groups["rest"].Value).Select(t => t.Groups[1].Value).FirstOrDefault(t => Unit().IsMatch(t)) ?? ""
            select new Instrument(made.Groups["kind"].Value, made.Groups["name"].Value, unit)];

    private static IEnumerable<string> OfDotNet()
    {
        List<Instrument> found = [];
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, _) =>
        {
            if (instrument.Meter.Name == "System.Runtime")
                found.Add(new Instrument(instrument.GetType().Name, instrument.Name, instrument.Unit ?? ""));
        };
        listener.Start();
        return found.SelectMany(i => i.Series);
    }

    private sealed record Instrument(string Kind, string Name, string Unit)
    {
        /// <summary>The names under which Prometheus has it, by the rules of the exporter.</summary>
        public IEnumerable<string> Series
        {
            get
            {
                var unit = Unit switch
                {
                    "s" => "_seconds",
                    "By" => "_bytes",
                    _ when Unit.EndsWith("/s", StringComparison.Ordinal) => "_per_second",
                    _ => "",
                };
                var name = Name.Replace('.', '_');
                name = name.EndsWith(unit, StringComparison.Ordinal) ? name : name + unit;
                return Kind.Contains("Histogram", StringComparison.Ordinal) ? [$"{name}_bucket", $"{name}_sum", $"{name}_count"]
                    : Kind.Contains("UpDown", StringComparison.Ordinal) ? [name]
                    : Kind.Contains("Counter", StringComparison.Ordinal) ? [$"{name}_total"]
                    : [name];
            }
        }
    }

    [GeneratedRegex("""\.Create(?<kind>\w+)(<\w+>)?\(\s*"(?<name>fleet\.[a-z_.]+)",(?<rest>.*?)\);\s""", RegexOptions.Singleline)]
    private static partial Regex Made();

    [GeneratedRegex("\"([^\"]*)\"")]
    private static partial Regex Texts();

    [GeneratedRegex(@"^(s|By|\{[a-z]+\}(/s)?)$")]
    private static partial Regex Unit();

    [GeneratedRegex(@"- alert: (\w+)")]
    private static partial Regex AlertName();

    [GeneratedRegex(@"\b(by|without) \([^)]*\)|\{[^}]*\}")]
    private static partial Regex Labels();

    [GeneratedRegex(@"\b(fleet|dotnet|db)_[a-z0-9_]+")]
    private static partial Regex Named();
}
