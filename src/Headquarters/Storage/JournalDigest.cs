using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Fleet.Headquarters.Storage;

/// <summary>
/// What a journal holds of each twin, in a form that is the same wherever the rows lie: how many events and snapshots, and a SHA-256 over all their
/// fields in order. Positions are among them, so that rows in another order differ.
/// </summary>
internal sealed class JournalDigest : IDisposable
{
    private readonly Dictionary<string, Twin> _twins = [];

    public long Events { get; private set; }

    public long Snapshots { get; private set; }

    /// <summary>The newest position among the events.</summary>
    public long LastPosition { get; private set; }

    /// <summary>Adds each event as it passes.</summary>
    public IEnumerable<JournalRow> Over(IEnumerable<JournalRow> rows)
    {
        foreach (var row in rows)
        {
            var twin = TwinOf(row.PersistenceId);
            twin.Add(row.Ordering, row.Created, row.Deleted ? 1 : 0, row.SequenceNr, row.SerializerId ?? -1);
            twin.Add(row.Message);
            twin.Add(row.Manifest);
            twin.Add(row.Writer);
            twin.Events++;
            Events++;
            LastPosition = row.Ordering;
            yield return row;
        }
    }

    /// <summary>Adds each snapshot as it passes.</summary>
    public IEnumerable<SnapshotRow> Over(IEnumerable<SnapshotRow> rows)
    {
        foreach (var row in rows)
        {
            var twin = TwinOf(row.PersistenceId);
            twin.Add(row.SequenceNr, row.Created, row.SerializerId ?? -1);
            twin.Add(row.Snapshot);
            twin.Add(row.Manifest);
            twin.Snapshots++;
            Snapshots++;
            yield return row;
        }
    }

    /// <summary>Of one store, all of it.</summary>
    public static JournalDigest Of(JournalRows rows)
    {
        var digest = new JournalDigest();
        foreach (var _ in digest.Over(rows.Events()))
        {
        }

        foreach (var _ in digest.Over(rows.Snapshots()))
        {
        }

        return digest;
    }

    /// <summary>By twin, in the order of their ids.</summary>
    public IReadOnlyList<TwinDigest> Twins() =>
        [.. _twins.OrderBy(t => t.Key, StringComparer.Ordinal).Select(t => new TwinDigest(t.Key, t.Value.Events, t.Value.Snapshots, Convert.ToHexStringLower(t.Value.Hash.GetCurrentHash())))];

    /// <summary>Of all twins together: SHA-256 over a line for each, in hexadecimal digits.</summary>
    public string Whole() =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Concat(Twins().Select(t => string.Create(CultureInfo.InvariantCulture, $"{t.PersistenceId} {t.Events} {t.Snapshots} {t.Hash}\n"))))));

    public void Dispose()
    {
        foreach (var twin in _twins.Values)
            twin.Hash.Dispose();
    }

    private Twin TwinOf(string id)
    {
        if (!_twins.TryGetValue(id, out var twin))
            _twins[id] = twin = new Twin();
        return twin;
    }

    private sealed class Twin
    {
        public IncrementalHash Hash { get; } = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

        public long Events { get; set; }

        public long Snapshots { get; set; }

        public void Add(params ReadOnlySpan<long> numbers)
        {
            Span<byte> bytes = stackalloc byte[sizeof(long)];
            foreach (var number in numbers)
            {
                BinaryPrimitives.WriteInt64LittleEndian(bytes, number);
                Hash.AppendData(bytes);
            }
        }

        // With the length before it, so that a byte that moves from one field to the next is seen.
        public void Add(byte[]? bytes)
        {
            Add(bytes?.Length ?? -1L);
            Hash.AppendData(bytes ?? []);
        }

        public void Add(string? text) => Add(text is null ? null : Encoding.UTF8.GetBytes(text));
    }
}

/// <param name="Hash">SHA-256 in hexadecimal digits.</param>
internal sealed record TwinDigest(string PersistenceId, long Events, long Snapshots, string Hash);
