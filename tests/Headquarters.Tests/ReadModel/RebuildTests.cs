using Akka.Actor;
using Fleet.Contracts;
using Fleet.Headquarters.ReadModel;
using Fleet.Headquarters.Storage;
using Fleet.Messages.Cluster;
using Fleet.Messages.Company;
using Fleet.Messages.Offices;
using LinqToDB;
using static Fleet.Headquarters.Tests.TestCompany;

namespace Fleet.Headquarters.Tests.ReadModel;

/// <summary>The read model is written anew from a journal that has forgotten most, while headquarters serves.</summary>
public sealed class RebuildTests
{
    private const int Before = 60;

    public static TheoryData<StorageProvider> Both => TestStorage.Both;

    [SkippableTheory, MemberData(nameof(Both))]
    public async Task It_is_written_anew_under_traffic_from_what_snapshots_left_and_histories_lose_nothing(StorageProvider storage)
    {
        await using var company = await TestCompany.Start(storage, 10, Leeds, York);
        var till = await company.EnrolDevice(Leeds, "till-1");
        await company.Company(new ApplyPolicy(new PolicyDocument(new PolicyName("slow"), [], new Dictionary<string, string>(), 10, new Dictionary<string, string> { ["sync.interval"] = "1h" }), "ann"));
        await Forget(company, till);
        Spoil(company.Store);
        using var traffic = new CancellationTokenSource();
        var reporting = Task.Run(() => Reports(company, till, traffic.Token));
        var watching = Task.Run(() => Watch(company, till, traffic.Token));

        var begun = await company.Cluster.ReadModelWriter.Ask<ReadModelRebuilding>(new RebuildReadModel("test"), TimeSpan.FromSeconds(20));
        await ReadModelShows(async () => await company.Store.Fact(RebuildFacts.Done) is not null, "it is whole");
        await traffic.CancelAsync();
        var last = await reporting;

        Assert.True(begun.Begun);
        Assert.True(await watching > 0, "lists were looked at meanwhile, and showed the device");
        await ReadModelShows(async () => (await company.ReadModel.Device(till.Id))!.Report!.Version == last, "what was reported meanwhile, and since");
        Assert.Equal("till-1", (await company.ReadModel.Device(till.Id))!.Device.Name);
        Assert.Equal(Enumerable.Range(1, (int)last).Select(n => (ulong)n), await Numbers(company, till));
        Assert.Equal("ann", (await company.ReadModel.Policy(new PolicyName("slow")))!.AppliedBy);
        Assert.Equal(["leeds", "york"], (await company.ReadModel.Offices(new OfficeFilter(PageRequest.First))).Items.Select(o => o.OfficeId.Value));
        Assert.Null(await company.Store.Fact(RebuildFacts.Reached));
        // Events go again.
        await ReadModelShows(() => Task.FromResult(Left(company) < 30), "old events go");
    }

    [SkippableFact]
    public async Task It_is_begun_anew_where_a_twin_was_still_deleting_events()
    {
        var storage = await TestStorage.New(TestStorage.Usual);
        var journal = new WatchedJournal(storage.Journal);
        storage.Journal = journal;
        await using var company = await TestCompany.Start(storage, 10, [Leeds]);
        var till = await company.EnrolDevice(Leeds, "till-1");
        await Forget(company, till);
        // What it deletes by itself would be one more reason to begin anew.
        await ReadModelShows(() => Task.FromResult(DeletesNothing(company)), "the twin has deleted what it may");
        var looks = 0;
        // After it found out where twins begin.
        journal.Looked = () =>
        {
            if (Interlocked.Increment(ref looks) == 1)
                new JournalRows(storage.Journal).Remove(new JournalRows(storage.Journal).EventsOf("office-leeds").First());
        };

        var begun = await company.Cluster.ReadModelWriter.Ask<ReadModelRebuilding>(new RebuildReadModel("test"), TimeSpan.FromSeconds(20));
        await ReadModelShows(async () => await company.Store.Fact(RebuildFacts.Done) is not null, "it is whole");

        Assert.True(begun.Begun);
        Assert.Equal(4, looks);
        Assert.Equal(Enumerable.Range(1, Before).Select(n => (ulong)n), await Numbers(company, till));
        Assert.Null(await company.Store.Fact(RebuildFacts.Reached));
    }

    [SkippableTheory, MemberData(nameof(Both))]
    public async Task What_only_the_histories_know_stays_and_what_the_journal_tells_is_not_doubled(StorageProvider provider)
    {
        await using var storage = await TestStorage.New(provider);
        var (noon, served) = (new DateTimeOffset(2026, 1, 1, 12, 0, 0, TimeSpan.Zero), storage.ReadModel);
        NodeId node = new("gw1.leeds");
        using (var db = served.Open())
        {
            db.Insert(new OfficeEventRow { Position = HistoryPosition.Of(1, 0), OfficeId = "leeds", Kind = "opened", At = noon });
            db.Insert(new OfficeEventRow { Position = HistoryPosition.Of(8, 0), OfficeId = "leeds", Kind = "wrong", At = noon });
            db.Insert(new OfficeEventRow { Position = HistoryPosition.Of(9, 0), OfficeId = "york", Kind = "opened", At = noon });
            db.Insert(new IncidentRow { Position = HistoryPosition.Of(3, 0), Subject = "leeds", OfficeId = "leeds", WholeOffice = true, OpenedAt = noon, Why = "gone" });
            db.Insert(new IncidentRow { Position = HistoryPosition.Of(2, 0), Subject = "leeds", OfficeId = "leeds", WholeOffice = true, OpenedAt = noon.AddDays(-1), ClosedAt = noon.AddHours(-1) });
            db.Insert(new IncidentRow { Position = HistoryPosition.Of(4, 0), Subject = "gw9.leeds", OfficeId = "leeds", OpenedAt = noon });
            db.Insert(new PresenceRow { DeviceId = "gone", OfficeId = "leeds", State = 1, Since = noon });
        }

        await using (var fresh = await served.Beside(default))
        {
            fresh.Write(8, [], projection =>
            {
                projection.Begin(7, Dark(node, noon));
                projection.Apply(8, new PollsScheduled(Leeds, new Messages.Link.PollPlan([], 200), "test", noon));
            }, from: 0);
            served.TakeOver(fresh, 8, from: 0, [new FirstRow("office-leeds", 8, 8)]);
        }

        using var shown = served.Open();
        Assert.Equal([(1, "opened"), (8, "polls-scheduled"), (9, "opened")], shown.OfficeEvents.OrderBy(e => e.Position).AsEnumerable().Select(e => (e.Position / 4096, e.Kind)));
        Assert.Equal([(2, noon.AddDays(-1)), (3, noon)], shown.Incidents.OrderBy(i => i.Position).AsEnumerable().Select(i => (i.Position / 4096, i.OpenedAt)));
        Assert.Equal(node.Value, Assert.Single(shown.Nodes.ToList()).NodeId);
        Assert.Empty(shown.Presence.ToList());
        Assert.Equal(8, await served.Position());
    }

    [SkippableTheory, MemberData(nameof(Both))]
    public async Task One_that_stands_elsewhere_is_not_replaced(StorageProvider provider)
    {
        await using var storage = await TestStorage.New(provider);
        storage.ReadModel.Write(5, [], _ => { });
        await using var fresh = await storage.ReadModel.Beside(default);
        fresh.Write(5, [], projection => projection.Apply(5, new OfficeOpened(Leeds, "Leeds", "test", DateTimeOffset.UnixEpoch)));

        Assert.Throws<InvalidOperationException>(() => storage.ReadModel.TakeOver(fresh, 5, from: 4, []));

        using var db = storage.ReadModel.Open();
        Assert.Empty(db.Offices.ToList());
    }

    [SkippableFact]
    public async Task Tables_of_another_shape_are_made_anew_and_histories_of_the_same_shape_stay()
    {
        var data = Directory.CreateTempSubdirectory("fleet-format-").FullName;
        await using (var before = TestStorage.In(data))
        {
            using var db = before.ReadModel.Open();
            db.Insert(new OfficeRow { OfficeId = "leeds" });
            db.Insert(new DeviceEventRow { Position = 1, DeviceId = "till", Kind = "kept" });
            db.Projections.Set(p => p.Format, 1).Set(p => p.Position, 7).Update();
        }

        await using (var after = TestStorage.In(data))
        {
            using var db = after.ReadModel.Open();
            Assert.Empty(db.Offices.ToList());
            Assert.Equal("kept", Assert.Single(db.DeviceEvents.ToList()).Kind);
            Assert.Equal(0, await after.ReadModel.Position());
        }

        Directory.Delete(data, recursive: true);
    }

    private static OfficeSnapshot Dark(NodeId node, DateTimeOffset noon)
    {
        var office = new Headquarters.Offices.Office(Leeds).Apply([
            new OfficeOpened(Leeds, "Leeds", "test", noon),
            new NodeEnrolled(Leeds, node, new DeviceId("d-gw1"), new CertificateRecord("01", default, 1, noon.AddDays(30)), noon),
            new NodeReported(Leeds, node, new Messages.Link.NodeReport(0, [], [], "0.1.0", "host", noon, [], [], [], "directly", [], null), noon),
            new NodeLinkChanged(Leeds, node, false, "gone", noon.AddHours(1)),
        ]);
        return office.ToSnapshot(noon);
    }

    private static async Task Forget(TestCompany company, Machine till)
    {
        for (ulong version = 1; version <= Before; version++)
            await company.Report(till, Leeds, till.Report(version, events: [version]));
        await ReadModelShows(async () => Left(company) < 30 && (await Numbers(company, till)).Count == Before, "old events are gone from the journal, and the read model has them");
    }

    // As a bug would.
    private static void Spoil(ReadModelStore store)
    {
        using var db = store.Open();
        db.Devices.Set(d => d.Name, "wrong").Update();
        db.Offices.Delete(o => o.OfficeId == "york");
        db.DeviceEvents.Delete(e => e.Position == db.DeviceEvents.Max(l => l.Position));
    }

    private static async Task<ulong> Reports(TestCompany company, Machine till, CancellationToken stop)
    {
        ulong version = Before;
        while (!stop.IsCancellationRequested)
        {
            version++;
            await company.Report(till, Leeds, till.Report(version, events: [version]));
        }

        return version;
    }

    private static async Task<int> Watch(TestCompany company, Machine till, CancellationToken stop)
    {
        var looks = 0;
        for (; !stop.IsCancellationRequested; looks++)
            Assert.NotNull(await company.ReadModel.Device(till.Id));
        return looks;
    }

    private static int Left(TestCompany company) => new JournalRows(company.Journal).EventsOf("office-leeds").Count();

    // Its newest snapshot is not yet followed by another (each report is two events, and ten make the next), and what the one before holds is gone.
    private static bool DeletesNothing(TestCompany company)
    {
        var rows = new JournalRows(company.Journal);
        var (snapshots, events) = (rows.SnapshotsOf("office-leeds").ToList(), rows.EventsOf("office-leeds").ToList());
        return snapshots is [var older, var newest] && events.Count(e => e.SequenceNr > newest.SequenceNr) < 5 && events[0].SequenceNr == older.SequenceNr + 1;
    }

    private static async Task<List<ulong>> Numbers(TestCompany company, Machine till)
    {
        List<ulong> numbers = [];
        while ((await company.ReadModel.DeviceEvents(till.Id, new PageRequest(numbers.Count, 100))).Items is { Count: > 0 } page)
            numbers.AddRange(page.Select(e => e.Number));
        return [.. numbers.Where(n => n > 0).Order()];
    }

    /// <summary>Says when somebody looks at a moment without writes.</summary>
    private sealed class WatchedJournal(IJournalStore journal) : IJournalStore
    {
        public Action Looked { get; set; } = () => { };

        public string ProviderName => journal.ProviderName;

        public string ConnectionString => journal.ConnectionString;

        public int Parallelism => journal.Parallelism;

        public int Recoveries => journal.Recoveries;

        public bool MakesOwnTables => journal.MakesOwnTables;

        public string LastPositionSql => journal.LastPositionSql;

        public string FreezeSql => journal.FreezeSql;

        public string SetLastPositionSql(long position) => journal.SetLastPositionSql(position);

        public Task<T> BetweenWrites<T>(Func<T> look, CancellationToken cancellation)
        {
            Looked();
            return journal.BetweenWrites(look, cancellation);
        }

        public StorageSize Size() => journal.Size();

        public int GiveBack() => journal.GiveBack();

        public string Say(Exception fault) => journal.Say(fault);

        public Task<string?> Prepare(CancellationToken cancellation) => journal.Prepare(cancellation);

        public Task<bool> HasMore(long after, long upTo, IReadOnlySet<long> read) => journal.HasMore(after, upTo, read);
    }
}
