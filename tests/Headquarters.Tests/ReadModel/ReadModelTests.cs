using Fleet.Contracts;
using Fleet.Headquarters.ReadModel;
using Fleet.Headquarters.Storage;
using Fleet.Messages.Offices;
using LinqToDB.Mapping;

namespace Fleet.Headquarters.Tests.ReadModel;

/// <summary>What the read model promises whatever database it lies in.</summary>
public sealed class ReadModelTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly OfficeId Leeds = new("leeds");

    [SkippableTheory, MemberData(nameof(TestStorage.Both), MemberType = typeof(TestStorage))]
    public async Task A_fleet_that_is_seen_at_once_is_written_whole_and_the_newest_word_counts(StorageProvider provider)
    {
        await using var storage = await TestStorage.New(provider);
        string[] devices = [.. Enumerable.Range(0, 450).Select(n => $"d{n}")];
        Happens(storage, [new OfficeOpened(Leeds, "Leeds", "test", Noon), .. devices.Select(d => Enrolled(d, d))]);
        storage.ReadModel.Write(SeenAs(devices, PresenceState.Unknown));
        storage.ReadModel.Write(SeenAs(devices[..449], PresenceState.Online));
        var queries = new ReadModelQueries(storage.ReadModel, TimeProvider.System);

        var online = await queries.Devices(new DeviceFilter(PageRequest.First, State: PresenceState.Online));
        var unknown = await queries.Devices(new DeviceFilter(PageRequest.First, State: PresenceState.Unknown));

        Assert.Equal(449, online.Total);
        Assert.Equal(["d449"], Ids(unknown));
    }

    [SkippableTheory, MemberData(nameof(TestStorage.Both), MemberType = typeof(TestStorage))]
    public async Task A_twin_that_began_anew_leaves_what_is_known_of_the_last_sync(StorageProvider provider)
    {
        await using var storage = await TestStorage.New(provider);
        var (till, scale) = (new DeviceId("till"), new DeviceId("scale"));
        Happens(storage, [new OfficeOpened(Leeds, "Leeds", "test", Noon), Enrolled("till", "till"), Enrolled("scale", "scale")]);
        var synced = new SeenChanges();
        synced.Presence[till] = (Leeds, new DevicePresence(till, Noon, new NodeId("gw1.leeds"), PresenceState.Online, Noon, ""));
        storage.ReadModel.Write(synced);

        var began = new SeenChanges();
        foreach (var device in (DeviceId[])[till, scale])
            began.Presence[device] = (Leeds, new DevicePresence(device, null, null, PresenceState.Unknown, Noon.AddHours(1), "not heard of since headquarters started"));
        storage.ReadModel.Write(began);

        var queries = new ReadModelQueries(storage.ReadModel, TimeProvider.System);
        var shown = (await queries.Device(till))!.Device;
        Assert.Equal((PresenceState.Unknown, Noon), (shown.Presence.State, shown.LastSync));
        Assert.Null((await queries.Device(scale))!.Device.LastSync);
    }

    [SkippableTheory, MemberData(nameof(TestStorage.Both), MemberType = typeof(TestStorage))]
    public async Task Lists_are_searched_in_any_case_and_unknown_times_come_first(StorageProvider provider)
    {
        await using var storage = await TestStorage.New(provider);
        Happens(storage, [new OfficeOpened(Leeds, "Leeds, High Street", "test", Noon), Enrolled("a", "Till-1"), Enrolled("b", "till-2"), Enrolled("c", "Scale")]);
        var seen = new SeenChanges();
        seen.Presence[new DeviceId("b")] = (Leeds, new DevicePresence(new DeviceId("b"), Noon, null, PresenceState.Online, Noon, ""));
        storage.ReadModel.Write(seen);
        var queries = new ReadModelQueries(storage.ReadModel, TimeProvider.System);

        Assert.Equal(["a", "b"], Ids(await queries.Devices(new DeviceFilter(PageRequest.First, Text: "TILL"))).Order());
        Assert.Empty(Ids(await queries.Devices(new DeviceFilter(PageRequest.First, Text: "till%"))));
        Assert.Equal(["a", "c", "b"], Ids(await queries.Devices(new DeviceFilter(PageRequest.First, Sort: DeviceSort.LastSync))));
        Assert.Equal("b", Ids(await queries.Devices(new DeviceFilter(PageRequest.First, Sort: DeviceSort.LastSync, Descending: true)))[0]);
        Assert.Equal(["a", "c"], Ids(await queries.Devices(new DeviceFilter(PageRequest.First, SeenBefore: Noon))).Order());
        Assert.Equal(3, Assert.Single((await queries.Offices(new OfficeFilter(PageRequest.First, "high street"))).Items).Devices);
    }

    [Fact]
    public void No_key_may_be_null_or_a_join_over_it_reads_the_whole_other_table_for_each_row()
    {
        var tables = typeof(ReadModelStore).Assembly.GetTypes().Where(t => t.IsDefined(typeof(TableAttribute), inherit: false)).Select(t => MappingSchema.Default.GetEntityDescriptor(t)).ToList();

        Assert.True(tables.Count > 20);
        Assert.Empty(tables.SelectMany(t => t.Columns.Where(c => c.IsPrimaryKey && c.CanBeNull).Select(c => $"{t.Name.Name}.{c.ColumnName}")));
    }

    [SkippableTheory, MemberData(nameof(TestStorage.Both), MemberType = typeof(TestStorage))]
    public async Task Offices_with_a_node_that_is_down_come_first_where_that_is_wanted(StorageProvider provider)
    {
        await using var storage = await TestStorage.New(provider);
        var names = (string[])["a", "b", "c", "d"];
        Happens(storage,
        [
            .. names.Select(n => new OfficeOpened(new OfficeId(n), n, "test", Noon)),
            .. names.Select(n => new NodeEnrolled(new OfficeId(n), new NodeId($"gw.{n}"), new DeviceId($"d-{n}"), new CertificateRecord("01", default, 1, Noon.AddDays(30)), Noon)),
            .. names.Where(n => n != "c").Select(n => new NodeLinkChanged(new OfficeId(n), new NodeId($"gw.{n}"), true, "", Noon)),
        ]);
        var queries = new ReadModelQueries(storage.ReadModel, TimeProvider.System);

        var shown = await queries.Offices(new OfficeFilter(new PageRequest(0, 3), DownFirst: true));

        Assert.Equal(["c", "a", "b"], shown.Items.Select(o => o.OfficeId.Value));
        Assert.Equal([0, 1, 1], shown.Items.Select(o => o.LinkedNodes));
        Assert.Equal(4, shown.Total);
        Assert.Equal(["a", "b", "c", "d"], (await queries.Offices(new OfficeFilter(PageRequest.First))).Items.Select(o => o.OfficeId.Value));
        Assert.Equal("d", Assert.Single((await queries.Offices(new OfficeFilter(PageRequest.First, Office: new OfficeId("d")))).Items).OfficeId.Value);
    }

    [SkippableTheory, MemberData(nameof(TestStorage.Both), MemberType = typeof(TestStorage))]
    public async Task A_writer_that_did_not_hear_of_the_next_one_writes_nothing_twice(StorageProvider provider)
    {
        await using var storage = await TestStorage.New(provider);
        storage.ReadModel.Write(1, [], projection => projection.Apply(1, new OfficeOpened(Leeds, "Leeds", "test", Noon)), from: 0);

        var refused = Assert.Throws<InvalidOperationException>(() => storage.ReadModel.Write(2, [], projection => projection.Apply(2, Enrolled("a", "till")), from: 0));

        Assert.Contains("another headquarters node", refused.Message);
        Assert.Equal(1, await storage.ReadModel.Position());
        Assert.Equal(0, (await new ReadModelQueries(storage.ReadModel, TimeProvider.System).Devices(new DeviceFilter(PageRequest.First))).Total);
    }

    [SkippableTheory, MemberData(nameof(TestStorage.Both), MemberType = typeof(TestStorage))]
    public async Task A_text_with_any_character_is_stored(StorageProvider provider)
    {
        await using var storage = await TestStorage.New(provider);
        Happens(storage, [Enrolled("a", "till\0-1 ✓ 'quoted' \\"), new DeviceEventRecorded(Leeds, new DeviceId("a"), 1, "noted", "zero \0 byte", Noon, Noon)]);
        var queries = new ReadModelQueries(storage.ReadModel, TimeProvider.System);

        Assert.Contains("-1 ✓ 'quoted' \\", (await queries.Device(new DeviceId("a")))!.Device.Name, StringComparison.Ordinal);
        Assert.Contains((await queries.DeviceEvents(new DeviceId("a"), PageRequest.First)).Items, e => e.Text.EndsWith(" byte", StringComparison.Ordinal));
    }

    private static DeviceEnrolled Enrolled(string device, string name) =>
        new(Leeds, new DeviceId(device), name, default, new CertificateRecord("01", default, 1, Noon.AddDays(30)), new TokenId("t"), Noon);

    private static void Happens(TestStorage storage, IReadOnlyList<object> events) => storage.ReadModel.Write(events.Count, [], projection =>
    {
        projection.Expect(events);
        foreach (var (at, happened) in events.Index())
            projection.Apply(at + 1, happened);
    });

    private static List<string> Ids(Page<DeviceView> page) => [.. page.Items.Select(d => d.DeviceId.Value)];

    private static SeenChanges SeenAs(IEnumerable<string> devices, PresenceState state)
    {
        var seen = new SeenChanges();
        foreach (var id in devices.Select(d => new DeviceId(d)))
            seen.Presence[id] = (Leeds, new DevicePresence(id, Noon, null, state, Noon, ""));
        return seen;
    }
}
