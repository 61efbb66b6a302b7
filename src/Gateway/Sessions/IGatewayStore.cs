using Fleet.Contracts;

namespace Fleet.Gateway.Sessions;

/// <summary>
/// Where a gateway keeps its sessions over a restart, so that it still answers while headquarters is out of reach. Office nodes: a file.
/// Headquarters: <see cref="NoStore"/>, because its twins are at hand.
/// </summary>
public interface IGatewayStore
{
    IEnumerable<DeviceSession> Load();

    /// <summary>Keeps these, forgets those.</summary>
    void Save(IReadOnlyCollection<DeviceSession> changed, IReadOnlyCollection<DeviceId> forgotten);
}

/// <summary>Keeps nothing.</summary>
public sealed class NoStore : IGatewayStore
{
    public IEnumerable<DeviceSession> Load() => [];

    public void Save(IReadOnlyCollection<DeviceSession> changed, IReadOnlyCollection<DeviceId> forgotten)
    {
    }
}
