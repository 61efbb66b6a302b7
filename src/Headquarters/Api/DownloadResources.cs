using Fleet.Contracts;
using Fleet.Contracts.Api;
using Fleet.Messages.Company;

namespace Fleet.Headquarters.Api;

/// <summary>Download tasks between the REST API and the book of updates.</summary>
internal static class DownloadResources
{
    private const string Headquarters = "headquarters";

    public static DownloadTaskResource Of(DownloadTask t) => new(
        t.Name, [.. t.Offices.Select(o => o.Value)], [.. t.Sources.Select(Of)], t.Patterns, t.Schedule.Length > 0 ? t.Schedule : null, t.TimeZone, t.Spread.TotalSeconds,
        [.. t.Budget.Select(b => new UplinkLimit(b.From, b.BytesPerSecond))], t.RunNumber, t.Paused);

    public static Refusal? Read(string name, DownloadTaskContent content, out DownloadTask? task)
    {
        task = null;
        if (ApiIds.Each<OfficeId>(content.Offices, ApiIds.Read, out var offices) is { } wrong)
            return wrong;
        if (!double.IsFinite(content.SpreadSeconds) || Math.Abs(content.SpreadSeconds) > TimeSpan.MaxValue.TotalSeconds / 2)
            return Refusal.Invalid("spreadSeconds is no time");
        task = new DownloadTask(
            name, [.. offices.Distinct()], [.. content.Sources.Select(Read)], content.Patterns ?? [], content.Schedule ?? DownloadTask.OnChange, content.TimeZone ?? "UTC",
            TimeSpan.FromSeconds(content.SpreadSeconds), [.. (content.Uplink ?? []).Select(u => new UplinkBudget(u.FromHour, u.BytesPerSecond))], 0, Paused: false);
        return null;
    }

    private static DownloadSource Of(UpdateSource source) => new(source.Kind == UpdateSourceKind.Headquarters ? Headquarters : source.Location);

    // Whether it can be asked is the company's to say.
    private static UpdateSource Read(DownloadSource source) => source.From switch
    {
        Headquarters => new UpdateSource(UpdateSourceKind.Headquarters, ""),
        ['/' or '\\', ..] or [_, ':', '\\' or '/', ..] => new UpdateSource(UpdateSourceKind.Folder, source.From),
        _ => new UpdateSource(UpdateSourceKind.Vendor, source.From),
    };
}
