using System.Collections;
using System.Net;
using Fleet.Messages.Networks;

namespace Fleet.Office.Discovery.Sweeps;

/// <summary>Which addresses of some ranges were asked and which have answered: a bit for each. One asks, others take answers meanwhile.</summary>
public sealed class Sweep
{
    private readonly Lock _guard = new();
    private readonly IReadOnlyList<AddressRange> _ranges;
    private readonly BitArray[] _answered;
    private readonly int _passes;
    private int _pass = 1;
    private (int Range, int Index) _next;
    private long _done;

    /// <param name="ranges">Checked by <see cref="RangeList"/>, so that the bits fit in memory.</param>
    /// <param name="passes">How often an address is asked that does not answer.</param>
    public Sweep(IReadOnlyList<AddressRange> ranges, int passes)
    {
        (_ranges, _passes) = (ranges, passes);
        _answered = [.. ranges.Select(r => new BitArray(checked((int)r.Count)))];
        Total = ranges.Sum(r => (long)r.Count);
    }

    public long Total { get; }

    /// <summary>Addresses that are done with: they answered, or were asked for the last time.</summary>
    public long Done => Interlocked.Read(ref _done);

    /// <summary>The next address of this pass that has not answered; null: the pass is through, and the next call begins another.</summary>
    public IPAddress? Next()
    {
        lock (_guard)
        {
            for (; _next.Range < _ranges.Count; _next = (_next.Range + 1, 0))
                while (_next.Index < _answered[_next.Range].Count)
                {
                    var index = _next.Index++;
                    if (_answered[_next.Range][index])
                        continue;
                    if (_pass == _passes)
                        Interlocked.Increment(ref _done);
                    return _ranges[_next.Range][(ulong)index];
                }

            (_pass, _next) = (_pass + 1, (0, 0));
            return null;
        }
    }

    /// <summary>An address answered; false where it is outside or had answered already.</summary>
    public bool Take(IPAddress address)
    {
        lock (_guard)
        {
            for (var range = 0; range < _ranges.Count; range++)
                if (_ranges[range].IndexOf(address) is { } index)
                {
                    if (_answered[range][(int)index])
                        return false;
                    _answered[range][(int)index] = true;
                    // Who was asked for the last time is counted already.
                    var askedLast = _pass > _passes || (_pass == _passes && (range, (int)index).CompareTo(_next) < 0);
                    if (!askedLast)
                        Interlocked.Increment(ref _done);
                    return true;
                }

            return false;
        }
    }
}
