using Fleet.Contracts.Envelopes;
using Fleet.Messages.Link;

namespace Fleet.Headquarters.Links;

/// <summary>
/// Whether what a node sent is whole and within bounds. The serializer lets fields be missing, as older nodes leave out newer ones, so anything
/// may be null here whatever its type says.
/// </summary>
internal static class LinkChecks
{
    /// <summary>Parts of one announce: a hundred thousand devices.</summary>
    public const int MaxAnnounceParts = 100;

    private const int MaxText = 1000;
    private const int MaxRequestBytes = 64 * 1024;
    private const int MaxLines = 32;

    /// <summary>What is wrong with a Hello, or null.</summary>
    public static string? Problem(Hello hello) =>
        hello.NodeId.Value is null ? "no node id" : Text(hello.Version, "version") ?? Text(hello.Incarnation, "incarnation");

    /// <summary>What is wrong with a part of an announce, or null.</summary>
    public static string? Problem(Announce announce)
    {
        if (announce.Held is null || announce.Held.Count > Announce.MaxHeld)
            return $"a part of an announce holds {announce.Held?.Count.ToString() ?? "no"} documents; at most {Announce.MaxHeld} are allowed";
        return announce.Held.Any(h => h?.DeviceId.Value is null) ? "a held document without a device" : Problem(announce.Report);
    }

    /// <summary>What is wrong with a frame, or null.</summary>
    public static string? Problem(UpFrame frame)
    {
        if (frame.Items is null || frame.Items.Count > UpFrame.MaxItems)
            return $"a frame holds {frame.Items?.Count.ToString() ?? "no"} items; at most {UpFrame.MaxItems} are allowed";
        return frame.Items.Select(Problem).FirstOrDefault(p => p is not null);
    }

    private static string? Problem(IUpItem? item) => item switch
    {
        null => "an empty item",
        DeviceEnvelopeUp up => Id(up.DeviceId.Value) ?? Id(up.OfficeHint.Value) ?? Size(up.Envelope.Length, Envelope.MaxBytes, "an envelope"),
        PresenceDigest digest => digest.Seen is null || digest.Seen.Count > UpFrame.MaxItems || digest.Seen.Any(s => s?.DeviceId.Value is null)
            ? "a presence digest that is malformed or too long"
            : null,
        NodeReport report => Problem(report),
        NodeEvent e => Text(e.Kind, "kind of event") ?? Text(e.Text, "text of event"),
        EnrolmentUp up => Text(up.RequestId, "request id") ?? Size(up.Request.Length, MaxRequestBytes, "an enrolment"),
        NodeRenewal renewal => Size(renewal.CertificateRequest.Length, MaxRequestBytes, "a certificate request"),
        DesiredWanted wanted => Id(wanted.DeviceId.Value) ?? Id(wanted.OfficeHint.Value),
        LinesDigest digest => digest.Lines is null || digest.Lines.Count > UpFrame.MaxItems || digest.Lines.Any(l => l?.DeviceId.Value is null || l.OfficeHint.Value is null)
            ? "a digest of lines that is malformed or too long"
            : null,
        DeviceWoken woken => Id(woken.DeviceId.Value) ?? Id(woken.OfficeHint.Value),
        WakeFailed failed => Id(failed.DeviceId.Value) ?? Id(failed.OfficeHint.Value) ?? Text(failed.Why, "reason"),
        PollProgress progress => Id(progress.PollId.Value),
        Sightings sightings => Id(sightings.PollId.Value)
            ?? (sightings.Seen is null || sightings.Seen.Count > Sightings.Most || !sightings.Seen.All(IsWhole) ? "sightings that are malformed or too many" : null),
        PollEnded ended => Id(ended.PollId.Value) ?? Text(ended.Why, "reason")
            ?? (ended.CannotSee is null || ended.CannotSee.Count > MaxLines ? "an end of a poll that is malformed or too long"
                : ended.CannotSee.Select(t => Text(t, "line of what can't be seen")).FirstOrDefault(p => p is not null)),
        ContentCounts counts => counts.Updates is null || counts.Updates.Count > ContentCounts.MaxUpdates || !counts.Updates.All(IsWhole) ? "counts of content that are malformed or too many" : null,
        InstallProgress progress => Id(progress.InstallId.Value),
        InstallEnded ended => Id(ended.InstallId.Value) ?? Text(ended.Detail, "detail") ?? Text(ended.HostKey, "host key"),
        _ => $"an item of kind {item.GetType().Name}",
    };

    private static bool IsWhole(Sighting? seen) =>
        seen is { Mac: not null, Identity: not null, OperatingSystem: not null, Addresses: not null, Names: not null, Services: not null }
        && seen.Addresses.All(a => a is not null) && seen.Names.All(n => n?.Name is not null) && seen.Services.All(s => s is { Protocol: not null, Name: not null });

    private static bool IsWhole(UpdateCount? count) =>
        count is { Package.Length: <= MaxText, PackageVersion.Length: <= MaxText, FromSources.Count: <= MaxLines } && count.FromSources.Keys.All(s => s.Length <= MaxText);

    private static string? Problem(NodeReport? report)
    {
        if (report?.Roles is null || report.GatewayAddresses is null || report.PushAddresses is null || report.LinkAddresses is null || report.Problems is null)
            return "a node report with parts missing";
        if (report.Roles.Count > 16 || report.Problems.Count > MaxLines
            || new[] { report.GatewayAddresses, report.PushAddresses, report.LinkAddresses, report.ContentAddresses ?? [] }.Any(a => a.Count > NodeReport.MaxAddresses)
            || report.Mirror is { Whole: null or { Count: > MirrorState.MaxWhole } } or { Runs.Count: > MirrorState.MaxRuns })
            return "a node report that is too long";
        return Text(report.Version, "version") ?? Text(report.HostName, "host name") ?? Text(report.LinkedBy, "way of its link")
            ?? report.GatewayAddresses.Concat(report.PushAddresses).Concat(report.LinkAddresses).Concat(report.ContentAddresses ?? []).Concat(report.Problems)
                .Concat(report.Mirror is { } mirror ? mirror.Whole.Append(mirror.Problem).Concat((mirror.Runs ?? []).SelectMany(r => new[] { r?.Task!, r?.Problem! })) : []).Select(t => Text(t, "line of the node report")).FirstOrDefault(p => p is not null);
    }

    private static string? Id(string? id) => id is null ? "an item without its id" : null;

    private static string? Text(string? text, string what) => text is null ? $"no {what}" : text.Length > MaxText ? $"a {what} of {text.Length} characters" : null;

    private static string? Size(int length, int maximum, string what) =>
        length == 0 ? $"{what} without content" : length > maximum ? $"{what} of {length} bytes; at most {maximum} are allowed" : null;
}
