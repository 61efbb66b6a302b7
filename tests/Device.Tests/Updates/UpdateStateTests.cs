using Fleet.Contracts.Agents;
using Fleet.Device.Storage;
using Fleet.Device.Updates;
using Google.Protobuf;

namespace Fleet.Device.Tests.Updates;

public sealed class UpdateStateTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 27, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void The_first_root_stays_whatever_is_named_later()
    {
        var first = UpdateState.None.Take(new DesiredDocument { UpdateRoot = ByteString.CopyFromUtf8("first") }, Noon);

        Assert.Equal("first", first.Take(new DesiredDocument { UpdateRoot = ByteString.CopyFromUtf8("second") }, Noon).Root.ToStringUtf8());
    }

    [Fact]
    public void The_same_wish_again_changes_nothing()
    {
        var state = UpdateState.None.Take(Desired(Till("1")), Noon);

        Assert.Same(state, state.Take(Desired(Till("1")), Noon.AddDays(1)));
    }

    [Fact]
    public void What_is_installed_already_needs_nothing_when_another_rollout_wants_it()
    {
        var state = UpdateState.None.Take(Desired(Till("1")), Noon);
        state = state.With(state.Packages[0].Installed(Noon));

        var package = state.Take(Desired(Till("1", "r2")), Noon).Packages.Single();

        Assert.Equal((PackageStep.Installed, "r2"), (package.Step, package.ToStatus().Rollout));
    }

    [Fact]
    public void What_failed_is_tried_anew_by_another_rollout_or_with_other_parameters_and_not_by_itself()
    {
        var state = UpdateState.None.Take(Desired(Till("1")), Noon);
        state = state.With(state.Packages[0].Failed("no", Noon));
        var parameters = Till("1");
        parameters.Parameters["window"] = "22:00-05:00";

        Assert.Equal(PackageStep.Failed, state.Take(Desired(Till("1")), Noon).Packages[0].Step);
        Assert.Equal(PackageStep.Fetching, state.Take(Desired(Till("1", "r2")), Noon).Packages[0].Step);
        Assert.Equal(PackageStep.Fetching, state.Take(Desired(parameters), Noon).Packages[0].Step);
    }

    [Fact]
    public void A_package_that_is_named_no_more_is_forgotten_unless_it_is_installed()
    {
        var state = UpdateState.None.Take(Desired(Till("1"), new WantedPackage { Name = "cups", Version = "1" }), Noon);
        state = state.With(state.Packages.Single(p => p.Name == "till").Installed(Noon));

        var left = state.Take(Desired(), Noon).Packages.Single();

        Assert.Equal(("till", "", PackageStep.Installed), (left.Name, left.ToStatus().WantedVersion, left.Step));
    }

    [Fact]
    public void After_an_installation_that_ended_badly_nobody_claims_that_the_old_version_is_there()
    {
        var state = UpdateState.None.Take(Desired(Till("1")), Noon);
        var one = state.Packages[0].Installed(Noon);
        var two = one.Want(Till("2"), Noon).Begin(Noon).Failed("dpkg ended with 1", Noon);

        Assert.Equal("", two.InstalledVersion);
        Assert.Equal(PackageStep.Fetching, two.Want(Till("1"), Noon).Step);
    }

    [Fact]
    public void Since_is_when_the_step_began()
    {
        var package = new PackageState("till").Want(Till("1"), Noon).NotBrought("no", Noon.AddMinutes(1)).NotBrought("still not", Noon.AddMinutes(2));

        Assert.Equal((Noon, 2), (package.Since, package.Attempts));
    }

    [Fact]
    public void It_reads_back_as_it_was_kept()
    {
        var storage = new DeviceMemory();
        var state = UpdateState.None.Take(new DesiredDocument { UpdateRoot = ByteString.CopyFromUtf8("root"), Packages = { Till("1"), Till("2", name: "cups") } }, Noon);
        state = state.With(state.Packages[0].Installed(Noon).Want(Till("3", name: "cups"), Noon).Begin(Noon)).With(state.Packages[1].NotBrought("why", Noon));

        state.Save(storage);

        var read = UpdateState.Load(storage);
        Assert.Equal(state.Root, read.Root);
        Assert.Equal(state.Packages, read.Packages);
    }

    private static DesiredDocument Desired(params WantedPackage[] packages) => new() { Packages = { packages } };

    private static WantedPackage Till(string version, string rollout = "r1", string name = "till") =>
        new() { Name = name, Version = version, Kind = "archive", Rollout = rollout, Manifest = ByteString.CopyFromUtf8($"{name} {version}") };
}
