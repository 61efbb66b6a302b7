namespace Fleet.Messages.Admission;

/// <summary>
/// A limit for each identity, so that one that floods costs the others nothing. Never by address: a translator puts hundreds behind one. Bounded:
/// identities without debts are forgotten first, and those are told nothing they would have been refused. For several threads.
/// </summary>
/// <param name="perSecond">Admitted a second for each identity in the long run.</param>
/// <param name="burst">How often one may come at once after a quiet time.</param>
public sealed class IdentityRates<TKey>(double perSecond, int burst)
    where TKey : notnull
{
    private const int MaximumRemembered = 50_000;

    private readonly Lock _gate = new();
    private readonly Dictionary<TKey, AdmissionRate> _rates = [];

    /// <summary>Null to come in now, or how long to wait.</summary>
    public TimeSpan? Wait(TKey identity, DateTimeOffset now, double chance)
    {
        lock (_gate)
        {
            if (!_rates.TryGetValue(identity, out var rate))
            {
                if (_rates.Count >= MaximumRemembered)
                    Forget(now);
                rate = _rates[identity] = new AdmissionRate(perSecond, burst);
            }

            return rate.Wait(now, chance);
        }
    }

    private void Forget(DateTimeOffset now)
    {
        foreach (var (identity, _) in _rates.Where(r => r.Value.IsIdle(now)).ToList())
            _rates.Remove(identity);
        // Fifty thousand identities in debt at once: the limit of each is then less important than memory.
        if (_rates.Count >= MaximumRemembered)
            _rates.Clear();
    }
}
