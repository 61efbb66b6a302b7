using System.Collections;
using System.Reflection;
using System.Runtime.Serialization;
using Akka.Actor;
using Fleet.Contracts;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;
using Fleet.Messages.Serialization;
using MessagePack;

namespace Fleet.Messages.Tests.Serialization;

public sealed class FleetSerializerTests : IDisposable
{
    private readonly ActorSystem _system = ActorSystem.Create("serializers", FleetSerializer.Hocon);

    public static TheoryData<string> AllManifests => [.. Manifests.All.Keys];

    public void Dispose() => _system.Dispose();

    [Theory]
    [MemberData(nameof(AllManifests))]
    public void Every_message_survives_a_round_trip(string manifest)
    {
        var message = Sample(Manifests.All[manifest]);

        var serializer = Assert.IsType<FleetSerializer>(_system.Serialization.FindSerializerFor(message));
        var read = serializer.FromBinary(serializer.ToBinary(message), serializer.Manifest(message));

        Assert.IsType(message.GetType(), read);
        Assert.Equal(Text(message), Text(read));
    }

    [Theory]
    [MemberData(nameof(AllManifests))]
    public void Bytes_that_are_cut_or_altered_are_refused_and_nothing_else(string manifest)
    {
        var serializer = new FleetSerializer((ExtendedActorSystem)_system);
        var bytes = serializer.ToBinary(Sample(Manifests.All[manifest]));
        var chance = new Random(manifest.Length);

        for (var i = 0; i < 300; i++)
        {
            var damaged = bytes[..chance.Next(bytes.Length + 1)];
            for (var flips = chance.Next(4); flips > 0 && damaged.Length > 0; flips--)
                damaged[chance.Next(damaged.Length)] = (byte)chance.Next(256);
            // Read or refused: a fault of another kind would end the peer's association, or worse.
            Assert.True(Record.Exception(() => serializer.FromBinary(damaged, manifest)) is null or SerializationException);
        }
    }

    [Theory]
    [InlineData(new byte[] { 0xDD, 0xFF, 0xFF, 0xFF, 0xFF })]
    [InlineData(new byte[] { 0xC6, 0x7F, 0xFF, 0xFF, 0xFF })]
    [InlineData(new byte[] { 0x92, 0xDB, 0xFF, 0xFF, 0xFF, 0xFF })]
    [InlineData(new byte[] { 0xC0 })]
    [InlineData(new byte[0])]
    public void Lengths_that_lie_are_refused_without_taking_their_memory(byte[] bytes) =>
        Assert.Throws<SerializationException>(() => new FleetSerializer((ExtendedActorSystem)_system).FromBinary(bytes, "up"));

    [Fact]
    public void An_unknown_manifest_is_refused_by_name() =>
        Assert.Contains("'no-such-thing'", Assert.Throws<SerializationException>(() => new FleetSerializer((ExtendedActorSystem)_system).FromBinary([], "no-such-thing")).Message, StringComparison.Ordinal);

    [Fact]
    public void The_manifest_of_many_events_names_each_kind_once()
    {
        var (leeds, at) = (new OfficeId("leeds"), DateTimeOffset.UnixEpoch);
        var closed = new OfficeClosed(leeds, "test", at);

        var manifest = new FleetSerializer((ExtendedActorSystem)_system).Manifest(new OfficeEvents(leeds, [new OfficeOpened(leeds, "", "", at), closed, closed]));

        Assert.Equal(["office-events", "office-closed", "office-opened"], Manifests.Names(manifest));
    }

    [Fact]
    public void An_id_that_is_unsafe_is_refused()
    {
        var bytes = MessagePackSerializer.Serialize<object?[]>(["../../etc", 1, "v", "run", DateTimeOffset.UnixEpoch]);

        Assert.Throws<SerializationException>(() => new FleetSerializer((ExtendedActorSystem)_system).FromBinary(bytes, "hello"));
    }

    [Fact]
    public void A_hello_of_an_older_build_without_later_fields_is_read()
    {
        var bytes = MessagePackSerializer.Serialize<object?[]>(["gw1.leeds", 1]);

        var hello = Assert.IsType<Hello>(new FleetSerializer((ExtendedActorSystem)_system).FromBinary(bytes, "hello"));

        Assert.Equal((new NodeId("gw1.leeds"), 1), (hello.NodeId, hello.Protocol));
    }

    /// <summary>An instance with every field filled.</summary>
    private static object Sample(Type type)
    {
        if (Nullable.GetUnderlyingType(type) is { } inner)
            return Sample(inner);
        if (type == typeof(string))
            return "text";
        if (type == typeof(NodeId))
            return new NodeId("gw1.leeds");
        if (type == typeof(bool))
            return true;
        if (type == typeof(DateTimeOffset))
            return new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
        if (type == typeof(TimeSpan))
            return TimeSpan.FromSeconds(90);
        if (type == typeof(ReadOnlyMemory<byte>))
            return new ReadOnlyMemory<byte>([1, 2, 3]);
        if (type.IsEnum)
            return Enum.GetValues(type).GetValue(0)!;
        if (type.IsPrimitive)
            return Convert.ChangeType(7, type, System.Globalization.CultureInfo.InvariantCulture);
        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>))
        {
            var element = type.GetGenericArguments()[0];
            var kinds = element == typeof(IOfficeEvent)
                ? Manifests.Of.Keys.Where(t => t.IsAssignableTo(element) && t != typeof(OfficeEvents))
                : element.GetCustomAttributes<UnionAttribute>().Select(u => u.SubType);
            var samples = kinds.Select(Sample).DefaultIfEmpty(element.IsInterface ? null : Sample(element)).ToList();
            var list = Array.CreateInstance(element, samples.Count);
            for (var i = 0; i < samples.Count; i++)
                list.SetValue(samples[i], i);
            return list;
        }

        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyDictionary<,>))
        {
            var dictionary = (IDictionary)Activator.CreateInstance(typeof(Dictionary<,>).MakeGenericType(type.GetGenericArguments()))!;
            dictionary.Add(Sample(type.GetGenericArguments()[0]), Sample(type.GetGenericArguments()[1]));
            return dictionary;
        }

        var constructor = type.GetConstructors().OrderByDescending(c => c.GetParameters().Length).First();
        return constructor.Invoke([.. constructor.GetParameters().Select(p => Sample(p.ParameterType))]);
    }

    /// <summary>All fields, collections included: record equality does not look inside those.</summary>
    private static string Text(object? value) => value switch
    {
        null => "null",
        string text => text,
        ReadOnlyMemory<byte> bytes => Convert.ToHexString(bytes.Span),
        IDictionary dictionary => string.Join(',', dictionary.Keys.Cast<object>().Select(k => $"{Text(k)}={Text(dictionary[k])}")),
        IEnumerable many => $"[{string.Join(',', many.Cast<object?>().Select(Text))}]",
        _ when value.GetType().GetCustomAttribute<MessagePackObjectAttribute>() is not null =>
            $"{value.GetType().Name}({string.Join(',', value.GetType().GetProperties().Where(p => p.GetCustomAttribute<KeyAttribute>() is not null).Select(p => Text(p.GetValue(value))))})",
        _ => value.ToString()!,
    };
}
