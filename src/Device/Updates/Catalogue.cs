using Fleet.Updates.Tuf;
using Fleet.Updates.Tuf.Client;

namespace Fleet.Device.Updates;

/// <summary>Nothing can be brought now; it is tried again later. The message names sources and files.</summary>
internal sealed class NotBroughtException(string message) : Exception(message);

/// <summary>
/// What the repository lists, as fresh as headquarters says that it is: from the first source that shows a valid chain, by the same verifier for all. One
/// is for one turn.
/// </summary>
/// <param name="sources">In the order in which they are tried.</param>
/// <param name="store">What was trusted before.</param>
/// <param name="now">Headquarters' time, as far as it is known.</param>
/// <param name="floor">The newest timestamp version that headquarters told of.</param>
internal sealed class Catalogue(
    IReadOnlyList<UpdateSource> sources, IMetadataStore store, DateTimeOffset now, ulong floor, SourceOrder order, SourceIncidents incidents, TimeProvider clock, Random random)
{
    /// <summary>
    /// How long a distribution point may lag behind headquarters before headquarters itself is asked: a publication reaches devices by their syncs as fast as
    /// it reaches the mirror, and if all of them went around it the office's uplink would carry a copy each.
    /// </summary>
    public static readonly TimeSpan MayLag = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(2);

    private readonly List<string> _problems = [];
    private int? _lagging;
    private TufClient? _fresh;
    private int _next;

    /// <summary>Which sources were passed over, and why; empty: none.</summary>
    public string Problems => string.Join("; ", _problems);

    /// <summary>The file of that path; null: a fresh repository does not list it.</summary>
    /// <exception cref="NotBroughtException">No source shows a valid and fresh chain; each is named with its reason.</exception>
    public async Task<TargetFile?> Find(string path, CancellationToken stop)
    {
        while (true)
        {
            if (_fresh is null && _next == sources.Count)
                throw new NotBroughtException(sources.Count == 0 ? "headquarters named no source of updates" : Problems);
            if (_fresh is null && sources[_next].Address.IsHeadquarters && _lagging is { } lagging && incidents.FrozenFor(sources[lagging].Name) < MayLag)
            {
                await Task.Delay(LookAgain * (0.5 + random.NextDouble()), clock, stop).ConfigureAwait(false);
                (_next, _lagging) = (lagging, null);
                _problems.Clear();
            }

            // The source that stands at the present place gave what is fresh, and brings what is missing of it.
            var source = _fresh is null ? sources[_next++] : sources[_next - 1];
            try
            {
                if (_fresh is null)
                {
                    var client = new TufClient(source.Metadata, source.Targets, store, clock);
                    await client.RefreshAsync(now, (long)floor, stop).ConfigureAwait(false);
                    incidents.Fresh(source.Name);
                    _fresh = client;
                }

                return await _fresh.FindAsync(path, stop).ConfigureAwait(false);
            }
            catch (TufException fault)
            {
                _fresh = null;
                _problems.Add(Judge(source, fault));
            }
        }
    }

    private string Judge(UpdateSource source, TufException fault)
    {
        switch (fault.Fault)
        {
            // It may lag behind a publication of this minute, so its content is asked for all the same.
            case TufFault.Stale or TufFault.Rollback or TufFault.Expired:
                incidents.Frozen(source.Name, fault.Message);
                if (fault.Fault == TufFault.Stale && !source.Address.IsHeadquarters)
                    _lagging ??= _next - 1;
                return $"{source.Name} is frozen: {fault.Message}";
            case TufFault.Unsigned or TufFault.Malformed or TufFault.UnsafePath or TufFault.TooLarge or TufFault.TooMany:
                order.Lied(source.Name);
                incidents.Lied(source.Name, fault.Message);
                return $"{source.Name} lies: {fault.Message}";
            default:
                order.Failed(source.Name);
                return $"{source.Name}: {fault.Message}";
        }
    }
}
