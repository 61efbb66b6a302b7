using Fleet.Contracts.Storage;
using Fleet.Messages.Link;
using Fleet.Messages.Serialization;
using MessagePack;

namespace Fleet.Office;

/// <summary>Keeps what headquarters last wanted of the node (<c>desired.bin</c>), so that roles run from the start, in reach of headquarters or not.</summary>
internal static class DesiredFile
{
    private const string Name = "desired.bin";

    /// <exception cref="StorageException">The file is damaged.</exception>
    public static NodeDesired? Load(DataDirectory data)
    {
        if (data.Read(Name) is not { } content)
            return null;
        try
        {
            return Whole(MessagePackSerializer.Deserialize<NodeDesired>(content, Codec.Options));
        }
        catch (MessagePackSerializationException fault)
        {
            throw new StorageException($"{data.PathOf(Name)} is damaged ({fault.Message}); delete it: headquarters sends it again");
        }
    }

    /// <summary>An older headquarters, or file, leaves out newer fields.</summary>
    public static NodeDesired Whole(NodeDesired desired) => desired with { Through = desired.Through ?? [], Carries = desired.Carries ?? [], Headquarters = desired.Headquarters ?? [] };

    /// <summary>Whether two are the same; what else changes does so under another version.</summary>
    public static bool Same(NodeDesired one, NodeDesired other) => one.Version == other.Version && Bytes(one.Updates).SequenceEqual(Bytes(other.Updates)) && one.Carries.SequenceEqual(other.Carries) && one.Headquarters.SequenceEqual(other.Headquarters)
        && one.Through.SelectMany(h => h.Addresses.Prepend(h.NodeId.Value)).SequenceEqual(other.Through.SelectMany(h => h.Addresses.Prepend(h.NodeId.Value)));

    /// <exception cref="StorageException">The disk is full or not writable.</exception>
    public static void Save(DataDirectory data, NodeDesired desired) => data.Replace(Name, MessagePackSerializer.Serialize(desired, Codec.Options));

    // Records do not compare what is in their lists.
    private static byte[] Bytes(UpdatePlan? plan) => MessagePackSerializer.Serialize(plan, Codec.Options);
}
