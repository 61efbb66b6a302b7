using Fleet.Headquarters.Cluster;
using Fleet.Headquarters.Storage;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;

namespace Fleet.Headquarters.Tests.Cluster;

public sealed class ClusterSystemTests
{
    [SkippableTheory, MemberData(nameof(TestStorage.Both), MemberType = typeof(TestStorage))]
    public async Task A_device_enrols_reports_and_is_seen_in_the_read_model(StorageProvider storage)
    {
        await using var company = await TestCompany.Start(storage, offices: TestCompany.Leeds);
        using var till = await company.EnrolDevice(TestCompany.Leeds, "till-1");

        var answer = await company.Report(till, TestCompany.Leeds, till.Report(1, applied: 1, events: [1, 2]));

        var ack = till.OpenAck(answer.Items.OfType<DeviceEnvelopeDown>().Single().Envelope);
        Assert.Equal((1UL, 2UL), (ack.ReportVersion, ack.EventNumber));
        await TestCompany.ReadModelShows(async () => (await company.ReadModel.DeviceEvents(till.Id, new(0, 50))).Items.Count(e => e.Number > 0) == 2, "both events");
        var detail = await company.ReadModel.Device(till.Id);
        Assert.Equal(("till-1", 1UL, 1UL), (detail!.Device.HostName, detail.Device.ReportedVersion, detail.Device.DesiredVersion));
        Assert.NotNull(detail.Delay);
    }

    [SkippableTheory, MemberData(nameof(TestStorage.Both), MemberType = typeof(TestStorage))]
    public async Task What_was_acknowledged_is_there_after_a_restart(StorageProvider storage)
    {
        await using var company = await TestCompany.Start(storage, offices: TestCompany.Leeds);
        using var till = await company.EnrolDevice(TestCompany.Leeds, "till-1");
        var report = till.Report(1, events: [1]);
        await company.Report(till, TestCompany.Leeds, report);

        await company.Restart();
        var answer = await company.Report(till, TestCompany.Leeds, report);

        Assert.Equal(1UL, till.OpenAck(answer.Items.OfType<DeviceEnvelopeDown>().Single().Envelope).EventNumber);
        Assert.Single((await company.Events()).OfType<DeviceEventRecorded>());
    }

    [SkippableTheory, MemberData(nameof(TestStorage.Both), MemberType = typeof(TestStorage))]
    public async Task A_twin_recovers_from_its_snapshot_and_old_events_go(StorageProvider storage)
    {
        await using var company = await TestCompany.Start(storage, snapshotEvery: 10, offices: TestCompany.Leeds);
        using var till = await company.EnrolDevice(TestCompany.Leeds, "till-1");
        for (ulong version = 1; version <= 40; version++)
            await company.Report(till, TestCompany.Leeds, till.Report(version, events: [version]));
        await TestCompany.ReadModelShows(async () => (await company.Events()).OfType<DeviceEventRecorded>().Count() < 40, "old events deleted");

        await company.Restart();
        var answer = await company.Report(till, TestCompany.Leeds, till.Report(41, events: [40, 41]));

        Assert.Equal(41UL, till.OpenAck(answer.Items.OfType<DeviceEnvelopeDown>().Single().Envelope).EventNumber);
    }

    [SkippableTheory, MemberData(nameof(TestStorage.Both), MemberType = typeof(TestStorage))]
    public async Task The_read_model_rebuilt_from_the_journal_shows_the_same_even_where_old_events_are_gone(StorageProvider storage)
    {
        await using var company = await TestCompany.Start(storage, snapshotEvery: 10, offices: TestCompany.Leeds);
        using var till = await company.EnrolDevice(TestCompany.Leeds, "till-1");
        for (ulong version = 1; version <= 40; version++)
            await company.Report(till, TestCompany.Leeds, till.Report(version, applied: 1));
        await company.Office(new LabelDevice(TestCompany.Leeds, till.Id, new Dictionary<string, string> { ["ring"] = "canary" }, [], "test"));
        await TestCompany.ReadModelShows(async () => (await company.ReadModel.Device(till.Id))?.Device is { ReportedVersion: 40, Labels.Count: 1 }, "the newest report");
        var before = await company.ReadModel.Device(till.Id);

        await company.RebuildReadModel();

        var after = await company.ReadModel.Device(till.Id);
        Assert.Equal(before!.Device with { Labels = after!.Device.Labels, LastSync = null, Through = null, Presence = after.Device.Presence }, after.Device);
        Assert.Equal("canary", after.Device.Labels["ring"]);
        Assert.Equal((before.Report, before.DesiredAt, before.CertificateSerial), (after.Report, after.DesiredAt, after.CertificateSerial));
        Assert.Single((await company.ReadModel.Tokens(new(new(0, 50)))).Items, t => t.Used == 1);
    }

    [SkippableTheory, MemberData(nameof(TestStorage.Both), MemberType = typeof(TestStorage))]
    public async Task A_journal_of_a_newer_format_is_refused_and_left_as_it_was(StorageProvider storage)
    {
        await using var company = await TestCompany.Start(storage, offices: TestCompany.Leeds);
        await company.Cluster.DisposeAsync();
        await company.Run(storage == StorageProvider.Sqlite ? "PRAGMA user_version=99" : "UPDATE fleet.storage_facts SET value = '99' WHERE name = 'format'");

        var refused = await Assert.ThrowsAsync<JournalRefusedException>(() => ClusterSystem.Start(company.Parts()));

        Assert.Contains("format 99", refused.Message);
        Assert.Equal("99", (await company.Run(storage == StorageProvider.Sqlite ? "PRAGMA user_version" : "SELECT value FROM fleet.storage_facts WHERE name = 'format'"))?.ToString());
    }

    [SkippableTheory, MemberData(nameof(TestStorage.Both), MemberType = typeof(TestStorage))]
    public async Task A_journal_with_an_unknown_event_is_refused(StorageProvider storage)
    {
        await using var company = await TestCompany.Start(storage, offices: TestCompany.Leeds);
        // The company's yes is its own; the office's first event is journaled when the office answers.
        await company.Token(TestCompany.Leeds, JoinKind.Agent);
        await company.Cluster.DisposeAsync();
        await company.Run($"UPDATE {(storage == StorageProvider.Sqlite ? "" : "fleet.")}journal SET manifest = 'office-teleported' WHERE manifest = 'office-opened'");

        var refused = await Assert.ThrowsAsync<JournalRefusedException>(() => ClusterSystem.Start(company.Parts()));

        Assert.Contains("office-teleported", refused.Message);
    }

    [SkippableTheory, MemberData(nameof(TestStorage.Both), MemberType = typeof(TestStorage))]
    public async Task A_journal_with_an_unknown_event_among_others_in_a_row_is_refused(StorageProvider storage)
    {
        await using var company = await TestCompany.Start(storage, offices: TestCompany.Leeds);
        using var till = await company.EnrolDevice(TestCompany.Leeds, "till-1");
        await company.Cluster.DisposeAsync();
        await company.Run($"UPDATE {(storage == StorageProvider.Sqlite ? "" : "fleet.")}journal SET manifest = replace(manifest, 'device-enrolled', 'device-teleported') WHERE manifest LIKE 'office-events %'");

        var refused = await Assert.ThrowsAsync<JournalRefusedException>(() => ClusterSystem.Start(company.Parts()));

        Assert.Contains("device-teleported", refused.Message);
    }
}
