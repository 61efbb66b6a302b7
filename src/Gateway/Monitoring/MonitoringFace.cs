using System.Net;
using Fleet.Contracts.Tracing;
using Fleet.Gateway.Service;
using Fleet.Messages.Transport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Fleet.Gateway.Monitoring;

/// <param name="Program">Such as <c>fleet-headquarters</c>; <c>service.name</c> of what is exported.</param>
/// <param name="Instance">Tells it from others of its kind; <c>service.instance.id</c>.</param>
/// <param name="Scope">The scope of the program's meters: several nodes may run in one process, and each shows its own.</param>
/// <param name="Live">What must hold for the process to be left running.</param>
/// <param name="Ready">What must hold for it to be given work.</param>
/// <param name="Network">Null: the machine's own sockets.</param>
public sealed record MonitoringSetup(
    MonitoringOptions Options, string Program, string Version, string Instance, object Scope, IReadOnlyList<HealthCheck> Live, IReadOnlyList<HealthCheck> Ready, ILoggerFactory Logging, IByteNetwork? Network)
{
    public TraceOptions Traces { get; init; } = new(OtlpEndpoint: null, SamplePercent: 0);
}

/// <summary>
/// Shows how a program is: <c>/metrics</c> for Prometheus, <c>/health/live</c> and <c>/health/ready</c> for whoever starts and stops it. Plain HTTP without a
/// password, and nothing in it that is secret; the port is bound to loopback where nobody sets it otherwise.
/// </summary>
public sealed class MonitoringFace : IAsyncDisposable
{
    private readonly MeterProvider _meters;
    private readonly TracerProvider? _traces;
    private readonly WebApplication? _host;

    private MonitoringFace(MeterProvider meters, TracerProvider? traces, WebApplication? host, IPEndPoint? local) => (_meters, _traces, _host, Local) = (meters, traces, host, local);

    /// <summary>Where it listens; null: it does not.</summary>
    public IPEndPoint? Local { get; }

    /// <returns>Null where nobody wants to see anything.</returns>
    /// <exception cref="IOException">The port is in use or may not be used; the message names the setting.</exception>
    public static async Task<MonitoringFace?> Start(MonitoringSetup setup, CancellationToken cancellation = default)
    {
        var options = setup.Options;
        if (!options.Listen && options.OtlpEndpoint is null && setup.Traces.OtlpEndpoint is null)
            return null;
        var (meters, traces) = (Meters(setup), Spans(setup));
        if (!options.Listen)
            return new MonitoringFace(meters, traces, null, null);
        try
        {
            var host = Host(setup, meters);
            return new MonitoringFace(meters, traces, host, await host.Open(new IPEndPoint(options.Bind, options.Port), "metrics and health", "fleet.metrics", cancellation));
        }
        catch
        {
            meters.Dispose();
            traces?.Dispose();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
            await _host.Close();
        _meters.Dispose();
        // Sends what waits, or gives up after five seconds.
        _traces?.Dispose();
    }

    // What is asked of this process under another's trace is recorded as that other decided.
    private static TracerProvider? Spans(MonitoringSetup setup) => setup.Traces.OtlpEndpoint is not { } endpoint ? null : Sdk.CreateTracerProviderBuilder()
        .ConfigureResource(r => Describe(r, setup))
        .AddSource(Traces.SourceName)
        .SetSampler(new ParentBasedSampler(new TraceIdRatioBasedSampler(setup.Traces.SamplePercent / 100.0)))
        .AddOtlpExporter(exporter => (exporter.Endpoint, exporter.Protocol) = (endpoint, OtlpExportProtocol.Grpc))
        .Build();

    private static void Describe(ResourceBuilder resource, MonitoringSetup setup) =>
        resource.Clear().AddService(setup.Program, serviceVersion: setup.Version, serviceInstanceId: setup.Instance);

    private static MeterProvider Meters(MonitoringSetup setup)
    {
        var builder = Sdk.CreateMeterProviderBuilder()
            .ConfigureResource(r => Describe(r, setup))
            // What .NET and the database's driver count is the process's: processor time, memory, garbage collection, connections.
            .AddMeter("fleet.*", "System.Runtime", "Npgsql")
            .AddView(instrument => instrument.Meter.Scope is null || ReferenceEquals(instrument.Meter.Scope, setup.Scope) ? null : MetricStreamConfiguration.Drop);
        if (setup.Options.Listen)
            builder.AddPrometheusExporter();
        if (setup.Options.OtlpEndpoint is { } endpoint)
            builder.AddOtlpExporter((exporter, reader) =>
            {
                (exporter.Endpoint, exporter.Protocol) = (endpoint, OtlpExportProtocol.Grpc);
                reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds = (int)setup.Options.OtlpEvery.TotalMilliseconds;
            });
        return builder.Build();
    }

    private static WebApplication Host(MonitoringSetup setup, MeterProvider meters)
    {
        // Empty: no environment variables, no files, no console of ASP.NET's own decide anything here.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(setup.Logging);
        builder.Services.AddLogging();
        builder.Services.AddRouting();
        if (setup.Network is { } network)
            builder.Services.AddSingleton<IConnectionListenerFactory>(new ByteNetworkTransport(network));
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = 0;
            kestrel.Limits.MaxConcurrentConnections = 100;
            kestrel.Listen(new IPEndPoint(setup.Options.Bind, setup.Options.Port), listen => listen.Protocols = HttpProtocols.Http1);
        });
        var host = builder.Build();
        host.UseOpenTelemetryPrometheusScrapingEndpoint(meters, null, "/metrics", null, null);
        host.MapGet("/health/live", http => HealthAnswer.Write(http, setup.Live));
        host.MapGet("/health/ready", http => HealthAnswer.Write(http, setup.Ready));
        return host;
    }
}
