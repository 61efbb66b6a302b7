using Akka.Actor;
using Akka.Event;
using Fleet.Headquarters.Storage;
using Fleet.Headquarters.Tests.Links;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;
using Fleet.TestSupport;
using Xunit.Abstractions;
using static Fleet.Headquarters.Tests.TestCompany;

namespace Fleet.Headquarters.Tests.Storage;

/// <summary>The disk of headquarters' files is full while devices report.</summary>
public sealed class FullDiskTests(ITestOutputHelper output)
{
    private const int WithRoom = 50;
    private const int Most = 20_000;

    [SkippableFact]
    public async Task What_was_acknowledged_is_kept_the_log_names_the_file_and_all_goes_on_once_there_is_room()
    {
        using var disk = SmallDisk.Mount(megabytes: 40);
        await using var company = await Start(TestStorage.In(disk.Directory), 1000, [Leeds]);
        await Fills(disk, company, Path.Combine(disk.Directory, "journal.db"), () => Task.CompletedTask);

        Assert.Equal("ok", await company.Run("PRAGMA integrity_check"));
    }

    [SkippableFact]
    public async Task The_same_holds_where_it_is_the_disk_of_PostgreSQL()
    {
        Skip.If(PrivatePostgres.Unable() is not null, PrivatePostgres.Unable());
        using var disk = SmallDisk.Mount(megabytes: 200);
        await using var server = await PrivatePostgres.Start(directory: disk.Directory);
        await using var company = await Start(new StorageOptions(StorageProvider.PostgreSql, await server.NewDatabase(), 20, TimeSpan.FromSeconds(20)), 1000, Leeds);

        await Fills(disk, company, "its disk is full", async () =>
        {
            // Where not even its log of writes has room it ends, and whoever keeps services running starts it again.
            if (await server.Runs())
                return;
            output.WriteLine("PostgreSQL had ended");
            await server.Stop();
            await server.Run();
        });
    }

    private async Task Fills(SmallDisk disk, TestCompany company, string named, Func<Task> roomAgain)
    {
        using var till = await company.EnrolDevice(Leeds, "till-1");
        var said = LinkRig.Event<LogEvent>(company.System, e => e.ToString() is { } text && text.Contains("can't be written, and nothing was answered", StringComparison.Ordinal)
            && text.Contains(named, StringComparison.Ordinal) && text.Contains("Make room", StringComparison.Ordinal));

        var acknowledged = 0UL;
        while (acknowledged < WithRoom && await Reported(company, till, acknowledged + 1, LinkRig.Patience))
            acknowledged++;
        disk.Fill();
        while (acknowledged < Most && await Reported(company, till, acknowledged + 1, TimeSpan.FromSeconds(5)))
            acknowledged++;
        await said.WaitAsync(LinkRig.Patience);
        // More than the journal's circuit breaker lets through. What another file gave back meanwhile is taken too.
        var refused = 0;
        while (refused < 12 && acknowledged < Most)
        {
            disk.Fill();
            if (await Reported(company, till, acknowledged + 1, TimeSpan.FromMilliseconds(300)))
                acknowledged++;
            else
                refused++;
        }

        Assert.Equal(12, refused);
        output.WriteLine($"{acknowledged} reports were acknowledged, {acknowledged - WithRoom} of them on the full disk");

        disk.MakeRoom();
        await roomAgain();

        await Until.True(() => Reported(company, till, acknowledged + 1, TimeSpan.FromSeconds(2)), "the report that was refused is taken when it comes again", TimeSpan.FromSeconds(60));
        Assert.Equal(Enumerable.Range(1, (int)acknowledged + 1).Select(n => (ulong)n), (await company.Events()).OfType<DeviceEventRecorded>().Select(e => e.Number));
        await ReadModelShows(async () => (await company.ReadModel.Device(till.Id))?.Device.ReportedVersion == acknowledged + 1, "the read model has followed");
        await company.Restart();
        Assert.True(await Reported(company, till, acknowledged + 2, LinkRig.Patience));
    }

    private static async Task<bool> Reported(TestCompany company, Machine till, ulong number, TimeSpan within)
    {
        try
        {
            var answer = await company.Cluster.Offices.Ask<DirectAnswer>(new TakeDirect(Leeds, [new DeviceEnvelopeUp(till.Id, till.Seal(till.Report(number, events: [number])), Leeds)]), within);
            return answer.Items.OfType<DeviceEnvelopeDown>().Any(d => till.OpenAck(d.Envelope).EventNumber == number);
        }
        catch (AskTimeoutException)
        {
            return false;
        }
    }
}
