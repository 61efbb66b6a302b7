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
            return MessagePackSerializer.Deserialize<NodeDesired>(content, Codec.Options);
        }
        catch (MessagePackSerializationException fault)
        {
            throw new StorageException($"{data.PathOf(Name)} is damaged ({fault.Message}); delete it: headquarters sends it again");
        }
    }

    /// <exception cref="StorageException">The disk is full or not writable.</exception>
    public static void Save(DataDirectory data, NodeDesired desired) => data.Replace(Name, MessagePackSerializer.Serialize(desired, Codec.Options));
}
