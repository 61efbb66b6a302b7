using Fleet.Device.Installs;
using Fleet.Updates.Content;
using Fleet.Updates.Packages;

namespace Fleet.Device.Tests.Installs;

public sealed class AgentSlotTests : IDisposable
{
    private const string Outside = "/usr/local/bin/agent";

    private readonly string _packages = Directory.CreateTempSubdirectory("fleet-slot-").FullName;
    private readonly BlobStore _content;

    public AgentSlotTests() => _content = new BlobStore(Path.Combine(_packages, "content"), new BlobStoreOptions(1 << 30, 0, TimeSpan.FromDays(7)), TimeProvider.System);

    public void Dispose() => Directory.Delete(_packages, recursive: true);

    [Fact]
    public void Without_an_update_the_program_outside_is_the_right_one()
    {
        var slot = Of(Outside);

        Assert.Equal((null, null, false), (slot.Begin(), slot.Runs, slot.IsOnProbation));
    }

    [Fact]
    public async Task After_the_switch_the_program_outside_starts_the_new_one_which_is_right()
    {
        await Switch(Of(Outside), "1.1");

        var started = Of(Outside).Begin();

        Assert.Equal(ProgramOf("1.1"), started);
        Assert.Equal(("1.1", false, true), (Of(started!).Runs, Of(started!).IsPassedOver, Of(started!).IsOnProbation));
    }

    [Fact]
    public async Task One_that_does_its_work_stays_however_often_it_is_started()
    {
        await Switch(Of(Outside), "1.1");
        Of(Outside).Begin();
        Of(ProgramOf("1.1")).Conclude(why: null);

        for (var start = 0; start < 10; start++)
            Assert.Equal(ProgramOf("1.1"), Of(Outside).Begin());
    }

    [Fact]
    public async Task One_that_dies_at_its_start_three_times_makes_room_for_the_one_before()
    {
        await Replace("1.1");
        await Switch(Of(ProgramOf("1.1")), "1.2");

        var starts = Enumerable.Range(0, 5).Select(_ => Of(Outside).Begin()).ToList();

        Assert.Equal([ProgramOf("1.2"), ProgramOf("1.2"), ProgramOf("1.2"), ProgramOf("1.1"), ProgramOf("1.1")], starts);
        Assert.Equal("it was started 3 times and did not sync", (await Finish(Of(ProgramOf("1.1")), "1.2")).Refused?.Why);
    }

    [Fact]
    public async Task The_first_one_that_dies_makes_room_for_the_program_outside()
    {
        await Switch(Of(Outside), "1.1");

        var starts = Enumerable.Range(0, 4).Select(_ => Of(Outside).Begin()).ToList();

        Assert.Equal([ProgramOf("1.1"), ProgramOf("1.1"), ProgramOf("1.1"), null], starts);
    }

    [Fact]
    public async Task One_that_gives_itself_up_names_the_one_that_takes_over()
    {
        await Switch(Of(Outside), "1.1");
        Of(Outside).Begin();
        var slot = new AgentSlot(_packages, ProgramOf("1.1"), Outside);

        slot.Conclude("it did not sync within 10m");

        Assert.True(slot.IsPassedOver);
        Assert.Equal(Outside, slot.Begin());
        Assert.Null(Of(Outside).Begin());
    }

    private async Task Replace(string version)
    {
        await Switch(Of(Outside), version);
        Of(Outside).Begin();
        Of(ProgramOf(version)).Conclude(why: null);
        await Finish(Of(ProgramOf(version)), version);
    }

    private async Task Switch(AgentSlot slot, string version) => await Assert.ThrowsAsync<RestartException>(() => Finish(slot, version));

    private async Task<ArchiveState> Finish(AgentSlot slot, string version)
    {
        var program = System.Text.Encoding.UTF8.GetBytes(version);
        var hash = BlobHash.Over(program);
        if (!_content.Contains(hash))
        {
            using var part = _content.Begin(hash, program.Length, _ => true);
            await part.Write(program, CancellationToken.None);
            part.Commit();
        }

        return await slot.Installer(_content).Install(new PackageManifest(AgentSlot.Package, version, InstallKind.Archive, [new PackageFile("agent", 0b111_101_101, program.Length, hash)]), CancellationToken.None);
    }

    private AgentSlot Of(string program) => new(_packages, program, outside: null);

    private string ProgramOf(string version) => Path.Combine(_packages, AgentSlot.Package, "versions", version, "agent");
}
