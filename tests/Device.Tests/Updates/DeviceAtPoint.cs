using Fleet.Contracts.Agents;
using Fleet.TestSupport;

namespace Fleet.Device.Tests.Updates;

/// <summary>A device whose office has one distribution point, with a repository.</summary>
internal sealed class DeviceAtPoint : IAsyncDisposable
{
    private readonly FakeHeadquarters _headquarters = new();
    private readonly RepositoryServer _point;

    private DeviceAtPoint(PackageRepository repository, RepositoryServer point) => (Repository, _point, Device) = (repository, point, new UpdatedDevice(_headquarters));

    public PackageRepository Repository { get; }

    public UpdatedDevice Device { get; }

    public static async Task<DeviceAtPoint> Start()
    {
        var repository = new PackageRepository();
        return new DeviceAtPoint(repository, await RepositoryServer.Start(repository.Folder));
    }

    /// <summary>Headquarters wants this package from now on.</summary>
    public void Want(WantedPackage wanted) => Device.Want(Repository, [("gw1.leeds", _point.Address)], wanted);

    public async ValueTask DisposeAsync()
    {
        await _point.DisposeAsync();
        Device.Dispose();
        Repository.Dispose();
        _headquarters.Dispose();
    }
}
