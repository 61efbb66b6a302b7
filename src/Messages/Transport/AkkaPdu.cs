using System.Text;

namespace Fleet.Messages.Transport;

/// <summary>
/// Reads who speaks and who is spoken to in the frames of Akka.Remote (its WireFormats.proto) before Akka does. Stricter than protobuf, which lets
/// a repeated field overwrite the one before: what is checked here must be what Akka reads.
/// </summary>
internal static class AkkaPdu
{
    // AkkaProtocolMessage: payload = 1 (AckAndEnvelopeContainer), instruction = 2 (AkkaControlMessage).
    private const int Payload = 1;
    private const int Instruction = 2;

    // AkkaControlMessage.handshakeInfo, AkkaHandshakeInfo.origin, AddressData.hostname.
    private const int HandshakeInfo = 2;
    private const int Origin = 1;
    private const int HostName = 2;

    // AckAndEnvelopeContainer.envelope, RemoteEnvelope.recipient and .sender, ActorRefData.path.
    private const int Envelope = 2;
    private const int Recipient = 1;
    private const int Sender = 4;
    private const int Path = 1;

    /// <summary>The host that a handshake claims, or null where the frame is no well-formed handshake.</summary>
    public static string? ClaimedHost(ReadOnlySpan<byte> frame) =>
        Only(frame, Instruction, out var instruction) && Only(instruction, HandshakeInfo, out var handshake)
        && Only(handshake, Origin, out var origin) && Only(origin, HostName, out var host) && !host.IsEmpty
            ? Encoding.UTF8.GetString(host)
            : null;

    /// <summary>Who sends a message to whom; both null where the frame carries no message, as heartbeats don't.</summary>
    /// <returns>False where the frame is malformed.</returns>
    public static bool TryAddresses(ReadOnlySpan<byte> frame, out string? recipient, out string? sender)
    {
        (recipient, sender) = (null, null);
        if (!Only(frame, Payload, out var payload) || !Only(payload, Envelope, out var envelope))
            return false;
        if (envelope.IsEmpty)
            return true;
        if (!Only(envelope, Recipient, out var to) || !Only(envelope, Sender, out var from) || !Only(to, Path, out var toPath) || !Only(from, Path, out var fromPath))
            return false;
        recipient = Encoding.UTF8.GetString(toPath);
        sender = fromPath.IsEmpty ? null : Encoding.UTF8.GetString(fromPath);
        return true;
    }

    /// <summary>The bytes of a field that may occur once, empty where it does not occur.</summary>
    private static bool Only(ReadOnlySpan<byte> message, int field, out ReadOnlySpan<byte> found)
    {
        found = default;
        var seen = false;
        while (!message.IsEmpty)
        {
            if (!TryVarint(ref message, out var tag) || tag > uint.MaxValue)
                return false;
            var (number, wireType) = ((int)(tag >> 3), (int)(tag & 7));
            if (!TryLength(ref message, wireType, out var length))
                return false;
            var value = message[..length];
            message = message[length..];
            if (number != field)
                continue;
            if (seen || wireType != 2)
                return false;
            found = value;
            seen = true;
        }

        return true;
    }

    /// <summary>How many bytes of a field's value follow; a varint is read past at once.</summary>
    private static bool TryLength(scoped ref ReadOnlySpan<byte> message, int wireType, out int length)
    {
        ulong bytes = 0;
        var whole = wireType switch
        {
            0 => TryVarint(ref message, out _),
            1 => (bytes = 8) > 0,
            2 => TryVarint(ref message, out bytes),
            5 => (bytes = 4) > 0,
            // Groups: Akka has none.
            _ => false,
        };
        length = whole && bytes <= (ulong)message.Length ? (int)bytes : -1;
        return length >= 0;
    }

    private static bool TryVarint(scoped ref ReadOnlySpan<byte> message, out ulong value)
    {
        value = 0;
        for (var i = 0; i < 10 && i < message.Length; i++)
        {
            value |= (ulong)(message[i] & 0x7F) << (7 * i);
            if (message[i] < 0x80)
            {
                message = message[(i + 1)..];
                return true;
            }
        }

        return false;
    }
}
