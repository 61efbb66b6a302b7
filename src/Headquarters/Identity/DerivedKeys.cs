using System.Collections.Concurrent;
using Fleet.Contracts;
using Fleet.Contracts.Envelopes;

namespace Fleet.Headquarters.Identity;

/// <summary>
/// The newest-used of the keys that headquarters shares with devices: deriving one costs about 0.1 ms of a processor, keeping it about 350 bytes. What was not used
/// while as many others were goes. Thread-safe.
/// </summary>
/// <param name="most">Keys in each of two generations: so many are kept at least, twice as many at most.</param>
internal sealed class DerivedKeys(int most)
{
    /// <summary>A fleet of 100,000 devices keeps all, also while its certificates are renewed.</summary>
    public const int Usual = 150_000;

    private readonly Lock _turn = new();
    private volatile ConcurrentDictionary<(DeviceId, string Serial), EnvelopeKeys> _young = new();
    private volatile ConcurrentDictionary<(DeviceId, string Serial), EnvelopeKeys> _old = new();
    private int _count;

    public EnvelopeKeys? Find(DeviceId device, string serial)
    {
        if (_young.TryGetValue((device, serial), out var known))
            return known;
        if (!_old.TryGetValue((device, serial), out known))
            return null;
        Keep(serial, known);
        return known;
    }

    public void Keep(string serial, EnvelopeKeys keys)
    {
        // Counted here: the dictionary's own count locks all of it.
        if (_young.TryAdd((keys.Device, serial), keys) && Interlocked.Increment(ref _count) >= most)
            Turn();
    }

    private void Turn()
    {
        lock (_turn)
        {
            if (_count < most)
                return;
            (_old, _young, _count) = (_young, new(), 0);
        }
    }
}
