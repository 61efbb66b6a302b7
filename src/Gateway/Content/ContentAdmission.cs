using Microsoft.AspNetCore.Http;

namespace Fleet.Gateway.Content;

/// <summary>
/// How many transfers go on at a time, of all together and of one device; who comes beyond that is asked to come back, so that those under way end soon.
/// A device is known by its certificate; where none is asked for only the first limit holds. Thread-safe.
/// </summary>
/// <param name="most">Transfers at a time.</param>
/// <param name="mostOfOne">Of one device.</param>
/// <param name="comeBackIn">When who is turned away should come again.</param>
public sealed class ContentAdmission(int most, int mostOfOne, TimeSpan comeBackIn)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _ofOne = [];
    private int _inside;

    public TimeSpan ComeBackIn => comeBackIn;

    /// <summary>Transfers under way.</summary>
    public int Inside
    {
        get
        {
            lock (_lock)
                return _inside;
        }
    }

    /// <summary>A place, left when it is disposed; null: none is free.</summary>
    public IDisposable? Enter(HttpContext http) => Enter(http.Connection.ClientCertificate?.Thumbprint);

    /// <param name="who">Null: nobody knows.</param>
    public IDisposable? Enter(string? who)
    {
        lock (_lock)
        {
            var own = who is null ? 0 : _ofOne.GetValueOrDefault(who);
            if (_inside >= most || own >= mostOfOne)
                return null;
            _inside++;
            if (who is not null)
                _ofOne[who] = own + 1;
            return new Place(this, who);
        }
    }

    private void Leave(string? who)
    {
        lock (_lock)
        {
            _inside--;
            if (who is not null && --_ofOne[who] == 0)
                _ofOne.Remove(who);
        }
    }

    private sealed class Place(ContentAdmission of, string? who) : IDisposable
    {
        private int _left;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _left, 1) == 0)
                of.Leave(who);
        }
    }
}
