using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Gateway.Sessions;

namespace Fleet.Gateway.Tests.Sessions;

public sealed class SessionTableTests
{
    [Fact]
    public void Over_the_count_the_device_longest_unseen_is_forgotten()
    {
        var table = new SessionTable(maxDevices: 2, maxBytes: int.MaxValue);
        table.Put(new DeviceSession(new DeviceId("a")));
        table.Put(new DeviceSession(new DeviceId("b")));
        table.Put(new DeviceSession(new DeviceId("a")));

        var forgotten = table.Put(new DeviceSession(new DeviceId("c")));

        Assert.Equal([new DeviceId("b")], forgotten);
        Assert.Equal(2, table.Count);
    }

    [Fact]
    public void Over_the_bytes_devices_are_forgotten_until_the_rest_fits()
    {
        var table = new SessionTable(maxDevices: 100, maxBytes: 30_000);
        foreach (var name in new[] { "a", "b", "c" })
            table.Put(WithDocument(name, 9_000));

        var forgotten = table.Put(WithDocument("d", 15_000));

        Assert.Equal([new DeviceId("a"), new DeviceId("b")], forgotten);
    }

    private static DeviceSession WithDocument(string name, int bytes) =>
        new(new DeviceId(name)) { Desired = new CarriedEnvelope(EnvelopeKind.Desired, 1, new byte[bytes]) };
}
