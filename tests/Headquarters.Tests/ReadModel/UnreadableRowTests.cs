using Akka.Actor;
using Fleet.Contracts;
using Fleet.Contracts.Storage;
using Fleet.Headquarters.ReadModel;
using Fleet.Headquarters.Storage;
using Fleet.Messages.Company;
using Fleet.Messages.Offices;
using Microsoft.Extensions.Logging.Abstractions;
using static Fleet.Headquarters.Tests.TestCompany;

namespace Fleet.Headquarters.Tests.ReadModel;

public sealed class UnreadableRowTests
{
    public static TheoryData<StorageProvider> Both => TestStorage.Both;

    [SkippableTheory, MemberData(nameof(Both))]
    public async Task A_damaged_row_stops_its_office_and_is_named_and_everything_else_serves(StorageProvider storage)
    {
        await using var company = await TestCompany.Start(storage, 1000, Leeds, York);
        await company.Token(Leeds, JoinKind.Agent);
        await ReadModelShows(async () => (await company.ReadModel.OfficeEvents(Leeds, PageRequest.First)).Total >= 2, "the token");
        await company.Run(Damage(storage, "office-leeds"));

        await company.RebuildReadModel();

        await ReadModelShows(() => Refuses(company), "Leeds refuses, and names the row");
        var row = Assert.Single((await company.ReadModel.Status()).Unreadable);
        Assert.Equal(("office-leeds", UnreadableRow.Event), (row.PersistenceId, row.Kind));
        Assert.True(row.Position > 0);
        Assert.NotEqual("", row.Manifest);
        await company.Token(York, JoinKind.Agent);
        await company.Company(new AddOffice(new OfficeId("hull"), "Hull", "test"));
        await ReadModelShows(async () => await company.ReadModel.Office(new OfficeId("hull")) is not null, "another office is opened");
        await ReadModelShows(async () => (await company.ReadModel.OfficeEvents(York, PageRequest.First)).Total >= 2, "York's token");
        Assert.Equal(RefusalCode.Busy, (RefusalCode)(await company.Enrol(new Machine("till").Join(await company.Token(York, JoinKind.Agent)), at: Leeds)).Refusal.Code);
    }

    [SkippableTheory, MemberData(nameof(Both))]
    public async Task Rows_that_come_and_cant_be_read_do_not_stop_the_read_model(StorageProvider storage)
    {
        await using var company = await TestCompany.Start(storage, 1000, York);

        await company.Run(Insert(storage, "office-one", "office-opened"));
        await company.Run(Insert(storage, "office-two", "of-the-future"));
        await company.Token(York, JoinKind.Agent);

        await ReadModelShows(async () => (await company.ReadModel.OfficeEvents(York, PageRequest.First)).Total >= 2, "York's token");
        var unreadable = (await company.ReadModel.Status()).Unreadable;
        Assert.Equal([("office-one", "office-opened"), ("office-two", "of-the-future")], unreadable.Select(r => (r.PersistenceId, r.Manifest)));
        Assert.Contains("unknown message 'of-the-future'", unreadable[1].Why, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_office_goes_on_without_a_row_that_was_taken_out()
    {
        var data = Directory.CreateTempSubdirectory("fleet-unreadable-").FullName;
        long position;
        using (DataDirectory.Open(data, "headquarters"))
        {
            await using var company = await TestCompany.Start(TestStorage.In(data), 1000, [Leeds]);
            await company.Token(Leeds, JoinKind.Agent);
            await company.Run(Damage(StorageProvider.Sqlite, "office-leeds"));
            await company.Restart();
            await ReadModelShows(() => Refuses(company), "Leeds refuses");
            position = (await company.ReadModel.Status()).Unreadable.Single().Position;
        }

        Assert.Contains("no event at position", (await Assert.ThrowsAsync<StorageException>(() => Aside(position + 1000))).Message, StringComparison.Ordinal);
        Assert.Contains("of office-leeds", await Aside(position), StringComparison.Ordinal);

        Assert.True(File.Exists(Path.Combine(data, $"set-aside-{position}.json")));
        using (DataDirectory.Open(data, "headquarters"))
        {
            await using var company = await TestCompany.Start(TestStorage.In(data), 1000, []);
            await company.Token(Leeds, JoinKind.Agent);
            Assert.Empty((await company.ReadModel.Status()).Unreadable);
        }

        Directory.Delete(data, recursive: true);

        Task<string> Aside(long at) => HeadquartersNode.SetAside(data, at, HeadquartersOptions.Load(null, []), NullLoggerFactory.Instance);
    }

    // What comes while a twin begins anew is lost.
    private static async Task<bool> Refuses(TestCompany company)
    {
        try
        {
            return await company.Cluster.Offices.Ask<IOfficeReply>(new CreateToken(Leeds, JoinKind.Agent, 1, TimeSpan.FromHours(1), "test"), TimeSpan.FromSeconds(1)) is OfficeRefused { Code: RefusalCode.Busy } refused
                && refused.Detail.Contains("of office-leeds in the journal", StringComparison.Ordinal);
        }
        catch (AskTimeoutException)
        {
            return false;
        }
    }

    // The newest event of the owner, but for its first.
    private static string Damage(StorageProvider storage, string owner) => storage == StorageProvider.Sqlite
        ? $"UPDATE journal SET message = X'C1C1' WHERE ordering = (SELECT max(ordering) FROM journal WHERE persistence_id = '{owner}')"
        : $"UPDATE fleet.journal SET message = '\\xC1C1' WHERE ordering = (SELECT max(ordering) FROM fleet.journal WHERE persistence_id = '{owner}')";

    private static string Insert(StorageProvider storage, string owner, string manifest) => storage == StorageProvider.Sqlite
        ? $"INSERT INTO journal (created, deleted, persistence_id, sequence_number, message, manifest, identifier, writer_uuid) VALUES (1, 0, '{owner}', 1, X'C1', '{manifest}', 4100, 'test')"
        : $"INSERT INTO fleet.journal (created, deleted, persistence_id, sequence_number, message, manifest, identifier, writer_uuid) VALUES (1, false, '{owner}', 1, '\\xC1', '{manifest}', 4100, 'test')";
}
