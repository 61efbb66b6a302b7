using System.Runtime.Serialization;
using System.Text;
using Fleet.Messages.Link;
using Fleet.Messages.Serialization;
using Google.Protobuf;
using MessagePack;

namespace Fleet.Swarm.Wire;

/// <summary>
/// The frames of Akka.Remote that an office node's actor system sends and gets, without an actor system: associations, heartbeats and messages between
/// actors. Field numbers are those of Akka.Remote's WireFormats.proto and ContainerFormats.proto.
/// </summary>
internal static class AkkaFrames
{
    // AkkaControlMessage.commandType.
    private const int AssociateCommand = 1;
    private const int HeartbeatCommand = 3;

    /// <summary>Selection.PatternType: a child of that name.</summary>
    private const int ChildName = 2;

    /// <summary>Akka's serializer for messages to a selection of actors (akka.actor.serialization-identifiers).</summary>
    private const int SelectionSerializer = 6;

    /// <summary>RemoteEnvelope.seq of a message that Akka does not number: all but its own system messages.</summary>
    private const ulong Unnumbered = ulong.MaxValue;

    public static ByteString Heartbeat { get; } = ByteString.CopyFrom(Bytes(2, Number(1, HeartbeatCommand)));

    /// <summary>The handshake of an association; each side sends its own.</summary>
    /// <param name="uid">Random per start of an actor system: tells a restarted one from the one before.</param>
    public static ByteString Associate(string system, string host, int port, string protocol, ulong uid)
    {
        byte[] origin = [.. Text(1, system), .. Text(2, host), .. Number(3, (ulong)port), .. Text(4, protocol)];
        byte[] handshake = [.. Bytes(1, origin), .. Fixed(2, uid)];
        return ByteString.CopyFrom(Bytes(2, [.. Number(1, AssociateCommand), .. Bytes(2, handshake)]));
    }

    /// <summary>A message to an actor whose path is known.</summary>
    public static ByteString Tell(string recipient, string sender, ILinkMessage message) => Envelope(recipient, sender, PayloadOf(message));

    /// <summary>A message to an actor that is looked for below the root of its system.</summary>
    /// <param name="root">The address of the system, with a slash behind it.</param>
    /// <param name="path">Names of actors, from the root on.</param>
    public static ByteString Select(string root, IEnumerable<string> path, string sender, ILinkMessage message)
    {
        byte[] selection = [.. Bytes(1, PayloadOf(message)), .. path.SelectMany(name => Bytes(2, [.. Number(1, ChildName), .. Text(2, name)]))];
        return Envelope(root, sender, [.. Bytes(1, selection), .. Number(2, SelectionSerializer)]);
    }

    /// <summary>Reads a frame; null for heartbeats and what else says nothing.</summary>
    /// <exception cref="SerializationException">It carries a message that Fleet does not know.</exception>
    public static AkkaFrame? Read(ByteString frame)
    {
        var input = frame.CreateCodedInput();
        while (input.ReadTag() is var tag and > 0)
            switch (WireFormat.GetTagFieldNumber(tag))
            {
                case 1:
                    return ReadPayload(input.ReadBytes());
                case 2:
                    return ReadControl(input.ReadBytes());
                default:
                    input.SkipLastField();
                    break;
            }

        return null;
    }

    private static AkkaFrame? ReadControl(ByteString control)
    {
        var command = Fields(control).FirstOrDefault(f => f.Number == 1).Value;
        return command switch
        {
            AssociateCommand => new AkkaFrame.Associated(),
            0 or HeartbeatCommand => null,
            _ => new AkkaFrame.Parted(),
        };
    }

    private static AkkaFrame? ReadPayload(ByteString payload)
    {
        if (Part(payload, 2) is not { } envelope || Part(envelope, 2) is not { } message)
            return null;
        var manifest = Part(message, 3)?.ToStringUtf8() ?? "";
        if (!Manifests.All.TryGetValue(manifest, out var type))
            throw new SerializationException($"headquarters sent '{manifest}', which this program does not know");
        var sender = Part(envelope, 4) is { } from ? Part(from, 1)?.ToStringUtf8() : null;
        return new AkkaFrame.Told(MessagePackSerializer.Deserialize(type, (Part(message, 1) ?? ByteString.Empty).Memory, Codec.Options)!, sender ?? "");
    }

    private static ByteString? Part(ByteString message, int number) => Fields(message).FirstOrDefault(f => f.Number == number).Content;

    private static IEnumerable<(int Number, ByteString? Content, ulong Value)> Fields(ByteString message)
    {
        var input = message.CreateCodedInput();
        while (input.ReadTag() is var tag and > 0)
        {
            var number = WireFormat.GetTagFieldNumber(tag);
            switch (WireFormat.GetTagWireType(tag))
            {
                case WireFormat.WireType.LengthDelimited:
                    yield return (number, input.ReadBytes(), 0);
                    break;
                case WireFormat.WireType.Varint:
                    yield return (number, null, input.ReadUInt64());
                    break;
                default:
                    input.SkipLastField();
                    break;
            }
        }
    }

    private static ByteString Envelope(string recipient, string sender, byte[] payload)
    {
        byte[] envelope = [.. Bytes(1, Text(1, recipient)), .. Bytes(2, payload), .. Bytes(4, Text(1, sender)), .. Fixed(5, Unnumbered)];
        return UnsafeByteOperations.UnsafeWrap(Bytes(1, Bytes(2, envelope)));
    }

    private static byte[] PayloadOf(ILinkMessage message) =>
    [
        .. Bytes(1, MessagePackSerializer.Serialize(message.GetType(), message, Codec.Options)),
        .. Number(2, FleetSerializer.SerializerId),
        .. Text(3, Manifests.Of[message.GetType()]),
    ];

    private static byte[] Text(int field, string text) => Bytes(field, Encoding.UTF8.GetBytes(text));

    private static byte[] Bytes(int field, ReadOnlySpan<byte> value)
    {
        var tag = WireFormat.MakeTag(field, WireFormat.WireType.LengthDelimited);
        var bytes = new byte[CodedOutputStream.ComputeUInt32Size(tag) + CodedOutputStream.ComputeLengthSize(value.Length) + value.Length];
        using var output = new CodedOutputStream(bytes);
        output.WriteTag(tag);
        output.WriteLength(value.Length);
        output.Flush();
        value.CopyTo(bytes.AsSpan(bytes.Length - value.Length));
        return bytes;
    }

    private static byte[] Number(int field, ulong value)
    {
        var tag = WireFormat.MakeTag(field, WireFormat.WireType.Varint);
        var bytes = new byte[CodedOutputStream.ComputeUInt32Size(tag) + CodedOutputStream.ComputeUInt64Size(value)];
        using var output = new CodedOutputStream(bytes);
        output.WriteTag(tag);
        output.WriteUInt64(value);
        output.Flush();
        return bytes;
    }

    private static byte[] Fixed(int field, ulong value)
    {
        var tag = WireFormat.MakeTag(field, WireFormat.WireType.Fixed64);
        var bytes = new byte[CodedOutputStream.ComputeUInt32Size(tag) + sizeof(ulong)];
        using var output = new CodedOutputStream(bytes);
        output.WriteTag(tag);
        output.WriteFixed64(value);
        output.Flush();
        return bytes;
    }
}

/// <summary>What a frame says.</summary>
internal abstract record AkkaFrame
{
    /// <summary>The other side's half of the handshake.</summary>
    public sealed record Associated : AkkaFrame;

    /// <summary>The other side ends the association.</summary>
    public sealed record Parted : AkkaFrame;

    /// <param name="Sender">The path of the actor that sends it.</param>
    public sealed record Told(object Message, string Sender) : AkkaFrame;
}
