using Fleet.Contracts;
using Fleet.Contracts.Api;
using Fleet.Headquarters.Updates;
using Fleet.Messages.Company;

namespace Fleet.Headquarters.Api;

/// <summary>Download tasks between the REST API and the book of updates.</summary>
internal static class DownloadResources
{
    private const string Headquarters = "headquarters";

    public static DownloadTaskResource Of(DownloadTask t) => new(
        t.Name, [.. t.Offices.Select(o => o.Value)], [.. t.Sources.Select(Of)], t.Patterns, t.Schedule.Length > 0 ? t.Schedule : null, t.TimeZone, t.Spread.TotalSeconds,
        [.. t.Budget.Select(b => new UplinkLimit(b.From, b.BytesPerSecond))], t.RunNumber, t.Paused, t.Labels is { Count: > 0 } ? t.Labels : null);

    public static Refusal? Read(string name, DownloadTaskContent content, Secrets secrets, out DownloadTask? task)
    {
        task = null;
        if (ApiIds.Each<OfficeId>(content.Offices, ApiIds.Read, out var offices) is { } wrong)
            return wrong;
        if (!double.IsFinite(content.SpreadSeconds) || Math.Abs(content.SpreadSeconds) > TimeSpan.MaxValue.TotalSeconds / 2)
            return Refusal.Invalid("spreadSeconds is no time");
        task = new DownloadTask(
            name, [.. offices.Distinct()], [.. content.Sources.Select(s => Read(s, secrets))], content.Patterns ?? [], content.Schedule ?? DownloadTask.OnChange, content.TimeZone ?? "UTC",
            TimeSpan.FromSeconds(content.SpreadSeconds), [.. (content.Uplink ?? []).Select(u => new UplinkBudget(u.FromHour, u.BytesPerSecond))], 0, Paused: false, Labels: content.Labels);
        return null;
    }

    private static DownloadSource Of(UpdateSource s) => new(s.Kind == UpdateSourceKind.Headquarters ? Headquarters : s.Location, Text(s.Proxy), Text(s.User), null, Text(s.Pin));

    private static string? Text(string text) => text.Length > 0 ? text : null;

    // Whether it can be asked is the company's to say.
    private static UpdateSource Read(DownloadSource source, Secrets secrets)
    {
        var kind = source.From switch
        {
            Headquarters => UpdateSourceKind.Headquarters,
            ['/' or '\\', ..] or [_, ':', '\\' or '/', ..] => UpdateSourceKind.Folder,
            _ => UpdateSourceKind.Vendor,
        };
        return new UpdateSource(
            kind, kind == UpdateSourceKind.Headquarters ? "" : source.From, source.Proxy ?? "", source.User ?? "",
            source.Password is { Length: > 0 } open ? secrets.Keep(UpdatePlans.KeptPassword, open) : default(ReadOnlyMemory<byte>), source.Pin ?? "");
    }
}
