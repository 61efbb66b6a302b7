using Fleet.Contracts;

namespace Fleet.Gateway.Sessions;

/// <summary>The sessions of a gateway, bounded by count and by bytes: the device longest unseen is forgotten first.</summary>
public sealed class SessionTable(int maxDevices, int maxBytes)
{
    private readonly Dictionary<DeviceId, LinkedListNode<DeviceSession>> _byId = [];
    private readonly LinkedList<DeviceSession> _byUse = [];
    private long _bytes;

    public int Count => _byId.Count;

    public IEnumerable<DeviceSession> All => _byUse;

    /// <summary>The device's session, or an empty one that is not in the table yet.</summary>
    public DeviceSession this[DeviceId id] => _byId.TryGetValue(id, out var node) ? node.Value : new DeviceSession(id);

    /// <summary>Puts a session in, as the most recently used; returns the devices forgotten for it.</summary>
    public IReadOnlyList<DeviceId> Put(DeviceSession session)
    {
        Remove(session.Id);
        _byId[session.Id] = _byUse.AddLast(session);
        _bytes += session.Bytes;
        if (_byId.Count <= maxDevices && _bytes <= maxBytes)
            return [];
        var forgotten = new List<DeviceId>();
        while (_byId.Count > 1 && (_byId.Count > maxDevices || _bytes > maxBytes))
        {
            forgotten.Add(_byUse.First!.Value.Id);
            Remove(forgotten[^1]);
        }

        return forgotten;
    }

    private void Remove(DeviceId id)
    {
        if (!_byId.Remove(id, out var node))
            return;
        _byUse.Remove(node);
        _bytes -= node.Value.Bytes;
    }
}
