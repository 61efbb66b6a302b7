using System.Collections.Concurrent;
using System.Runtime.Serialization;
using Akka.Actor;
using Fleet.Headquarters.ReadModel;

namespace Fleet.Headquarters.Offices;

/// <summary>
/// The twins of this node that could not be read from the journal. Such a twin does not guess what the missing row said, and must not write behind it: it
/// refuses what it is asked, names the row, and looks now and then whether it was mended or taken out. Thread-safe.
/// </summary>
/// <param name="find">What of a twin can't be read; also notes it for people.</param>
public sealed class UnreadableTwins(Func<string, IReadOnlyList<UnreadableRow>> find)
{
    /// <summary>How often a twin looks whether its rows can be read again.</summary>
    public static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<string, string> _setAside = new();

    public static UnreadableTwins None { get; } = new(_ => []);

    public bool IsSetAside(string persistenceId) => _setAside.ContainsKey(persistenceId);

    /// <summary>Why it is.</summary>
    public string Why(string persistenceId) => _setAside.GetValueOrDefault(persistenceId, "");

    /// <summary>Whether a twin's recovery failed because a row can't be read: then it is set aside at its next start.</summary>
    public bool SetAside(string persistenceId, Exception fault)
    {
        for (var cause = fault; cause is not null; cause = cause.InnerException)
            if (cause is SerializationException)
            {
                _setAside[persistenceId] = $"the journal of {persistenceId} holds a row that can't be read ({cause.Message.TrimEnd('.')})";
                return true;
            }

        return false;
    }

    /// <summary>Looks at the twin's rows, and tells it what it saw (<see cref="RowsSeen"/>).</summary>
    public void Look(string persistenceId, IActorRef twin) => Task.Run(() => AllReadable(persistenceId)).PipeTo(twin, success: all => new RowsSeen(all), failure: _ => new RowsSeen(false));

    public void TakeBack(string persistenceId) => _setAside.TryRemove(persistenceId, out _);

    private bool AllReadable(string persistenceId)
    {
        if (find(persistenceId) is not [var first, ..] rows)
            return true;
        _setAside[persistenceId] =
            $"{first.Kind} {first.SequenceNr} of {persistenceId} in the journal ({first.Manifest}) can't be read{(rows.Count > 1 ? $", nor can {rows.Count - 1} more rows" : "")}: {first.Why}. Restore a backup, or see docs/operations.md, \"A row that can't be read\"; everything else serves";
        return false;
    }
}

/// <summary>To a twin that is set aside: whether all of its rows can be read again.</summary>
internal sealed record RowsSeen(bool AllReadable);
