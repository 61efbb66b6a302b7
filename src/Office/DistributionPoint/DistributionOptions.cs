using System.Net;
using Akka.Configuration;
using Fleet.Messages.Settings;
using Fleet.Updates.Content;
using Fleet.Updates.Deltas;

namespace Fleet.Office.DistributionPoint;

/// <summary>Block <c>fleet.distribution</c>: this node as a distribution point.</summary>
/// <param name="PlainPort">For <c>apt</c>, which has no certificate of Fleet's; 0 lets the system choose.</param>
/// <param name="PlainContent">Devices too are sent to the plain port.</param>
/// <param name="Addresses"><c>host:port</c> for the office's devices; empty: the machine's own.</param>
/// <param name="DeltaMaxFile">Bytes of the longest file that is built of a delta.</param>
/// <param name="AnswerWithin">How long somebody who asks for content on its way waits before he is told to ask again.</param>
/// <param name="AptFreshFor">How long a release of an APT repository is passed on before its source is asked again.</param>
/// <param name="RefreshEvery">How often the sources are asked for something new, besides when headquarters says that there is.</param>
/// <param name="RetryAfter">First wait after a run that lacks something; doubles up to <paramref name="RefreshEvery"/>.</param>
/// <param name="KeepUnused">How long content stays that nothing wanted names, since it was last used.</param>
/// <param name="ScrubEvery">How often every file on the disk is hashed.</param>
/// <param name="ScrubRate">Bytes a second that are read for that.</param>
/// <param name="CountsEvery">Headquarters hears of changed counts at most this often.</param>
public sealed record DistributionOptions(
    IPAddress Bind,
    int Port,
    int PlainPort,
    bool PlainContent,
    IReadOnlyList<string> Addresses,
    int MaxTransfers,
    int MaxTransfersOfOne,
    BlobStoreOptions Content,
    int DeltaMaxFile,
    TimeSpan AnswerWithin,
    TimeSpan AptFreshFor,
    TimeSpan RefreshEvery,
    TimeSpan RetryAfter,
    TimeSpan KeepUnused,
    TimeSpan ScrubEvery,
    long ScrubRate,
    TimeSpan CountsEvery)
{
    public static DistributionOptions From(Config fleet, Problems problems) => new(
        Bind: problems.Address(fleet, "distribution.bind"),
        Port: problems.Port(fleet, "distribution.port"),
        PlainPort: problems.Port(fleet, "distribution.plain-port"),
        PlainContent: problems.Switch(fleet, "distribution.plain-content"),
        Addresses: problems.Texts(fleet, "distribution.addresses"),
        MaxTransfers: problems.Number(fleet, "distribution.max-transfers", 1, 100_000),
        MaxTransfersOfOne: problems.Number(fleet, "distribution.max-transfers-of-one", 1, 100_000),
        Content: BlobStoreOptions.Default with { Quota = problems.Bytes(fleet, "distribution.quota"), MinFree = problems.Bytes(fleet, "distribution.min-free") },
        DeltaMaxFile: (int)Math.Min(problems.Bytes(fleet, "distribution.delta-max-file"), ZstdDelta.MaxLength),
        AnswerWithin: problems.Positive(fleet, "distribution.answer-within"),
        AptFreshFor: problems.Positive(fleet, "distribution.apt-fresh-for"),
        RefreshEvery: problems.Positive(fleet, "distribution.refresh-every"),
        RetryAfter: problems.Positive(fleet, "distribution.retry-after"),
        KeepUnused: problems.Positive(fleet, "distribution.keep-unused"),
        ScrubEvery: problems.Positive(fleet, "distribution.scrub-every"),
        ScrubRate: problems.Bytes(fleet, "distribution.scrub-rate"),
        CountsEvery: problems.Positive(fleet, "distribution.counts-every"));
}
