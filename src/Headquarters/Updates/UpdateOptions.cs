using System.Net;
using Akka.Configuration;
using Fleet.Messages.Settings;
using Fleet.Updates.Content;
using Fleet.Updates.Deltas;
using Fleet.Updates.Tuf.Repository;

namespace Fleet.Headquarters.Updates;

/// <summary>Block <c>fleet.updates</c>: the tenant's repository and the port that serves it.</summary>
/// <param name="Directory">Where the repository is, if headquarters nodes share it; empty: in this node's data directory.</param>
/// <param name="DeltaMaxFile">Bytes of the longest file that deltas are made of.</param>
/// <param name="VendorRefresh">How often each vendor's repository is read anew.</param>
/// <param name="KeepUnlisted">How long content stays that no published package names, since it was last used.</param>
public sealed record UpdateOptions(
    IPAddress Bind, int Port, bool RequireClientCertificate, int MaxTransfers, BlobStoreOptions Content, int DeltaMaxFile, TimeSpan KeepUnlisted, TimeSpan VendorRefresh, Lifetimes Lifetimes, string Directory = "")
{
    public bool IsShared => Directory.Length > 0;

    public static UpdateOptions From(Config fleet, bool mustShare, Problems problems)
    {
        var directory = problems.Optional(fleet, "updates.directory");
        if (mustShare && directory.Length == 0)
            problems.Add("fleet.updates.directory", "must name a folder that all headquarters nodes share, such as an NFS export, where there are several (fleet.cluster.address)");
        return new UpdateOptions(
            Bind: problems.Address(fleet, "updates.bind"),
            Port: problems.Port(fleet, "updates.port"),
            RequireClientCertificate: problems.Switch(fleet, "updates.require-client-certificate"),
            MaxTransfers: problems.Number(fleet, "updates.max-transfers", 1, 100_000),
            Content: BlobStoreOptions.Default with { IsShared = directory.Length > 0, Quota = problems.Bytes(fleet, "updates.quota"), MinFree = problems.Bytes(fleet, "updates.min-free") },
            DeltaMaxFile: (int)Math.Min(problems.Bytes(fleet, "updates.delta-max-file"), ZstdDelta.MaxLength),
            KeepUnlisted: problems.Positive(fleet, "updates.keep-unlisted"),
            VendorRefresh: problems.Positive(fleet, "updates.vendor-refresh"),
            Lifetimes: new Lifetimes(
                Root: problems.Positive(fleet, "updates.root-lifetime"),
                Targets: problems.Positive(fleet, "updates.targets-lifetime"),
                Snapshot: problems.Positive(fleet, "updates.snapshot-lifetime"),
                Timestamp: problems.Positive(fleet, "updates.timestamp-lifetime")),
            Directory: directory);
    }
}
