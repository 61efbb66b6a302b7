using System.Net;
using System.Text;
using Fleet.Contracts;
using Fleet.Contracts.Identity;
using Fleet.Contracts.Storage;
using Fleet.Device.Identity;
using Fleet.Messages.Link;
using Fleet.Messages.Transport;
using Fleet.Office.Identity;
using Fleet.Office.Passing;
using Fleet.TestSupport;

namespace Fleet.Office.Tests.Passing;

/// <summary>A real port for links on loopback; headquarters is a port that answers what it is told.</summary>
public sealed class LinkPortTests : IDisposable
{
    private static readonly NodeId Own = new("gw1.leeds");
    private static readonly NodeId Second = new("gw2.leeds");

    private readonly TcpNetwork _network = new();
    private readonly TestAuthority _authority = new();
    private readonly TempDirectory _directory = new();
    private readonly CancellationTokenSource _patience = new(TimeSpan.FromSeconds(30));
    private readonly IByteListener _headquarters;
    private readonly DataDirectory _data;
    private readonly CaughtLog _log = new();

    public LinkPortTests()
    {
        _headquarters = _network.Listen(new IPEndPoint(IPAddress.Loopback, 0));
        _data = DataDirectory.Open(_directory.Of("node"), "office");
    }

    public void Dispose()
    {
        _patience.Dispose();
        _data.Dispose();
        _directory.Dispose();
        _authority.Dispose();
    }

    [Fact]
    public async Task A_link_of_a_node_that_headquarters_named_passes_through_unread()
    {
        var (port, _) = Open();
        await using var open = port;
        var knock = await Knock(port, PeerIdentity.Of(Second), [Second.Value]);
        var (far, _) = await _headquarters.Accept(_patience.Token);
        await knock.Answer(_patience.Token);

        await knock.Stream.WriteAsync("sealed, up"u8.ToArray(), _patience.Token);
        Assert.Equal("sealed, up", await Read(far, 10));
        await far.WriteAsync("and down"u8.ToArray(), _patience.Token);
        Assert.Equal("and down", await Read(knock.Stream, 8));

        await far.DisposeAsync();
        Assert.Equal(0, await knock.Stream.ReadAsync(new byte[1], _patience.Token));
    }

    [Theory]
    [InlineData("gw3.leeds", "gw3.leeds", "headquarters has not said that links of gw3.leeds pass through gw1.leeds")]
    [InlineData("gw2.leeds", "gw1.leeds gw2.leeds", "links would go round: gw1.leeds → gw2.leeds → gw1.leeds")]
    [InlineData("gw2.leeds", "a.leeds b.leeds c.leeds d.leeds gw2.leeds", "a link passes through 4 nodes at most")]
    [InlineData("gw2.leeds", "gw2.leeds gw3.leeds", "the path does not end with who asks")]
    [InlineData("gw2.leeds", "", "the path does not end with who asks")]
    [InlineData("headquarters", "", "node gw1.leeds does not wait for headquarters to dial")]
    public async Task What_must_not_pass_is_told_why(string who, string path, string why)
    {
        var (port, _) = Open();
        await using var open = port;

        var knock = await Knock(port, who == "headquarters" ? PeerIdentity.Headquarters : PeerIdentity.Of(new NodeId(who)), path.Split(' ', StringSplitOptions.RemoveEmptyEntries));

        var refused = await Assert.ThrowsAsync<IOException>(() => knock.Answer(_patience.Token));
        Assert.Contains(why, refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("gw1.york.office")]
    [InlineData("till-1.device")]
    [InlineData("gw1.leeds.office")]
    public async Task Whoever_is_no_other_node_of_the_office_is_not_let_in(string stranger)
    {
        var (port, _) = Open();
        await using var open = port;

        await Assert.ThrowsAnyAsync<Exception>(async () => await (await Knock(port, PeerIdentity.FromLogicalHost(stranger)!, ["x"])).Answer(_patience.Token));

        await Until.True(() => _log.Lines.Any(l => l.Text.Contains("only headquarters and other nodes of office leeds come in here", StringComparison.Ordinal)), "the log says who was refused");
    }

    [Fact]
    public async Task No_more_links_pass_than_allowed()
    {
        var (port, _) = Open(maxCarried: 1);
        await using var open = port;
        await (await Knock(port, PeerIdentity.Of(Second), [Second.Value])).Answer(_patience.Token);

        var second = await Knock(port, PeerIdentity.Of(Second), [Second.Value]);

        var refused = await Assert.ThrowsAsync<IOException>(() => second.Answer(_patience.Token));
        Assert.Contains("1 links pass through gw1.leeds already", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_way_to_headquarters_the_reason_is_passed_on()
    {
        var (port, _) = Open(headquarters: "127.0.0.1:1");
        await using var open = port;

        var knock = await Knock(port, PeerIdentity.Of(Second), [Second.Value]);

        var refused = await Assert.ThrowsAsync<IOException>(() => knock.Answer(_patience.Token));
        Assert.Contains("gw1.leeds has no way to headquarters: 127.0.0.1:1", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Headquarters_dials_a_node_that_waits_for_it_and_the_node_uses_the_stream_when_it_wants()
    {
        var (port, ways) = Open(dmz: true);
        await using var open = port;
        var knock = await Knock(port, PeerIdentity.Headquarters, []);
        var answer = knock.Answer(_patience.Token);
        Assert.False(answer.IsCompleted);

        var stream = await ways.Of([Own.Value])[0].Open(_patience.Token);

        await answer;
        await stream.WriteAsync("mine"u8.ToArray(), _patience.Token);
        Assert.Equal("mine", await Read(knock.Stream, 4));
        Assert.Equal("dialled by headquarters", ways.LastUsed);
    }

    [Fact]
    public async Task The_newest_stream_of_headquarters_is_kept_and_the_older_closed()
    {
        var (port, ways) = Open(dmz: true);
        await using var open = port;
        var older = await Knock(port, PeerIdentity.Headquarters, []);

        var newer = await Knock(port, PeerIdentity.Headquarters, []);

        await Assert.ThrowsAnyAsync<IOException>(() => older.Answer(_patience.Token));
        await ways.Of([Own.Value])[0].Open(_patience.Token);
        await newer.Answer(_patience.Token);
    }

    private (LinkPort Port, HeadquartersWays Ways) Open(int maxCarried = 10, bool dmz = false, string? headquarters = null)
    {
        var key = DeviceKey.Fresh(1);
        key = key with { Certificate = _authority.Answer(PeerIdentity.Of(Own), key.CertificateRequest!)[0] };
        var credentials = new NodeCredentials(_data, new NodeIdentity(Own.Value, _authority.Certificate.RawData, key, null, []), TimeProvider.System);
        var ways = new HeadquartersWays(Own, [headquarters ?? _headquarters.Local.ToString()], [], dmz, credentials, _network);
        ways.Obey(new NodeDesired(1, [], TimeSpan.Zero, null, [], [Second], Periodic: false, Updates: null));
        var options = new LinkPortOptions([], dmz, IPAddress.Loopback, 0, [], maxCarried);
        var port = LinkPort.Open(new LinkPortSetup(Own, options, credentials, ways, _network, TimeSpan.FromSeconds(10), TimeProvider.System, _log.CreateLogger("links")));
        return (port, ways);
    }

    private async Task<Knock> Knock(LinkPort port, PeerIdentity identity, IReadOnlyList<string> path)
    {
        var certificate = _authority.Issue(identity);
        var passages = new Passages(() => certificate, new PeerTrust(_authority.Certificate, TimeProvider.System, TimeSpan.Zero), _ => null);
        return await passages.Knock(await _network.Connect(port.Local.ToString(), _patience.Token), PeerIdentity.Of(Own).LogicalHost, path, _patience.Token);
    }

    private async Task<string> Read(Stream stream, int length)
    {
        var bytes = new byte[length];
        await stream.ReadExactlyAsync(bytes, _patience.Token);
        return Encoding.UTF8.GetString(bytes);
    }
}
