using Fleet.Contracts;
using MessagePack;
using MessagePack.Formatters;

namespace Fleet.Messages.Serialization;

/// <summary>Writes ids as their text; reading goes through the id's own check, so nothing unsafe gets past the wire.</summary>
internal sealed class IdFormatter<T>(Func<T, string> text, Func<string, T> id) : IMessagePackFormatter<T>
{
    public void Serialize(ref MessagePackWriter writer, T value, MessagePackSerializerOptions options) => writer.Write(text(value));

    public T Deserialize(ref MessagePackReader reader, MessagePackSerializerOptions options)
    {
        var value = reader.ReadString();
        try
        {
            return id(value!);
        }
        catch (ArgumentException unsafeText)
        {
            throw new MessagePackSerializationException(unsafeText.Message);
        }
    }
}

internal static class IdFormatters
{
    public static IReadOnlyList<IMessagePackFormatter> All { get; } =
    [
        new IdFormatter<OfficeId>(i => i.Value, v => new OfficeId(v)),
        new IdFormatter<NodeId>(i => i.Value, v => new NodeId(v)),
        new IdFormatter<DeviceId>(i => i.Value, v => new DeviceId(v)),
        new IdFormatter<TokenId>(i => i.Value, v => new TokenId(v)),
        new IdFormatter<PolicyName>(i => i.Value, v => new PolicyName(v)),
        new IdFormatter<RuleName>(i => i.Value, v => new RuleName(v)),
        new IdFormatter<RolloutName>(i => i.Value, v => new RolloutName(v)),
        new IdFormatter<InstallId>(i => i.Value, v => new InstallId(v)),
        new IdFormatter<PollId>(i => i.Value, v => new PollId(v)),
        new IdFormatter<DiscoveredId>(i => i.Value, v => new DiscoveredId(v)),
    ];
}
