using Fleet.Contracts.Envelopes;
using Fleet.Device.Identity;

namespace Fleet.Device.Push;

/// <summary>
/// Which wake signals count: those that headquarters signed for this device, each once. Thread-safe; keys are derived once a generation, so that a flood
/// of forged signals costs one hash each.
/// </summary>
/// <param name="newest">The counter of the newest signal that was accepted before.</param>
public sealed class WakeJudge(ulong newest)
{
    private readonly Lock _lock = new();
    private ulong _newest = newest;
    private DeviceIdentity? _identity;
    private EnvelopeKeys?[] _keys = [];

    /// <summary>Signals that nobody at headquarters made, so far.</summary>
    public long Forged { get; private set; }

    /// <summary>Whether the signal is genuine and newer than all before.</summary>
    public bool Accepts(ReadOnlySpan<byte> signal, DeviceIdentity identity, out ulong counter)
    {
        counter = 0;
        if (WakeSignal.Read(signal) is not { } read)
            return false;
        lock (_lock)
        {
            // A replay is the cheaper thing to see, and the more likely one: each datagram comes three times.
            if (read.Counter <= _newest)
                return false;
            if (KeysOf(read.Generation, identity) is not { } keys || !WakeSignal.IsGenuine(keys, signal))
            {
                Forged++;
                return false;
            }

            counter = _newest = read.Counter;
            return true;
        }
    }

    private EnvelopeKeys? KeysOf(uint generation, DeviceIdentity identity)
    {
        if (!ReferenceEquals(identity, _identity))
            (_identity, _keys) = (identity, [.. new[] { identity.Current, identity.Previous }.Select(k => k is null ? null : identity.KeysOf(k.Generation))]);
        return Array.Find(_keys, k => k?.Generation == generation);
    }
}
