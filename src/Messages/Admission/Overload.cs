namespace Fleet.Messages.Admission;

/// <summary>
/// What a server puts off when it can't do all, what is missed least first: at level 1 lists, at 2 enrolments as well, at 3 reports too; reports alone where it
/// takes them faster than it shows them. Links, wake-ups, presence and what an administrator decides are never put off.
/// </summary>
public enum Deferrable
{
    /// <summary>Lists for people and programs, and what polls of networks see.</summary>
    Lists = 1,

    /// <summary>Nodes and devices that want to join.</summary>
    Enrolments = 2,

    /// <summary>Changed reports of devices: their carriers keep them.</summary>
    Reports = 3,
}

/// <summary>Whether a server is overloaded, as all its parts see it. Set by whoever watches it; read from any thread, at next to no cost.</summary>
/// <param name="told">Told of each thing that is put off.</param>
public sealed class Overload(Action<Deferrable>? told = null)
{
    /// <summary>Middle of the wait that is named to who is put off: about as long as a level lasts at least.</summary>
    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(10);

    private volatile OverloadStand _stand = OverloadStand.None;

    /// <summary>Of parts that nobody watches: they put nothing off.</summary>
    public static Overload None { get; } = new();

    /// <summary>Why lists and enrolments are put off, for people; empty: they are not.</summary>
    public string Why => _stand.Why;

    public void Set(OverloadStand stand) => _stand = stand;

    /// <summary>Null: do it now. Else how long whoever wants it should wait, already spread; it counts as put off.</summary>
    public TimeSpan? PutOff(Deferrable what)
    {
        if (!_stand.PutsOff(what))
            return null;
        told?.Invoke(what);
        return Wait * (0.5 + Random.Shared.NextDouble());
    }
}
