using Fleet.Headquarters.Devices;
using Fleet.Messages.Offices;
using static Fleet.Headquarters.Tests.Offices.Situation;

namespace Fleet.Headquarters.Tests.Devices;

public sealed class DeviceTests
{
    [Fact]
    public void A_newer_report_is_journaled_with_its_new_events_in_order()
    {
        var device = NewDevice().Hear(Report(1, events: [1, 2]), 1).Device;

        var (after, decision) = device.Hear(Report(2, events: [4, 2, 3]), 2);

        Assert.Equal(ReportOutcome.Taken, decision.Outcome);
        Assert.Equal([3UL, 4UL], decision.Events.OfType<DeviceEventRecorded>().Select(e => e.Number));
        Assert.Equal((2UL, 4UL), (after.Known.ReportedVersion, after.Known.EventNumber));
    }

    [Fact]
    public void A_repeated_report_journals_nothing_and_is_acknowledged_again()
    {
        var device = NewDevice().Hear(Report(1, events: 1), 1).Device;

        var (_, decision) = device.Hear(Report(1, events: 1), 1);

        Assert.Equal(ReportOutcome.Repeated, decision.Outcome);
        Assert.Empty(decision.Events);
    }

    [Fact]
    public void A_replayed_old_report_changes_nothing()
    {
        var device = NewDevice().Hear(Report(1), 1).Device.Hear(Report(2, host: "renamed"), 2).Device;

        var (after, decision) = device.Hear(Report(1), 1);

        Assert.Equal(ReportOutcome.Repeated, decision.Outcome);
        Assert.Same(device.Known, after.Known);
    }

    [Fact]
    public void The_same_state_sealed_anew_is_not_news()
    {
        var device = NewDevice().Hear(Report(1), 1).Device;
        var again = Report(1);
        again.DeviceTime = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(Noon);

        var (_, decision) = device.Hear(again, 2);

        Assert.Equal(ReportOutcome.Repeated, decision.Outcome);
    }

    [Fact]
    public void A_headquarters_restored_from_a_backup_wants_something_newer_than_what_the_device_obeyed_meanwhile()
    {
        var report = Report(1);
        report.AppliedVersion = 9;

        var (after, decision) = NewDevice().Hear(report, 1);

        Assert.Equal(10UL, Assert.Single(decision.Events.OfType<DeviceDesiredChanged>()).Version);
        Assert.Equal(10UL, after.Known.DesiredVersion);
        Assert.Equal(NewDevice().Known.DesiredHash.ToArray(), after.Known.DesiredHash.ToArray());
    }

    [Fact]
    public void A_device_restored_from_a_backup_is_heard_though_its_version_went_back()
    {
        var device = NewDevice().Hear(Report(7, events: [1, 2, 3]), 7).Device;

        var (after, decision) = device.Hear(Report(3, host: "restored", events: 2), 8);

        Assert.Equal(ReportOutcome.Taken, decision.Outcome);
        Assert.Empty(decision.Events.OfType<DeviceEventRecorded>());
        Assert.Equal((3UL, 3UL), (after.Known.ReportedVersion, after.Known.EventNumber));
    }

    [Fact]
    public void A_second_machine_is_refused_while_the_enrolled_one_is_about()
    {
        var device = NewDevice().Hear(Report(5), 5).Device;

        var (after, decision) = device.Hear(Report(9, Other, events: [1, 2]), 9);

        Assert.Equal(ReportOutcome.Cloned, decision.Outcome);
        Assert.IsType<DeviceCloneSeen>(Assert.Single(decision.Events));
        Assert.Equal((5UL, 0UL), (after.Known.ReportedVersion, after.Known.EventNumber));
        Assert.Equal(Enrolled, after.Known.Machine.ToArray());
    }

    [Fact]
    public void A_clone_is_journaled_once_an_hour()
    {
        var device = NewDevice().Hear(Report(9, Other), 9).Device;

        var soon = device.Hear(Report(9, Other), 9, now: Noon.AddMinutes(59), heardAt: Noon.AddMinutes(59)).Decision;
        var later = device.Hear(Report(9, Other), 9, now: Noon.AddMinutes(60), heardAt: Noon.AddMinutes(60)).Decision;

        Assert.Empty(soon.Events);
        Assert.Single(later.Events);
    }

    [Fact]
    public void Another_machine_takes_over_once_the_enrolled_one_is_silent()
    {
        var device = NewDevice().Hear(Report(5), 5).Device;

        var (after, decision) = device.Hear(Report(6, Other), 6, heardAt: Noon, now: Noon.AddMinutes(30));

        Assert.Equal(ReportOutcome.Taken, decision.Outcome);
        Assert.Equal(Other, after.Known.Machine.ToArray());
    }

    [Fact]
    public void Both_keys_are_accepted_until_a_report_comes_under_the_new_one()
    {
        var device = NewDevice().Apply(new DeviceCertified(Leeds, Till, Certificate(2), Noon));

        var old = device.Hear(Report(1), 1, generation: 1).Device;
        var renewed = old.Hear(Report(2), 1, generation: 2).Device;

        Assert.Equal([1u, 2u], old.Known.Certificates.Select(c => c.Generation));
        Assert.Equal([2u], renewed.Known.Certificates.Select(c => c.Generation));
    }

    [Fact]
    public void A_renewal_asked_for_again_replaces_the_certificate_not_used_yet()
    {
        var device = NewDevice().Apply(new DeviceCertified(Leeds, Till, Certificate(2), Noon));

        var again = device.Apply(new DeviceCertified(Leeds, Till, Certificate(2) with { Serial = "again" }, Noon));

        Assert.Equal(["01", "again"], again.Known.Certificates.Select(c => c.Serial));
    }

    [Fact]
    public void A_report_whose_version_is_not_its_envelopes_is_refused()
    {
        var header = Header(Report(2), 1);

        var decision = NewDevice().Decide(Leeds, header, Report(3), new ReportCircumstances(Noon, Noon, TimeSpan.FromMinutes(30)));

        Assert.Equal(ReportOutcome.Rejected, decision.Outcome);
    }

    [Fact]
    public void Any_mix_of_lost_repeated_and_late_reports_records_each_event_once_and_in_order()
    {
        for (var seed = 1; seed <= 300; seed++)
        {
            var random = new Random(seed);
            var (recorded, acknowledged, made) = (new List<ulong>(), 0UL, 0UL);
            var sent = new List<(Contracts.Agents.DeviceReport Report, ulong Counter)>();
            var device = NewDevice();
            for (ulong step = 1; step <= 30; step++)
            {
                made += (ulong)random.Next(3);
                sent.Add((Report(step, events: [.. Enumerable.Range((int)acknowledged + 1, (int)(made - acknowledged)).Select(n => (ulong)n)]), step));
                foreach (var _ in Enumerable.Range(0, random.Next(4)))
                {
                    // The newest twice as likely as any that a carrier still holds.
                    var (report, counter) = random.Next(2) == 0 ? sent[^1] : sent[random.Next(sent.Count)];
                    var (after, decision) = device.Hear(report, counter);
                    recorded.AddRange(decision.Events.OfType<DeviceEventRecorded>().Select(e => e.Number));
                    device = after;
                    if (random.Next(2) == 0)
                        acknowledged = device.Known.EventNumber;
                }
            }

            device.Hear(sent[^1].Report, sent[^1].Counter).Decision.Events.OfType<DeviceEventRecorded>().ToList().ForEach(e => recorded.Add(e.Number));
            Assert.True(Enumerable.Range(1, (int)made).Select(n => (ulong)n).SequenceEqual(recorded), $"seed {seed}: {string.Join(' ', recorded)}");
        }
    }
}
