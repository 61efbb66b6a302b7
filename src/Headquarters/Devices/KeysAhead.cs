using Fleet.Headquarters.Identity;
using Fleet.Messages.Admission;

namespace Fleet.Headquarters.Devices;

/// <summary>
/// Derives the keys that headquarters shares with devices before they are needed, for all twins of this headquarters node at one slow pace: whoever wakes a hundred thousand devices at once
/// would wait half a minute for theirs. Thread-safe.
/// </summary>
/// <param name="most">No more are derived: they would push out the first.</param>
public sealed class KeysAhead(ICertificateIssuer issuer, TimeProvider clock, int most)
{
    /// <summary>Each takes about 0.2 ms: a tenth of one processor, for three minutes and a half where there are 100,000 devices.</summary>
    private const int PerSecond = 500;

    private readonly Lock _gate = new();
    private readonly AdmissionRate _rate = new(PerSecond, burst: 10);
    private int _derived;

    /// <summary>A twin that began waits this long: until then there is other work.</summary>
    public static TimeSpan After { get; } = TimeSpan.FromMinutes(1);

    /// <summary>Derives a device's keys where it is its turn.</summary>
    /// <returns>Whether nothing is left to do for it; false: it is not its turn yet.</returns>
    public bool Has(Device device)
    {
        if (issuer.HasKeysFor(device.Id, device.Proven))
            return true;
        lock (_gate)
        {
            if (_derived == most)
                return true;
            if (_rate.Wait(clock.GetUtcNow(), chance: 0) is not null)
                return false;
            _derived++;
        }

        issuer.KeysFor(device.Id, device.Proven);
        return true;
    }
}
