using Fleet.Contracts.Agents;
using Fleet.Device.Installs;
using Fleet.Device.Settings;
using Fleet.Device.Sync;
using Fleet.Device.Updates;
using Fleet.TestSupport;
using Google.Protobuf;
using Microsoft.Extensions.Logging.Abstractions;

namespace Fleet.Device.Tests.Updates;

/// <summary>A device at a fake headquarters that brings packages over real HTTP from servers in this process.</summary>
internal sealed class UpdatedDevice : IDisposable
{
    private readonly TestDevice _device;
    private ulong _version;

    public UpdatedDevice(FakeHeadquarters headquarters)
    {
        Headquarters = headquarters;
        Sync = headquarters.Sync;
        _device = TestDevice.EnrolledAt(headquarters);
        Options = TestDevice.Options with
        {
            Updates = TestDevice.Options.Updates with
            {
                FirstRetry = TimeSpan.FromMilliseconds(20),
                LongestRetry = TimeSpan.FromMilliseconds(200),
                HeadquartersAfter = TimeSpan.FromMilliseconds(300),
                TellWithin = TimeSpan.FromMilliseconds(1),
            },
        };
    }

    public FakeHeadquarters Headquarters { get; }

    public DeviceOptions Options { get; set; }

    /// <summary>The device's carrier.</summary>
    public Func<SyncRequest, SyncReply> Sync { get; set; }

    public AgentSlot? Own { get; set; }

    /// <summary>Of the machine.</summary>
    public IPrograms Programs { get; set; } = new Programs(TimeProvider.System);

    public string Folder { get; } = Directory.CreateTempSubdirectory("fleet-updated-").FullName;

    public string Packages => Path.Combine(Folder, "packages");

    /// <summary>The vendors that headquarters names.</summary>
    public List<TrustedVendor> Vendors { get; } = [];

    /// <summary>The events of a kind that headquarters was told, each once.</summary>
    public IEnumerable<DeviceEvent> Told(string kind) => Headquarters.Reports.ToArray().SelectMany(r => r.Events).DistinctBy(e => e.Number).Where(e => e.Kind == kind);

    /// <summary>What <c>agent vendor forget</c> does.</summary>
    public bool Forget(string vendor) => DeviceUpdates.Forget(vendor, _device.Storage, Folder);

    /// <summary>Headquarters wants these packages from now on.</summary>
    public void Want(PackageRepository repository, IEnumerable<(string Node, string Address)> points, params WantedPackage[] packages)
    {
        var desired = new DesiredDocument { Version = ++_version, OfficeId = "leeds", UpdateRoot = ByteString.CopyFrom(repository.FirstRoot), UpdateTimestamp = repository.Timestamp, Packages = { packages }, Vendors = { Vendors } };
        desired.DistributionPoints.AddRange(points.Select(p => new GatewayAddress { NodeId = p.Node, Addresses = { p.Address } }));
        Headquarters.Desired = desired;
    }

    /// <summary>Runs until headquarters was told of a package's standing that satisfies the condition, and is cut off there; the next call is the next start.</summary>
    public async Task<PackageStatus> RunUntil(string package, Func<PackageStatus, bool> enough)
    {
        using var stop = new CancellationTokenSource();
        var runtime = _device.Start(new OneCarrier(new FakeChannel("gw1.leeds", Sync)), options: Options);
        using var updates = new DeviceUpdates(runtime, _device.Storage, Folder, Tcp.Connect, Options, TimeProvider.System, NullLogger.Instance, Own, new Random(1), Programs);
        var running = SideBySide.Run([runtime.Run, updates.Run], stop.Token);
        PackageStatus? Newest() => Headquarters.Reports.ToArray().LastOrDefault()?.Packages.FirstOrDefault(p => p.Name == package);
        try
        {
            await Until.True(() => running.IsFaulted || (Newest() is { } status && enough(status)), $"{package} as awaited, not {Newest()}");
        }
        catch (TimeoutException)
        {
            Assert.Fail($"{package} stays at {Newest()}");
        }
        finally
        {
            await stop.CancelAsync();
            await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        if (running.IsFaulted)
            await running;
        return Newest()!;
    }

    public Task<PackageStatus> RunUntil(string package, PackageStep step) => RunUntil(package, s => s.Step == step);

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
