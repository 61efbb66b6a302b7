using Fleet.Messages.Admission;

namespace Fleet.Headquarters.Links;

/// <summary>
/// What the links give headquarters to do, and what it asks of the nodes because of it: how fast it lets them in, and within what time they should come
/// back if it is lost. Shared by the door and its links, which run side by side.
/// </summary>
/// <param name="hellosPerSecond">The most nodes let in a second.</param>
internal sealed class DoorLoad(int hellosPerSecond, LoadMeter meter, TimeProvider clock)
{
    /// <summary>
    /// Of what the links bring a second in quiet times, the part that may come as returning nodes. One brings about five messages (connection, Hello,
    /// announce, ping, frame) and draws a write to the journal: with this the peak stays under three times the quiet load.
    /// </summary>
    private const double ReturnsPerQuietMessage = 0.2;

    /// <summary>Nodes a second that no headquarters feels, however quiet it is: small fleets need not wait.</summary>
    private const double Unfelt = 7;

    /// <summary>
    /// Quiet is worth so much and no more: a node that lost headquarters waits up to half of this, so that a thousand offices are back within 20 s of its return. Only
    /// what can't be let in faster takes longer.
    /// </summary>
    private static readonly TimeSpan LongestForQuiet = TimeSpan.FromSeconds(36);

    /// <summary>
    /// A headquarters that begins reads all its offices at once, with all its processors: nodes that wait for that to end come in no cheaper afterwards. How many
    /// are inside at a time is bounded besides (<see cref="IsFull"/>).
    /// </summary>
    private const double LeastSpeed = 0.5;

    /// <summary>Longer than a headquarters that begins takes to read its offices: that they wait for that says nothing about those behind them.</summary>
    private static readonly TimeSpan Memory = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan ShortMemory = TimeSpan.FromSeconds(5);

    /// <summary>
    /// So long the last of those that wait for their twin should wait at most. A node takes a Hello that is not answered for twice its connect timeout (10 s) for a failure and comes in anew, while
    /// its twin still begins for the old link: with 200 that wait where about 25 a second are welcomed, 111 of 1,000 did (bench/results/2026-11-28.md).
    /// </summary>
    private static readonly TimeSpan AnsweredWithin = TimeSpan.FromSeconds(4);

    /// <summary>So many may wait whatever the rate: enough that twins never lack work.</summary>
    private const int LeastOpening = 40;

    private readonly WelcomeRate _welcomed = new(hellosPerSecond, Memory, clock);
    private readonly WelcomeRate _recently = new(hellosPerSecond / AnsweredWithin.TotalSeconds, ShortMemory, clock);
    private int _linked;
    private int _opening;

    /// <summary>Links that are welcome.</summary>
    public int Linked => Volatile.Read(ref _linked);

    /// <summary>Links that wait for their office's twin.</summary>
    public int Opening => Volatile.Read(ref _opening);

    /// <summary>The share of the processors that this process uses, from 0 to 1.</summary>
    public double Processors => meter.Now.Processors;

    /// <summary>
    /// Nodes that may be let in a second now: no faster than twins welcome them. Those who must wait are told by it when to come again, and each that comes in vain costs a handshake: with 200 a
    /// second told where 20 were welcomed, 41,500 came in vain while 1,200 got in (bench/results/2026-11-28.md).
    /// </summary>
    public double AdmittedPerSecond
    {
        get
        {
            var most = MostPerSecond;
            return Math.Clamp(_welcomed.PerSecond(manyWait: Opening >= MostOpening / 2), Math.Min(Unfelt, most), most);
        }
    }

    private double MostPerSecond => hellosPerSecond * LoadRule.Speed(meter.Now.Processors, LeastSpeed);

    private int MostOpening => (int)Math.Round(Math.Min(hellosPerSecond, Math.Max(LeastOpening, _recently.PerSecond(manyWait: Opening >= LeastOpening) * AnsweredWithin.TotalSeconds)));

    /// <summary>So many links wait for their office's twin that another would only wait as well.</summary>
    public bool IsFull => Opening >= MostOpening;

    /// <summary>
    /// Within which all nodes should come back, told to each while it is linked. Not by how few twins welcome while many come in: that says what the door has to do in such a minute, and a node that keeps it
    /// for later stays away for minutes after the storm is over (1,367 s were told once, and the last 16 of 1,000 came 200 s after the others; bench/results/2026-11-28.md).
    /// </summary>
    public TimeSpan ReturnWithin
    {
        get
        {
            var (linked, now) = (Volatile.Read(ref _linked), meter.Now);
            var (quiet, fastest) = (LoadRule.Window(linked, Math.Max(Unfelt, now.PerSecond * ReturnsPerQuietMessage)), LoadRule.Window(linked, MostPerSecond));
            var wanted = quiet < LongestForQuiet ? quiet : LongestForQuiet;
            return wanted > fastest ? wanted : fastest;
        }
    }

    /// <summary>One message of a node was taken.</summary>
    public void Took() => meter.Took();

    /// <summary>A link was made, and waits for its office's twin.</summary>
    public void Opens() => Interlocked.Increment(ref _opening);

    /// <summary>A link's twin answered, or the link is over before that.</summary>
    public void Opened(bool welcome)
    {
        Interlocked.Decrement(ref _opening);
        if (!welcome)
            return;
        Interlocked.Increment(ref _linked);
        _welcomed.Welcomed();
        _recently.Welcomed();
    }

    /// <summary>A link that was welcome is over.</summary>
    public void Closed() => Interlocked.Decrement(ref _linked);
}
