using MessagePack;
using MessagePack.Formatters;

namespace Fleet.Messages.Serialization;

/// <summary>Writes one of many kinds as its manifest and its fields: the table of <see cref="Manifests"/> says what may be there, as for whole messages.</summary>
internal sealed class ByManifestFormatter<T> : IMessagePackFormatter<T>
    where T : class
{
    public void Serialize(ref MessagePackWriter writer, T value, MessagePackSerializerOptions options)
    {
        writer.WriteArrayHeader(2);
        writer.Write(Manifests.Of[value.GetType()]);
        MessagePackSerializer.Serialize(value.GetType(), ref writer, value, options);
    }

    public T Deserialize(ref MessagePackReader reader, MessagePackSerializerOptions options)
    {
        options.Security.DepthStep(ref reader);
        if (reader.ReadArrayHeader() != 2)
            throw new MessagePackSerializationException("a manifest and its fields are wanted");
        var manifest = reader.ReadString() ?? "";
        if (!Manifests.All.TryGetValue(manifest, out var type) || !typeof(T).IsAssignableFrom(type))
            throw new MessagePackSerializationException($"'{manifest}' is not known here: it is of a newer version of Fleet, or of no version");
        var value = (T?)MessagePackSerializer.Deserialize(type, ref reader, options) ?? throw new MessagePackSerializationException($"an empty {manifest}");
        reader.Depth--;
        return value;
    }
}
