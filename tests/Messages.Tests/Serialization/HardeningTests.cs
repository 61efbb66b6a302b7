using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Configuration;
using Akka.Serialization;
using Fleet.Messages.Serialization;

namespace Fleet.Messages.Tests.Serialization;

/// <summary>Which of Akka's own serializers a system takes from its peers.</summary>
public sealed class HardeningTests : IDisposable
{
    private readonly ActorSystem _system = ActorSystem.Create(
        "hardened", ConfigurationFactory.ParseString("akka.actor.provider = remote\nakka.remote.dot-netty.tcp { hostname = 127.0.0.1, port = 0 }").WithFallback(Hardening.Hocon).WithFallback(FleetSerializer.Hocon));

    public void Dispose() => _system.Dispose();

    [Theory]
    [InlineData(1, "System.Object, System.Private.CoreLib")]
    [InlineData(2, "Google.Protobuf.WellKnownTypes.Empty, Google.Protobuf")]
    [InlineData(3, "")]
    [InlineData(16, "K")]
    [InlineData(16, "PP")]
    [InlineData(16, "no-such")]
    [InlineData(22, "W")]
    public void What_could_build_or_stop_things_is_refused(int serializer, string manifest) =>
        Assert.Throws<SerializationException>(() => _system.Serialization.Deserialize([], serializer, manifest));

    [Fact]
    public void Identify_still_works()
    {
        var serializer = (SerializerWithStringManifest)_system.Serialization.FindSerializerFor(new Identify("x"));

        Assert.Equal("x", Assert.IsType<Identify>(serializer.FromBinary(serializer.ToBinary(new Identify("x")), serializer.Manifest(new Identify("x")))).MessageId);
    }

    [Fact]
    public void An_object_without_a_manifest_does_not_leave_the_process() =>
        Assert.ThrowsAny<SerializationException>(() => _system.Serialization.Serialize(new Stranger("x")));

    [Fact]
    public void No_serializer_takes_type_names_from_the_wire()
    {
        var gadget = new NewtonSoftJsonSerializer((ExtendedActorSystem)_system).ToBinary(new Stranger("x"));

        Assert.Throws<SerializationException>(() => _system.Serialization.Deserialize(gadget, 1, typeof(Stranger).AssemblyQualifiedName!));
    }

    public sealed record Stranger(string Text);
}
