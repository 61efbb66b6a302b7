using Akka.Actor;
using BenchmarkDotNet.Attributes;
using Fleet.Messages.Link;
using Fleet.Messages.Serialization;

namespace Fleet.Micro;

/// <summary>What links and journal carry most, to bytes and back: pings, frames of sealed reports, presence digests, rows of the journal.</summary>
public class SerializerBenchmarks
{
    private readonly ActorSystem _system = ActorSystem.Create("micro", FleetSerializer.Hocon.WithFallback("akka { loglevel = WARNING, stdout-loglevel = WARNING }"));
    private readonly FleetSerializer _serializer;
    private readonly Coded _ping;
    private readonly Coded _frame;
    private readonly Coded _digest;
    private readonly Coded _row;

    public SerializerBenchmarks()
    {
        _serializer = new FleetSerializer((ExtendedActorSystem)_system);
        _ping = Of(new Ping("8f2a61c09d3b4e57", 12345));
        _frame = Of(Samples.Frame);
        _digest = Of(new UpFrame("8f2a61c09d3b4e57", 12345, [Samples.Digest]));
        _row = Of(Samples.Row);
    }

    [Benchmark]
    public byte[] WritePing() => Write(_ping);

    [Benchmark]
    public object ReadPing() => Read(_ping);

    [Benchmark]
    public byte[] WriteFrameOf200Reports() => Write(_frame);

    [Benchmark]
    public object ReadFrameOf200Reports() => Read(_frame);

    [Benchmark]
    public byte[] WriteDigestOf1000() => Write(_digest);

    [Benchmark]
    public object ReadDigestOf1000() => Read(_digest);

    [Benchmark]
    public byte[] WriteRowOf1000Events() => Write(_row);

    [Benchmark]
    public object ReadRowOf1000Events() => Read(_row);

    [GlobalCleanup]
    public void End() => _system.Terminate().GetAwaiter().GetResult();

    // As Akka does: bytes and manifest.
    private byte[] Write(Coded message)
    {
        _serializer.Manifest(message.Message);
        return _serializer.ToBinary(message.Message);
    }

    private object Read(Coded message) => _serializer.FromBinary(message.Bytes, message.Manifest);

    private Coded Of(object message) => new(message, _serializer.ToBinary(message), _serializer.Manifest(message));

    private sealed record Coded(object Message, byte[] Bytes, string Manifest);
}
