using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net;
using System.Text;
using Fleet.Contracts.Tracing;
using Fleet.Gateway.Monitoring;
using Fleet.TestSupport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging.Abstractions;
using TraceOptions = Fleet.Gateway.Monitoring.TraceOptions;

namespace Fleet.Gateway.Tests.Monitoring;

/// <summary>What a collector gets that speaks OTLP over gRPC, in the clear.</summary>
public sealed class CollectorTests
{
    [Fact]
    public async Task A_collector_gets_metrics_while_they_change_and_spans_that_were_chosen()
    {
        await using var collector = await Collector.Start();
        using var meter = new Meter(new MeterOptions("fleet.test") { Scope = collector });
        var counted = meter.CreateCounter<long>("fleet.test.things");
        await using (await MonitoringFace.Start(Setup(collector.Address, collector)))
        {
            counted.Add(3);
            Traces.Begin("request-wake", parent: null)?.Dispose();
            await Until.True(() => collector.Got("metrics", "fleet.test.things", "fleet-test", "node-7"), "metrics come by themselves");
        }

        Assert.True(collector.Got("trace", "request-wake", "fleet-test", "node-7"), "what waits is sent at the end");
    }

    [Fact]
    public async Task A_collector_that_is_not_there_holds_nobody_up()
    {
        var nobody = new Uri($"http://127.0.0.1:{FreePorts.One()}");
        var face = await MonitoringFace.Start(Setup(nobody, scope: this));
        Traces.Begin("request-wake", parent: null)?.Dispose();

        var began = Stopwatch.GetTimestamp();
        await face!.DisposeAsync();

        Assert.True(Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(15), "it gives up");
    }

    private static MonitoringSetup Setup(Uri collector, object scope) =>
        new(new MonitoringOptions(Listen: false, IPAddress.Loopback, 0, collector, TimeSpan.FromMilliseconds(50)), "fleet-test", "1", "node-7", scope, [], [], NullLoggerFactory.Instance, null)
        {
            Traces = new TraceOptions(collector, SamplePercent: 100),
        };

    private sealed class Collector : IAsyncDisposable
    {
        private readonly WebApplication _host;
        private readonly ConcurrentQueue<(string Path, string Body)> _exports = new();

        private Collector(WebApplication host) => _host = host;

        public Uri Address => new(LoopbackHost.UrlOf(_host));

        public static async Task<Collector> Start()
        {
            Collector? collector = null;
            await LoopbackHost.Start(listen => listen.Protocols = HttpProtocols.Http2, host =>
            {
                collector = new Collector(host);
                host.Run(collector.Take);
            });
            return collector!;
        }

        /// <summary>Whether one export to this service held all these texts.</summary>
        public bool Got(string service, params string[] texts) =>
            _exports.Any(e => e.Path.StartsWith($"/opentelemetry.proto.collector.{service}.v1.", StringComparison.Ordinal) && texts.All(t => e.Body.Contains(t, StringComparison.Ordinal)));

        public ValueTask DisposeAsync() => _host.DisposeAsync();

        // One message in, an empty one out.
        private async Task Take(HttpContext http)
        {
            using var body = new MemoryStream();
            await http.Request.Body.CopyToAsync(body);
            _exports.Enqueue((http.Request.Path, Encoding.Latin1.GetString(body.ToArray())));
            http.Response.ContentType = "application/grpc";
            await http.Response.Body.WriteAsync(new byte[5]);
            http.Response.AppendTrailer("grpc-status", "0");
        }
    }
}
