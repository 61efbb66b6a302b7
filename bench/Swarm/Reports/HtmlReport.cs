using System.Globalization;
using System.Net;
using System.Text;
using Fleet.Swarm.Offices;

namespace Fleet.Swarm.Reports;

/// <summary>A report as one HTML file: a table of the phases, and a chart a figure over time. Needs no network and no script.</summary>
internal static class HtmlReport
{
    private const int Width = 860;
    private const int Height = 180;
    private const int Left = 70;
    private const int Bottom = 24;
    private const int Lines = 4;

    private static readonly string[] Colours = ["#1769aa", "#c2571a", "#3c7d3c", "#7a3e9d"];

    public static string Of(SwarmReport report)
    {
        var html = new StringBuilder();
        html.Append(CultureInfo.InvariantCulture, $$"""
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><title>Swarm: {{Text(report.Scenario)}}</title>
            <style>
            body{font:14px/1.5 system-ui,sans-serif;margin:24px auto;max-width:900px;color:#222}
            table{border-collapse:collapse}td,th{padding:3px 12px 3px 0;text-align:right}td:first-child,th:first-child{text-align:left}
            th{border-bottom:1px solid #999;font-weight:600}h2{font-size:15px;margin:24px 0 4px}svg{width:100%;height:auto}
            .grid{stroke:#e2e2e2}.phase{stroke:#bbb;stroke-dasharray:3 3}text{font:11px system-ui,sans-serif;fill:#555}
            </style></head><body>
            <h1>Swarm: {{Text(report.Scenario)}}</h1>
            <p>{{report.Offices}} offices, {{report.Devices}} devices; {{report.At:yyyy-MM-dd HH:mm}} UTC; {{Text(report.Machine)}}.</p>
            <table><tr><th>phase</th><th>s</th><th>HQ MB first</th><th>last</th><th>peak</th><th>HQ CPU %</th><th>peak</th><th>messages/s</th><th>journal MB/h</th></tr>

            """);
        foreach (var phase in report.Phases)
            html.Append(CultureInfo.InvariantCulture,
                $"<tr><td>{Text(phase.Phase)}</td><td>{phase.Seconds}</td><td>{phase.HqMegabytesFirst}</td><td>{phase.HqMegabytesLast}</td><td>{phase.HqMegabytesPeak}</td><td>{phase.HqCpuPercent}</td><td>{phase.HqCpuPercentPeak}</td><td>{phase.MessagesPerSecond}</td><td>{phase.JournalBytesPerHour / 1e6:0.0}</td></tr>\n");
        html.Append("</table>\n<p>CPU is of one core.</p>\n");
        double Counted(Sample s, Count what) => s.Counts[what.ToString()];
        Chart(html, report, "Links", ("links", s => Counted(s, Count.Links)));
        Chart(html, report, "Presence: devices that exist, and those with a line open at a linked office", ("devices", s => Counted(s, Count.Devices)), ("lines", s => Counted(s, Count.Lines)));
        Chart(html, report, "Messages of the link a second, both ways", ("messages", s => s.MessagesPerSecond));
        Chart(html, report, "Memory, MB resident", ("headquarters", s => s.HqMegabytes), ("swarm", s => s.SwarmMegabytes));
        Chart(html, report, "CPU, % of one core", ("headquarters", s => s.HqCpuPercent), ("swarm", s => s.SwarmCpuPercent));
        Chart(html, report, "Headquarters' database files, MB", ("journal and read model", s => s.JournalBytes / 1e6));
        Chart(html, report, "Reports: sealed by devices, and known to headquarters", ("sealed", s => Counted(s, Count.Reports)), ("stored", s => Counted(s, Count.ReportsStored)));
        Chart(html, report, "What went wrong: links lost, dials in vain, refusals", ("lost", s => Counted(s, Count.Lost)), ("in vain", s => Counted(s, Count.Unreached)), ("refused", s => Counted(s, Count.NotWelcome)));
        Chart(html, report, "How far the swarm is behind, s: over one it measures itself", ("behind", s => s.BehindSeconds));
        html.Append("</body></html>\n");
        return html.ToString();
    }

    private static void Chart(StringBuilder html, SwarmReport report, string title, params (string Name, Func<Sample, double> Value)[] series)
    {
        if (report.Samples.Count == 0)
            return;
        var (from, to) = (report.Samples[0].Second, Math.Max(report.Samples[^1].Second, report.Samples[0].Second + 1));
        var top = Round(report.Samples.Max(s => series.Max(v => v.Value(s))));
        double X(double second) => Left + ((Width - Left - 10) * (second - from) / (to - from));
        double Y(double value) => Height - Bottom - ((Height - Bottom - 10) * value / top);

        html.Append(CultureInfo.InvariantCulture, $"<h2>{Text(title)}</h2>\n<svg viewBox=\"0 0 {Width} {Height}\" role=\"img\">\n");
        for (var line = 0; line <= Lines; line++)
            html.Append(CultureInfo.InvariantCulture,
                $"<line class=\"grid\" x1=\"{Left}\" x2=\"{Width - 10}\" y1=\"{Y(top * line / Lines):0.0}\" y2=\"{Y(top * line / Lines):0.0}\"/><text x=\"{Left - 6}\" y=\"{Y(top * line / Lines) + 4:0.0}\" text-anchor=\"end\">{top * line / Lines:#,0.##}</text>\n");
        foreach (var phase in report.Samples.Where(s => s.Phase.Length > 0).GroupBy(s => s.Phase).Select(p => p.First()))
            html.Append(CultureInfo.InvariantCulture,
                $"<line class=\"phase\" x1=\"{X(phase.Second):0.0}\" x2=\"{X(phase.Second):0.0}\" y1=\"4\" y2=\"{Height - Bottom}\"/><text x=\"{X(phase.Second) + 3:0.0}\" y=\"12\">{Text(phase.Phase)}</text>\n");
        html.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left}\" y=\"{Height - 6}\">{from:0} s</text><text x=\"{Width - 10}\" y=\"{Height - 6}\" text-anchor=\"end\">{to:0} s</text>\n");
        for (var i = 0; i < series.Length; i++)
        {
            var points = string.Join(' ', report.Samples.Select(s => string.Create(CultureInfo.InvariantCulture, $"{X(s.Second):0.0},{Y(series[i].Value(s)):0.0}")));
            html.Append(CultureInfo.InvariantCulture,
                $"<polyline fill=\"none\" stroke=\"{Colours[i]}\" stroke-width=\"1.5\" points=\"{points}\"/><text x=\"{Left + 60 + (i * 150)}\" y=\"{Height - 6}\" style=\"fill:{Colours[i]}\">{Text(series[i].Name)}</text>\n");
        }

        html.Append("</svg>\n");
    }

    /// <summary>The next of 1, 2, 5, 10, 20 … from a value up.</summary>
    private static double Round(double value)
    {
        if (value <= 0)
            return 1;
        var power = Math.Pow(10, Math.Floor(Math.Log10(value)));
        return power * new[] { 1, 2, 5, 10 }.First(f => f * power >= value);
    }

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
