using Akka.Actor;
using Fleet.Contracts;
using Fleet.Headquarters.Api;
using Fleet.Headquarters.ReadModel;
using Fleet.Messages.Cluster;

namespace Fleet.Headquarters.Storage;

/// <summary>What headquarters keeps, as any of its nodes sees it, and what can be asked of who writes the read model. Thread-safe.</summary>
/// <param name="writer">Takes <see cref="RebuildReadModel"/>.</param>
public sealed class StorageView(StorageProvider provider, IJournalStore journal, ReadModelStore readModel, IActorRef writer, TimeSpan timeout)
{
    public async Task<StorageStanding> Look()
    {
        var sizes = await Task.Run(() => StorageSizes.Of(journal, readModel));
        var rebuild = await readModel.Fact(RebuildFacts.Reached) is { } at ? new RebuildProgress(at, Math.Max(at, await readModel.Fact(RebuildFacts.End) ?? 0)) : null;
        return new StorageStanding(provider, sizes, await readModel.Position(), rebuild, await readModel.Fact(RebuildFacts.Done) is { } done ? DateTimeOffset.FromUnixTimeMilliseconds(done) : null);
    }

    /// <summary>Lets the read model be written anew while it serves.</summary>
    /// <returns>Why not; null: it has begun.</returns>
    public async Task<Refusal?> Rebuild(string by)
    {
        try
        {
            return (await writer.Ask<ReadModelRebuilding>(new RebuildReadModel(by), timeout)).Begun ? null : new Refusal(RefusalCode.AlreadyExists, "the read model is being written anew already: 'fleet storage' shows how far it is");
        }
        catch (AskTimeoutException)
        {
            return new Refusal(RefusalCode.Busy, $"the headquarters node that writes the read model did not answer within {timeout.TotalSeconds:0} s; try again in a moment");
        }
    }
}

/// <param name="Position">The row of the journal up to which the read model has followed it.</param>
/// <param name="Rebuild">Null: none is under way.</param>
/// <param name="RebuiltAt">When the last was through; null: none since the tables were made.</param>
public sealed record StorageStanding(StorageProvider Provider, StorageSizes Sizes, long Position, RebuildProgress? Rebuild, DateTimeOffset? RebuiltAt);

/// <param name="Reached">The row of the journal that it is at.</param>
/// <param name="End">The one that it goes to; 0: it has not looked yet.</param>
public sealed record RebuildProgress(long Reached, long End);
