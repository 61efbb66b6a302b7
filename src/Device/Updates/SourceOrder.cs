using Fleet.Device.Sync;

namespace Fleet.Device.Updates;

/// <summary>
/// In which order sources are tried, by what was seen of them: distribution points as planned, those far slower than the best behind them, then headquarters,
/// whose bytes come over the office's uplink, then those that failed, and last whoever lied. All of it is forgotten after a while. Not for several threads at once.
/// </summary>
/// <param name="returnAfter">About how long a failure counts; see <see cref="CarrierMemory"/>.</param>
/// <param name="headquartersAfter">How long distribution points may bring nothing before content is asked of headquarters.</param>
internal sealed class SourceOrder(TimeSpan returnAfter, TimeSpan headquartersAfter, TimeProvider clock, Random random)
{
    /// <summary>Slower than the best by this factor, a source is behind: less is the noise of a busy network.</summary>
    private const double MuchSlower = 4;

    /// <summary>Shorter transfers say more about latency than about throughput.</summary>
    private const long LeastMeasured = 1 << 18;

    private readonly CarrierMemory _failed = new(returnAfter, clock, random);
    private readonly CarrierMemory _lied = new(returnAfter * 4, clock, random);
    private readonly Dictionary<string, Measured> _rates = [];
    private string[] _points = [];
    private long? _withoutSince;

    /// <summary>The same for content, which is large: headquarters is no choice while a distribution point may be expected to bring it.</summary>
    public IReadOnlyList<UpdateAddress> OrderForContent(IReadOnlyList<UpdateAddress> plan)
    {
        var order = Order(plan);
        return _points.Any(p => !_lied.IsAvoided(p)) && !(_withoutSince is { } since && clock.GetElapsedTime(since) >= headquartersAfter)
            ? [.. order.Where(a => !a.IsHeadquarters)]
            : order;
    }

    public IReadOnlyList<UpdateAddress> Order(IReadOnlyList<UpdateAddress> plan)
    {
        string[] names = [.. plan.Select(a => a.Name)];
        _points = [.. plan.Where(a => !a.IsHeadquarters).Select(a => a.Name)];
        // They forget whoever is not named any more.
        _failed.Order(names);
        _lied.Order(names);
        foreach (var (old, _) in _rates.Where(r => !names.Contains(r.Key) || clock.GetElapsedTime(r.Value.At) > returnAfter).ToList())
            _rates.Remove(old);
        var best = plan.Where(a => !a.IsHeadquarters && !_failed.IsAvoided(a.Name)).Select(a => RateOf(a) ?? 0).DefaultIfEmpty().Max();
        return [.. plan.OrderBy(Rank)];

        int Rank(UpdateAddress address) => address switch
        {
            _ when _lied.IsAvoided(address.Name) => 4,
            _ when _failed.IsAvoided(address.Name) => 3,
            { IsHeadquarters: true } => 2,
            _ => RateOf(address) * MuchSlower < best ? 1 : 0,
        };
    }

    public void Failed(string name) => _failed.Fail(name);

    public void Lied(string name) => _lied.Fail(name);

    /// <summary>None of the sources that were asked had a file.</summary>
    public void BroughtNothing() => _withoutSince ??= clock.GetTimestamp();

    /// <summary>A whole file came from one source.</summary>
    public void Measure(string name, long bytes, TimeSpan taken)
    {
        if (_points.Contains(name))
            _withoutSince = null;
        if (bytes >= LeastMeasured && taken > TimeSpan.Zero)
            _rates[name] = new Measured(bytes / taken.TotalSeconds, clock.GetTimestamp());
    }

    private double? RateOf(UpdateAddress address) => _rates.GetValueOrDefault(address.Name)?.BytesPerSecond;

    private sealed record Measured(double BytesPerSecond, long At);
}
