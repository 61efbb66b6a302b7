using System.Net;
using Fleet.Messages.Link;
using Fleet.Messages.Networks;

namespace Fleet.Office.Discovery;

/// <summary>What one run is asked for.</summary>
/// <param name="Ranges">For IP ranges; empty: the machine's own subnets.</param>
/// <param name="Directories">For LDAP.</param>
public sealed record PollOrder(PollMethod Method, bool Full, IReadOnlyList<AddressRange> Ranges, IReadOnlyList<DirectoryServer> Directories);

/// <summary>A way of looking at the network.</summary>
public interface IPollMethod
{
    /// <summary>Runs to its end, and tells <paramref name="run"/> all the way.</summary>
    /// <exception cref="PollFailedException">Nothing could be seen at all.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    Task Run(PollRun run, CancellationToken stop);
}

/// <summary>Nothing could be seen; the message says why and what to do, for a person.</summary>
public sealed class PollFailedException(string message) : Exception(message);

/// <summary>One run under way: what it is asked for, how fast it may be, and what it has come to. For any number of threads.</summary>
/// <param name="whole">The pace of all runs of the node together.</param>
/// <param name="see">Called with what is known of a device so far, whenever that became more, by whichever thread.</param>
public sealed class PollRun(PollOrder order, Pace whole, TimeProvider clock, Action<Sighting> see)
{
    /// <summary>Different devices of one run: more than an office has, and a bound on what a flooder can make the node remember.</summary>
    private const int MaxFound = 10_000;

    /// <summary>Sentences about what can't be seen.</summary>
    private const int MaxBlind = 20;

    private readonly Lock _guard = new();
    private readonly Dictionary<string, Sighting> _seen = [];
    private readonly List<string> _blind = [];
    private Func<(long Done, long Total)> _progress = () => (0, 0);

    public PollOrder Order { get; } = order;

    public Pace Pace { get; } = new(whole);

    public TimeProvider Clock { get; } = clock;

    public DateTimeOffset StartedAt { get; } = clock.GetUtcNow();

    /// <summary>What this node can't see and why, a sentence each.</summary>
    public IReadOnlyList<string> Blind
    {
        get
        {
            lock (_guard)
                return [.. _blind];
        }
    }

    public int Found
    {
        get
        {
            lock (_guard)
                return _seen.Count;
        }
    }

    /// <summary>How far it is, in what the method counts; a total of zero is not known yet.</summary>
    public (int Done, int Total) Progress => _progress() is var (done, total) ? ((int)Math.Min(done, int.MaxValue), (int)Math.Min(total, int.MaxValue)) : default;

    public void ProgressIs(Func<(long Done, long Total)> progress) => _progress = progress;

    /// <summary>A device was seen, or more of it.</summary>
    public void See(MacAddress? mac, IEnumerable<IPAddress> addresses, IEnumerable<SeenName> names, IEnumerable<SeenService> services, string identity = "", string operatingSystem = "")
    {
        var seen = SightingRule.Made(Clock.GetUtcNow(), mac, identity, addresses, names, services, operatingSystem);
        if (SightingRule.KeyOf(seen) is not { } key)
            return;
        lock (_guard)
        {
            if (!_seen.TryGetValue(key, out var before) && _seen.Count >= MaxFound)
            {
                CannotSee($"more than {MaxFound} devices: the rest is not told");
                return;
            }

            _seen[key] = seen = before is null ? seen : SightingRule.Joined(before, seen);
        }

        see(seen);
    }

    public void CannotSee(string what)
    {
        what = SeenText.Cut(what);
        lock (_guard)
            if (_blind.Count < MaxBlind && !_blind.Contains(what))
                _blind.Add(what);
    }
}
