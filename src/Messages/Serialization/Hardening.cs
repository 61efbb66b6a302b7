using Akka.Actor;
using Akka.Configuration;
using Akka.Remote.Serialization;
using Akka.Serialization;

namespace Fleet.Messages.Serialization;

/// <summary>
/// Closes the ways by which a peer could have this process build objects of its choosing: on systems that speak with
/// office nodes, of Akka's own serializers only those stay that the remoting itself needs. untrusted-mode does not do this: messages are
/// deserialized before it looks at them.
/// </summary>
public static class Hardening
{
    public static Config Hocon { get; } = ConfigurationFactory.ParseString($$"""
        akka.actor {
          serializers {
            json = "{{Name<RejectJson>()}}"
            proto = "{{Name<RejectProtobuf>()}}"
            daemon-create = "{{Name<RejectRemoteDeployment>()}}"
            akka-system-msg = "{{Name<RejectSystemMessages>()}}"
            akka-misc = "{{Name<AllowedMiscSerializer>()}}"
          }
          # Catches our own slips; no defence, it is not asked for what comes in.
          serialization-settings.allow-unregistered-types = off
        }
        """);

    private static string Name<T>() => $"{typeof(T).FullName}, {typeof(T).Assembly.GetName().Name}";
}

/// <summary>Takes the place of one of Akka's serializers and refuses everything.</summary>
public abstract class RejectSerializer(ExtendedActorSystem system, int identifier, string what) : SerializerWithStringManifest(system)
{
    public override int Identifier { get; } = identifier;

    public override string Manifest(object o) => "";

    public override byte[] ToBinary(object obj) =>
        throw new System.Runtime.Serialization.SerializationException($"{obj.GetType().Name} is no message of Fleet: add it to {nameof(Manifests)}");

    public override object FromBinary(byte[] bytes, string manifest) =>
        throw new System.Runtime.Serialization.SerializationException($"{what} is not taken over the link");
}

/// <summary>Id 1: objects by their CLR type name.</summary>
public sealed class RejectJson : RejectSerializer
{
    public RejectJson(ExtendedActorSystem system)
        : base(system, 1, "JSON with type names")
    {
    }

    // Akka makes the serializer named "json" with its settings where such a constructor exists, and requires it.
    public RejectJson(ExtendedActorSystem system, Config config)
        : this(system) => _ = config;
}

/// <summary>Id 2: protobuf messages by their CLR type name.</summary>
public sealed class RejectProtobuf(ExtendedActorSystem system) : RejectSerializer(system, 2, "protobuf with type names");

/// <summary>Id 3: creating actors from afar.</summary>
public sealed class RejectRemoteDeployment(ExtendedActorSystem system) : RejectSerializer(system, 3, "remote deployment");

/// <summary>Id 22: watch, terminate, supervise.</summary>
public sealed class RejectSystemMessages(ExtendedActorSystem system) : RejectSerializer(system, 22, "a system message");

/// <summary>Id 16: Akka's small messages, of which the link needs two; Kill, PoisonPill and the rest are refused.</summary>
public sealed class AllowedMiscSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    // Akka's manifests of Identify ("ID") and ActorIdentity ("AID").
    private static readonly IReadOnlySet<string> Allowed = new HashSet<string> { "ID", "AID" };

    private readonly MiscMessageSerializer _akka = new(system);

    public override int Identifier => 16;

    public override string Manifest(object o) => _akka.Manifest(o);

    public override byte[] ToBinary(object obj) => _akka.ToBinary(obj);

    public override object FromBinary(byte[] bytes, string manifest) => Allowed.Contains(manifest)
        ? _akka.FromBinary(bytes, manifest)
        : throw new System.Runtime.Serialization.SerializationException("a control message of Akka is not taken over the link");
}
