using System.Buffers.Binary;
using System.IO.Hashing;
using Fleet.Contracts.Agents;
using Fleet.Contracts.Storage;
using Fleet.Device.Storage;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Fleet.Device.Events;

/// <summary>
/// The device's events until headquarters has journaled them: on disk, numbered without gaps, bounded. An event counts once <see cref="Add"/>
/// has returned; a crash in the middle of one leaves a torn end of the file, which is cut off at the next start.
/// Past a cap the oldest are folded into one event that takes the last dropped number and says how many are gone; headquarters sees the gap's size.
/// </summary>
/// <remarks>File: records of length, CRC-32 and a serialized DeviceEvent. The first record's number is where numbering goes on after all are acknowledged.</remarks>
public sealed class EventQueue
{
    /// <summary>The longest text of an event; more is cut.</summary>
    public const int MaxText = 500;

    private const string Name = "events.bin";
    private const string DroppedKind = "events-dropped";
    private const string BaseKind = "";
    private const int RecordHead = 8;
    // Acknowledged records stay in the file until they outweigh what is left: acknowledging costs no write.
    private const int SlackBytes = 64 * 1024;

    private readonly IDeviceStorage _storage;
    private readonly EventCaps _caps;
    private readonly TimeProvider _clock;
    private readonly LinkedList<DeviceEvent> _waiting = [];
    private long _waitingBytes;
    private long _fileBytes;

    /// <param name="acknowledged">The newest event number that headquarters acknowledged, from the device's state file.</param>
    public EventQueue(IDeviceStorage storage, EventCaps caps, TimeProvider clock, ulong acknowledged)
    {
        (_storage, _caps, _clock, LastNumber) = (storage, caps, clock, acknowledged);
        Recover(acknowledged);
    }

    /// <summary>The number of the newest event ever added; 0 = none.</summary>
    public ulong LastNumber { get; private set; }

    public int Count => _waiting.Count;

    /// <summary>The oldest waiting events.</summary>
    public IReadOnlyList<DeviceEvent> Oldest(int max) => [.. _waiting.Take(max)];

    /// <summary>Adds an event; it survives whatever happens after this returns.</summary>
    /// <exception cref="StorageException">The disk is full or not writable; the event was not added.</exception>
    public void Add(string kind, string text)
    {
        var added = new DeviceEvent
        {
            Number = LastNumber + 1,
            At = Timestamp.FromDateTimeOffset(_clock.GetUtcNow()),
            Kind = kind,
            Text = text.Length <= MaxText ? text : text[..MaxText],
        };
        var record = Record(added);
        _storage.Append(Name, record);
        _fileBytes += record.Length;
        Take(added, record.Length);
        if (FoldOverflow())
            Rewrite();
    }

    /// <summary>Headquarters has all events up to this number.</summary>
    /// <exception cref="StorageException">The disk is full or not writable.</exception>
    public void Acknowledge(ulong number)
    {
        while (_waiting.First is { } first && first.Value.Number <= number)
            Remove(first);
        if (_fileBytes > _waitingBytes + SlackBytes)
            Rewrite();
    }

    private void Recover(ulong acknowledged)
    {
        var content = _storage.Read(Name) ?? [];
        var position = 0;
        while (TryReadRecord(content.AsSpan(position)) is { } record)
        {
            position += record.Length;
            LastNumber = Math.Max(LastNumber, record.Event.Number);
            if (record.Event.Number > acknowledged && record.Event.Kind != BaseKind)
                Take(record.Event, record.Length);
        }

        _fileBytes = position;
        if (position < content.Length || FoldOverflow())
            Rewrite();
    }

    private void Take(DeviceEvent added, int length)
    {
        LastNumber = Math.Max(LastNumber, added.Number);
        _waiting.AddLast(added);
        _waitingBytes += length;
    }

    private void Remove(LinkedListNode<DeviceEvent> node)
    {
        _waitingBytes -= RecordHead + node.Value.CalculateSize();
        _waiting.Remove(node);
    }

    private bool FoldOverflow()
    {
        var oldest = _clock.GetUtcNow() - _caps.MaxAge;
        bool Over() => _waiting.Count > _caps.MaxCount || _waitingBytes > _caps.MaxBytes || (_waiting.First is { } f && f.Value.At.ToDateTimeOffset() < oldest);
        if (_waiting.Count < 2 || !Over())
            return false;

        var (dropped, last) = (0UL, _waiting.First!.Value);
        // A quarter goes at once, so that a full queue is not rewritten for each event.
        var keep = Math.Max(1, _caps.MaxCount - _caps.MaxCount / 4);
        while (_waiting.Count > 1 && (Over() || _waiting.Count > keep))
        {
            last = _waiting.First!.Value;
            dropped += DroppedBy(last);
            Remove(_waiting.First);
        }

        var note = new DeviceEvent { Number = last.Number, At = last.At, Kind = DroppedKind, Text = $"{dropped} events were dropped: the queue was full" };
        _waiting.AddFirst(note);
        _waitingBytes += RecordHead + note.CalculateSize();
        return true;
    }

    private static ulong DroppedBy(DeviceEvent gone) =>
        gone.Kind == DroppedKind && ulong.TryParse(gone.Text.AsSpan(0, gone.Text.IndexOf(' ')), out var earlier) ? earlier : 1;

    private void Rewrite()
    {
        using var file = new MemoryStream();
        if (_waiting.Count == 0)
            file.Write(Record(new DeviceEvent { Number = LastNumber, Kind = BaseKind }));
        foreach (var waiting in _waiting)
            file.Write(Record(waiting));
        _storage.Replace(Name, file.ToArray());
        _fileBytes = file.Length;
    }

    private static byte[] Record(DeviceEvent content)
    {
        var record = new byte[RecordHead + content.CalculateSize()];
        content.WriteTo(record.AsSpan(RecordHead));
        BinaryPrimitives.WriteInt32LittleEndian(record, record.Length - RecordHead);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(4), Crc32.HashToUInt32(record.AsSpan(RecordHead)));
        return record;
    }

    private static (DeviceEvent Event, int Length)? TryReadRecord(ReadOnlySpan<byte> rest)
    {
        if (rest.Length < RecordHead)
            return null;
        var length = BinaryPrimitives.ReadInt32LittleEndian(rest);
        if (length < 0 || length > rest.Length - RecordHead)
            return null;
        var content = rest.Slice(RecordHead, length);
        return Crc32.HashToUInt32(content) == BinaryPrimitives.ReadUInt32LittleEndian(rest[4..])
            ? (DeviceEvent.Parser.ParseFrom(content), RecordHead + length)
            : null;
    }
}

/// <summary>How much history a device keeps while headquarters is out of reach; past any of these the oldest go.</summary>
public sealed record EventCaps(int MaxCount, long MaxBytes, TimeSpan MaxAge);
