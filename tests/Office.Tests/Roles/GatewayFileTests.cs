using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Gateway.Sessions;
using Fleet.Messages.Link;
using Fleet.Office.Roles;
using Google.Protobuf;

namespace Fleet.Office.Tests.Roles;

public sealed class GatewayFileTests : IDisposable
{
    private static readonly DeviceId Till = new("till-1");
    private static readonly DeviceId Scale = new("scale-1");
    private readonly TempDirectory _directory = new();

    [Fact]
    public void Sessions_are_kept_over_a_restart_without_what_holds_for_one_epoch()
    {
        var session = new DeviceSession(Till).Learn(new DeviceEnvelopeDown(Till, Desired(3)), "e1").Learn(new DeviceState(Till, 3, 7, TimeSpan.FromMinutes(5)), "e1");
        var refused = new DeviceSession(Scale).Learn(new DeviceRefusedDown(Scale, RefusalCode.Removed, "removed by ann"), "e1");
        using (var file = new GatewayFile(_directory.Of("gateway.db")))
            file.Save([session, refused], []);

        using var again = new GatewayFile(_directory.Of("gateway.db"));
        var loaded = again.Load().ToDictionary(s => s.Id);

        Assert.Equal((3UL, TimeSpan.FromMinutes(5)), (loaded[Till].Desired!.Version, loaded[Till].SyncInterval));
        Assert.Equal(new HeadquartersView("", null, null), loaded[Till].AtHeadquarters);
        Assert.Equal(refused.Refused, loaded[Scale].Refused);
    }

    [Fact]
    public void A_forgotten_device_is_gone()
    {
        using var file = new GatewayFile(_directory.Of("gateway.db"));
        file.Save([new DeviceSession(Till)], []);

        file.Save([], [Till]);

        Assert.Empty(file.Load());
    }

    public void Dispose() => _directory.Dispose();

    private static byte[] Desired(ulong version) => new SealedEnvelope
    {
        Header = new EnvelopeHeader { DeviceId = Till.Value, Kind = EnvelopeKind.Desired, Version = version }.ToByteString(),
    }.ToByteArray();
}
