using Fleet.Gateway;
using Fleet.Gateway.Monitoring;
using Fleet.Headquarters.Backups;
using Fleet.Headquarters.Cluster;
using Fleet.Headquarters.Company;
using Fleet.Headquarters.Identity;
using Fleet.Headquarters.Links;
using Fleet.Headquarters.Monitoring;
using Fleet.Headquarters.Offices;
using Fleet.Headquarters.ReadModel;
using Fleet.Headquarters.Storage;
using Fleet.Headquarters.Updates;
using Fleet.Headquarters.Wakes;
using Fleet.Headquarters.Web;
using Fleet.Messages.Link;
using Fleet.Messages.Log;
using Fleet.Messages.Settings;
using LinkOptions = Fleet.Messages.Transport.LinkOptions;

namespace Fleet.Headquarters;

/// <summary>All settings of a headquarters node, read once at its start.</summary>
public sealed record HeadquartersOptions(
    LogOptions Log,
    WebOptions Web,
    ClusterOptions Cluster,
    LinkOptions Link,
    LinksOptions Links,
    GatewayOptions Gateway,
    PushOptions Push,
    IdentityOptions Identity,
    OfficeOptions Offices,
    WakeOptions Wake,
    ConnectionBudgets Budgets,
    ReadModelOptions ReadModel,
    RetentionOptions Retention,
    StorageOptions Storage,
    JournalOptions Journal,
    UpdateOptions Updates,
    MonitoringOptions Monitoring,
    TraceOptions Traces,
    OverloadOptions Overload,
    BackupOptions Backups)
{
    /// <summary>The administrator's file; null: there is none.</summary>
    public string? SettingsFile { get; init; }

    /// <summary>Reads <c>hocon/headquarters.hocon</c> and <c>hocon/fleet.hocon</c>, the administrator's file, and <c>key=value</c> settings.</summary>
    /// <exception cref="SettingsException">Something is wrong; the message lists all of it.</exception>
    public static HeadquartersOptions Load(string? file, IReadOnlyList<string> sets)
    {
        var problems = new Problems();
        var fleet = SettingsLayers.Load(["headquarters", "fleet"], file, sets, problems).Fleet;
        var storage = StorageOptions.From(fleet, problems);
        var cluster = ClusterOptions.From(fleet, storage, problems);
        var options = new HeadquartersOptions(
            LogOptions.From(fleet, problems),
            WebOptions.From(fleet, problems),
            cluster,
            LinkOptions.From(fleet, problems),
            LinksOptions.From(fleet, problems),
            GatewayOptions.From(fleet, problems),
            PushOptions.From(fleet, problems),
            IdentityOptions.From(fleet, problems),
            OfficeOptions.From(fleet, problems),
            WakeOptions.From(fleet, problems),
            ConnectionBudgets.From(fleet, problems),
            ReadModelOptions.From(fleet, problems),
            RetentionOptions.From(fleet, problems),
            storage,
            JournalOptions.From(fleet, problems),
            UpdateOptions.From(fleet, mustShare: cluster.IsOneOfMany, problems),
            MonitoringOptions.From(fleet, problems),
            TraceOptions.From(fleet, problems),
            OverloadOptions.From(fleet, problems),
            BackupOptions.From(fleet, problems));
        if (options.Offices.Discovery.MovePollerAfter <= options.Link.Lease * LinkPatience.MostLeases && !problems.Told("discovery.move-poller-after") && !problems.Told("link.lease"))
            problems.Add("fleet.discovery.move-poller-after", $"must be longer than {LinkPatience.MostLeases} times fleet.link.lease: so long a node may take a link for alive, and poll, that headquarters takes for lost");
        problems.ThrowIfAny();
        return options with { SettingsFile = file };
    }
}
