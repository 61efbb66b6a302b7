using System.Text.Json;
using Fleet.Contracts;
using Fleet.Contracts.Api;
using Fleet.Headquarters.Discovery;
using Fleet.Headquarters.ReadModel;
using Fleet.Messages.Link;

namespace Fleet.Headquarters.Api;

/// <summary>The read model's views of offices' networks as the REST API shows them.</summary>
internal static class NetworkResourcesOf
{
    public static PollResource Of(PollView p) => new(
        p.PollId.Value, p.OfficeId.Value, p.NodeId.Value, Polls.Name(p.Method), p.Full ? "full" : "quick", p.Ranges, p.AskedBy.Length > 0 ? p.AskedBy : null,
        p.Outcome?.ToString().ToLowerInvariant() ?? "running", p.Why, p.BegunAt, p.EndedAt, p.Done, p.Total > 0 ? p.Total : null, p.Found, p.Packets, p.CannotSee);

    public static PollScheduleResource Of(PollingView polling, DiscoveryOptions options)
    {
        var plan = polling.Plan ?? options.DefaultPlan;
        return new PollScheduleResource(polling.OfficeId.Value, polling.Poller?.Value, plan.PacketsPerSecond, [.. plan.Schedules.Select(Of)]);
    }

    public static DiscoveredResource Of(DiscoveredView d) => new(
        d.Device.DiscoveredId.Value, d.Name, d.OfficeId.Value, d.Device.Mac, d.Vendor, d.Device.Identity,
        [.. d.Device.Addresses.Select(a => new AddressResource(a.Address, a.At))],
        [.. d.Device.Names.Select(n => new NameResource(Kebab(n.Source.ToString()), n.Name))],
        [.. d.Device.Services.Select(s => new ServiceResource(s.Port, s.Protocol, s.Name))],
        d.Device.OperatingSystem, d.Device.FirstSeen, d.LastSeen, d.SeenBy.Value, Polls.Name(d.SeenWith), [.. d.Device.Methods.Select(Polls.Name)], d.Ignored,
        d.Device.HostKey.Length > 0 ? d.Device.HostKey : null);

    public static InstallResource Of(InstallView i) => new(
        i.InstallId.Value, i.OfficeId.Value, i.DiscoveredId.Value, i.Name, i.NodeId.Value, i.Address, i.Port, i.Outcome is { } outcome ? Kebab(outcome.ToString()) : "running",
        i.Step is { } step ? Kebab(step.ToString()) : null, i.Detail, i.HostKey, i.DeviceId?.Value, i.BegunAt, i.EndedAt);

    public static SeenOnNetworkResource Of(NetworkSeenView seen) => new(seen.At, seen.By.Value, Polls.Name(seen.With));

    private static PollMethodResource Of(PollSchedule s) => new(
        Polls.Name(s.Method), s.Enabled, Every(s.QuickEvery), Every(s.FullEvery), s.Ranges, s.AllowLarge,
        [.. s.Directories.Select(d => new DirectoryResource(d.Host, d.Port, d.Security.ToString().ToLowerInvariant(), d.BaseName, d.Filter, d.User, !d.Password.IsEmpty, !d.Authority.IsEmpty))]);

    private static string? Every(TimeSpan every) => every == TimeSpan.Zero ? null : DurationText.Of(every);

    private static string Kebab(string name) => JsonNamingPolicy.KebabCaseLower.ConvertName(name);
}
