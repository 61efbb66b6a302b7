namespace Fleet.Headquarters.Storage;

/// <summary>Where journal and snapshots lie. Carries a format number, so that a program too old for it leaves it alone.</summary>
public interface IJournalStore
{
    /// <summary>As linq2db names the kind of database.</summary>
    string ProviderName { get; }

    string ConnectionString { get; }

    /// <summary>Writes that run at once where the settings leave it to the store.</summary>
    int Parallelism { get; }

    /// <summary>Twins that recover at once where the settings leave it to the store.</summary>
    int Recoveries { get; }

    /// <summary>Whether <see cref="Prepare"/> makes the tables; else the journal's plugin does.</summary>
    bool MakesOwnTables { get; }

    /// <summary>Gives the highest position that was ever given.</summary>
    string LastPositionSql { get; }

    /// <summary>Has the next position follow this one.</summary>
    string SetLastPositionSql(long position);

    /// <summary>Begins a transaction whose reads all see the journal as it is at the first of them, and hold nobody up.</summary>
    string FreezeSql { get; }

    /// <summary>Looks at the journal at a moment when nobody is writing to it: then no position up to the newest is still to come.</summary>
    /// <param name="look">What comes to write waits for it: it is short.</param>
    Task<T> BetweenWrites<T>(Func<T> look, CancellationToken cancellation = default);

    /// <summary>How much of the disk it takes.</summary>
    StorageSize Size();

    /// <summary>Gives some of the space of deleted rows back to the disk, while others write.</summary>
    /// <returns>0: there is nothing to speak of, or the database does so by itself.</returns>
    int GiveBack();

    /// <summary>What went wrong and what to do, in words for an administrator.</summary>
    string Say(Exception fault);

    /// <summary>Makes it ready for use, or says why it can't be used; then nothing in it was touched.</summary>
    Task<string?> Prepare(CancellationToken cancellation = default);

    /// <summary>
    /// Whether an event lies between two positions that whoever reads in their order was not given: one whose write was slower than that of later ones.
    /// Waits for the writes that may still bring one.
    /// </summary>
    /// <param name="after">Everything up to here was read.</param>
    /// <param name="upTo">The newest position that was read.</param>
    /// <param name="read">What was read between.</param>
    Task<bool> HasMore(long after, long upTo, IReadOnlySet<long> read);
}

/// <summary>What is in a journal and must be known before it is used.</summary>
internal static class JournalFormat
{
    /// <summary>Raise it when an older program must not read what this one writes.</summary>
    public const int Current = 1;

    private const string Advice = "start the newer version, or restore a backup made by this one";

    public static string? Problem(string journal, int format) =>
        format > Current ? $"the journal {journal} has format {format} and this version of Fleet reads up to {Current}: {Advice}" : null;

    // A format number can be forgotten in a release; a kind of event that is not in the table can't be missed.
    public static string? Problem(string journal, IEnumerable<string> manifests) =>
        manifests.SelectMany(Messages.Serialization.Manifests.Names).FirstOrDefault(m => !Messages.Serialization.Manifests.All.ContainsKey(m)) is { } unknown
            ? $"the journal {journal} holds '{unknown}', which this version of Fleet does not know: {Advice}"
            : null;
}

/// <summary>The journal can't be used; the message says why and what to do.</summary>
public sealed class JournalRefusedException(string message) : Exception(message);
