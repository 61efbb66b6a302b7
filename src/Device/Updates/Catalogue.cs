using Fleet.Updates.Tuf;
using Fleet.Updates.Tuf.Client;

namespace Fleet.Device.Updates;

/// <summary>Nothing can be brought now; it is tried again later. The message names sources and files.</summary>
internal sealed class NotBroughtException(string message) : Exception(message);

/// <summary>
/// What a repository lists, the tenant's as fresh as headquarters says that it is: from the first source that shows a valid chain, by the same verifier for
/// all. One is for one turn.
/// </summary>
/// <param name="sources">In the order in which they are tried.</param>
/// <param name="vendor">Whose repository it is; null: the tenant's.</param>
/// <param name="store">What was trusted before.</param>
/// <param name="now">Headquarters' time, as far as it is known.</param>
/// <param name="floor">The newest timestamp version that headquarters told of.</param>
internal sealed class Catalogue(
    IReadOnlyList<UpdateSource> sources, PinnedVendor? vendor, IMetadataStore store, DateTimeOffset now, ulong floor, SourceOrder order, SourceIncidents incidents, TimeProvider clock, Random random)
{
    /// <summary>
    /// How long a distribution point may lag behind headquarters before headquarters itself is asked: a publication reaches devices by their syncs as fast as
    /// it reaches the mirror, and if all of them went around it the office's uplink would carry a copy each.
    /// </summary>
    public static readonly TimeSpan MayLag = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(2);

    private readonly List<string> _problems = [];
    private int? _lagging;
    private Fresh? _fresh;
    private int _next;

    /// <summary>Which sources were passed over, and why; empty: none.</summary>
    public string Problems => string.Join("; ", _problems);

    /// <summary>The file of that path; null: a fresh repository does not list it.</summary>
    /// <param name="enough">Whether what a source lists is what is looked for; else the next one may be further. Null: whatever is fresh is.</param>
    /// <exception cref="NotBroughtException">No source shows a valid and fresh chain; each is named with its reason.</exception>
    public async Task<TargetFile?> Find(string path, CancellationToken stop, Func<TargetFile?, bool>? enough = null)
    {
        (Fresh From, TargetFile? Found)? before = null;
        while (true)
        {
            if (_fresh is null && _next == sources.Count && before is { } newest)
            {
                // Whoever came behind it was no good.
                _fresh = newest.From;
                return newest.Found;
            }

            if (_fresh is null && _next == sources.Count)
                throw new NotBroughtException(sources.Count == 0 ? "headquarters named no source of updates" : Problems);
            if (_fresh is null && sources[_next].Address.IsHeadquarters && _lagging is { } lagging && incidents.FrozenFor(sources[lagging].Name) < MayLag)
            {
                await Task.Delay(LookAgain * (0.5 + random.NextDouble()), clock, stop).ConfigureAwait(false);
                (_next, _lagging) = (lagging, null);
                _problems.Clear();
            }

            // Who gave what is fresh brings what is missing of it.
            var source = _fresh?.Source ?? sources[_next++];
            try
            {
                if (_fresh is null)
                {
                    var client = new TufClient(vendor is null ? source.Metadata : source.MetadataOf(vendor.Name), source.Targets, store, clock);
                    await client.RefreshAsync(now, (long)floor, stop).ConfigureAwait(false);
                    incidents.Fresh(NameOf(source));
                    _fresh = new Fresh(source, client);
                }

                var found = await _fresh.Client.FindAsync(path, stop).ConfigureAwait(false);
                if (enough is null || enough(found))
                    return found;
                (before, _fresh) = ((_fresh, found), null);
            }
            catch (TufException fault)
            {
                _fresh = null;
                _problems.Add(Judge(source, fault));
            }
        }
    }

    private string NameOf(UpdateSource source) => vendor is null ? source.Name : $"{source.Name}, vendor {vendor.Name},";

    private string Judge(UpdateSource source, TufException fault)
    {
        var name = NameOf(source);
        switch (fault.Fault)
        {
            // It may lag behind a publication of this minute, so its content is asked for all the same.
            case TufFault.Stale or TufFault.Rollback or TufFault.Expired:
                incidents.Frozen(name, fault.Message);
                if (fault.Fault == TufFault.Stale && !source.Address.IsHeadquarters)
                    _lagging ??= _next - 1;
                return $"{name} is frozen: {fault.Message}";
            case TufFault.Unsigned or TufFault.Malformed or TufFault.UnsafePath or TufFault.TooLarge or TufFault.TooMany:
                // Where headquarters names another root for the vendor, its mirrors serve what is signed by that.
                if (vendor is null or { RefusedRoot.IsEmpty: true })
                    order.Lied(source.Name);
                incidents.Lied(name, fault.Message);
                return $"{name} lies: {fault.Message}";
            // It serves the tenant's all the same.
            case TufFault.Missing when vendor is not null:
                return $"{name} has nothing: {fault.Message}";
            default:
                order.Failed(source.Name);
                return $"{name}: {fault.Message}";
        }
    }

    private sealed record Fresh(UpdateSource Source, TufClient Client);
}
