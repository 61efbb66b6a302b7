using Fleet.Contracts;
using Fleet.Device.Identity;
using Fleet.Device.Settings;
using Fleet.Device.Sync;

namespace Fleet.Device.Updates;

/// <summary>The sources that a device may ask, their connections kept while they are named. Not for several threads at once.</summary>
internal sealed class UpdateSources(ByteDialler dial, DeviceOptions options, TimeProvider clock, Random random) : IDisposable
{
    private readonly Dictionary<UpdateAddress, UpdateSource> _open = [];
    private (uint Generation, OfficeId Office) _shown;

    public SourceOrder Order { get; } = new(options.ReturnAfter, options.Updates.HeadquartersAfter, clock, random);

    /// <summary>Best first, by what was seen of them.</summary>
    /// <param name="content">For content rather than for lists, as <see cref="SourceOrder.OrderForContent"/> says.</param>
    public IReadOnlyList<UpdateSource> InOrder(IReadOnlyList<UpdateAddress> plan, DeviceIdentity identity, OfficeId office, bool content)
    {
        var shown = (identity.Current.Generation, office);
        foreach (var (address, source) in _open.Where(o => shown != _shown || !plan.Contains(o.Key)).ToList())
        {
            source.Dispose();
            _open.Remove(address);
        }

        _shown = shown;
        return [.. (content ? Order.OrderForContent(plan) : Order.Order(plan)).Select(address => _open.TryGetValue(address, out var open) ? open : _open[address] = new UpdateSource(address, dial, identity, office, options, clock))];
    }

    public void Dispose()
    {
        foreach (var source in _open.Values)
            source.Dispose();
        _open.Clear();
    }
}
