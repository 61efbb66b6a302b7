using System.Collections.Concurrent;
using System.Diagnostics;
using Fleet.Contracts.Tracing;
using Fleet.Device.Settings;
using Fleet.NatLab.Fleets;
using Fleet.NatLab.Topologies;
using Xunit.Abstractions;

namespace Fleet.NatLab.Tests.Journeys;

/// <summary>One trace across the programs, all in this process, on the in-process engine.</summary>
public sealed class SimulatedTraceTests(ITestOutputHelper output)
{
    [Fact]
    public async Task One_trace_leads_from_the_operators_request_through_office_node_and_device_and_back()
    {
        var spans = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == Traces.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = spans.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        await using var fleet = await SimFleet.Build(Topology.Load("two-nodes"), output.WriteLine);
        await fleet.StartAll(output.WriteLine, "10m", _ => false);
        await fleet.WantLines(fleet.Topology.Offices[0]);
        var crowd = await fleet.JoinCrowd(fleet.Topology.Offices[0], "till", 1, DeviceOptions.Default);
        await using var till = crowd[0];
        await fleet.KeepLines(crowd, TimeSpan.FromMinutes(1));
        var device = till.Id.Value;

        await fleet.Operator.Wake(device);
        Activity? asked = null;
        await fleet.Until(_ => Task.FromResult(
            (asked = spans.FirstOrDefault(s => s.OperationName == "request-wake" && device.Equals(s.GetTagItem("fleet.device.id")))) is not null && spans.Count(s => s.TraceId == asked.TraceId) >= 6),
            "all spans of the wake-up are over");

        // Each is the child of the one before: headquarters' face and twin, the office's push server, the device, the office's gateway, the twin again.
        string[] journey = ["request-wake", "wake", "push", "sync", "take-sync", "woken"];
        var parent = default(ActivitySpanId);
        foreach (var name in journey)
        {
            var span = Assert.Single(spans, s => s.TraceId == asked!.TraceId && s.OperationName == name);
            Assert.Equal(parent, span.ParentSpanId);
            parent = span.SpanId;
        }
    }
}
