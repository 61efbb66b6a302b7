namespace Fleet.Swarm.Offices;

/// <summary>What the swarm has done and seen since it began. Counted from many threads.</summary>
internal sealed class SwarmCounts
{
    private readonly long[] _counts = new long[Enum.GetValues<Count>().Length];

    public long this[Count what] => Interlocked.Read(ref _counts[(int)what]);

    public void Add(Count what, long number = 1) => Interlocked.Add(ref _counts[(int)what], number);

    public IReadOnlyDictionary<string, long> All() => Enum.GetValues<Count>().ToDictionary(c => c.ToString(), c => this[c]);
}

internal enum Count
{
    /// <summary>Links that are up now.</summary>
    Links,

    /// <summary>Devices that keep a line open at a linked office.</summary>
    Lines,

    /// <summary>Devices that exist.</summary>
    Devices,

    /// <summary>Links that came up, ever.</summary>
    Linked,

    /// <summary>Links that ended without the swarm's doing.</summary>
    Lost,

    /// <summary>Dials that came to nothing.</summary>
    Unreached,

    /// <summary>Hellos that the door refused.</summary>
    NotWelcome,

    /// <summary>Messages of the link, sent.</summary>
    Up,

    /// <summary>Messages of the link, got.</summary>
    Down,

    /// <summary>Frames that headquarters has stored.</summary>
    FramesStored,

    /// <summary>Reports that devices sealed.</summary>
    Reports,

    /// <summary>Reports that headquarters has.</summary>
    ReportsStored,

    /// <summary>Devices that enrolled in this run.</summary>
    Enrolled,

    /// <summary>Enrolments that were refused.</summary>
    EnrolmentsRefused,

    /// <summary>Wake orders that came.</summary>
    Wakes,

    /// <summary>Wake orders that were not genuine.</summary>
    WakesForged,

    /// <summary>What hostile nodes have sent.</summary>
    Hostile,
}
