using Google.Protobuf;

namespace Fleet.Messages.Transport;

/// <summary>
/// Reads the host that a peer claims in the handshake of Akka.Remote: AkkaProtocolMessage.instruction(2).handshakeInfo(2).origin(1).hostname(2).
/// Stricter than protobuf, which lets a repeated field overwrite the one before: what is checked here must be what Akka reads.
/// </summary>
internal static class AssociatePdu
{
    private static readonly int[] OriginHost = [2, 2, 1, 2];

    /// <summary>The host claimed, or null where the frame is no well-formed handshake.</summary>
    public static string? ClaimedHost(ByteString frame)
    {
        var level = frame;
        try
        {
            foreach (var field in OriginHost)
            {
                if (Only(level, field) is not { } inner)
                    return null;
                level = inner;
            }
        }
        catch (InvalidProtocolBufferException)
        {
            // Not protobuf: whoever speaks here does not speak Akka.Remote.
            return null;
        }

        return level.ToStringUtf8();
    }

    private static ByteString? Only(ByteString message, int field)
    {
        ByteString? found = null;
        var input = message.CreateCodedInput();
        while (input.ReadTag() is var tag and not 0)
        {
            if (WireFormat.GetTagFieldNumber(tag) != field)
            {
                input.SkipLastField();
                continue;
            }

            if (found is not null || WireFormat.GetTagWireType(tag) != WireFormat.WireType.LengthDelimited)
                return null;
            found = input.ReadBytes();
        }

        return found;
    }
}
