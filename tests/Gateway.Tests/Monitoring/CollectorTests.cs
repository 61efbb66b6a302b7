using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net;
using System.Text;
using Fleet.Contracts.Tracing;
using Fleet.Gateway.Monitoring;
using Fleet.TestSupport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
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
        var setup = Setup(collector, samplePercent: 100);
        await using (await MonitoringFace.Start(setup))
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
        var nobody = new Uri($"http://127.0.0.1:{FreePorts.Take(1)[0]}");
        var setup = new MonitoringSetup(new MonitoringOptions(Listen: false, IPAddress.Loopback, 0, nobody, TimeSpan.FromMilliseconds(50)), "fleet-test", "1", "node-7", new object(), [], [], NullLoggerFactory.Instance, null)
        {
            Traces = new TraceOptions(nobody, 100),
        };
        var face = await MonitoringFace.Start(setup);
        Traces.Begin("request-wake", parent: null)?.Dispose();

        var began = Stopwatch.GetTimestamp();
        await face!.DisposeAsync();

        Assert.True(Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(15), "it gives up");
    }

    private static MonitoringSetup Setup(Collector collector, int samplePercent) =>
        new(new MonitoringOptions(Listen: false, IPAddress.Loopback, 0, collector.Address, TimeSpan.FromMilliseconds(50)), "fleet-test", "1", "node-7", collector, [], [], NullLoggerFactory.Instance, null)
        {
            Traces = new TraceOptions(collector.Address, samplePercent),
        };

    private sealed class Collector : IAsyncDisposable
    {
        private readonly WebApplication _host;
        private readonly ConcurrentQueue<(string Path, string Body)> _exports = new();

        private Collector(WebApplication host) => _host = host;

        public Uri Address => new(_host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());

        public static async Task<Collector> Start()
        {
            var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
            builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
            var host = builder.Build();
            var collector = new Collector(host);
            host.Run(collector.Take);
            await host.StartAsync();
            return collector;
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
