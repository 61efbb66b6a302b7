namespace Fleet.Gateway.Content;

/// <summary>How many transfers go on at a time; who comes beyond that is asked to come back, so that those under way end soon. Thread-safe.</summary>
/// <param name="most">Transfers at a time.</param>
/// <param name="comeBackIn">When who is turned away should come again.</param>
public sealed class ContentAdmission(int most, TimeSpan comeBackIn)
{
    private int _inside;

    public TimeSpan ComeBackIn => comeBackIn;

    /// <summary>Transfers under way.</summary>
    public int Inside => Volatile.Read(ref _inside);

    /// <summary>A place, left when it is disposed; null: none is free.</summary>
    public IDisposable? Enter()
    {
        if (Interlocked.Increment(ref _inside) <= most)
            return new Place(this);
        Interlocked.Decrement(ref _inside);
        return null;
    }

    private sealed class Place(ContentAdmission of) : IDisposable
    {
        private int _left;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _left, 1) == 0)
                Interlocked.Decrement(ref of._inside);
        }
    }
}
