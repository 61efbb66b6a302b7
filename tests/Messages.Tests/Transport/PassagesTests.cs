using System.Net;
using System.Security.Authentication;
using System.Text;
using Fleet.Contracts;
using Fleet.Contracts.Identity;
using Fleet.Messages.Transport;
using Fleet.TestSupport;

namespace Fleet.Messages.Tests.Transport;

/// <summary>The question at a link port and its answer, over a network in memory.</summary>
public sealed class PassagesTests : IDisposable
{
    private static readonly PeerIdentity First = PeerIdentity.Of(new NodeId("gw1.leeds"));
    private static readonly PeerIdentity Second = PeerIdentity.Of(new NodeId("gw2.leeds"));

    private readonly TestAuthority _authority = new();
    private readonly CancellationTokenSource _patience = new(TimeSpan.FromSeconds(20));

    public void Dispose()
    {
        _authority.Dispose();
        _patience.Dispose();
    }

    [Fact]
    public async Task A_granted_stream_carries_what_either_side_says()
    {
        var (knocking, taking) = await Meet(First.LogicalHost);
        var (knock, passage) = (await knocking, await taking);

        await passage.Grant(_patience.Token);
        await knock.Answer(_patience.Token);
        await knock.Stream.WriteAsync("up"u8.ToArray(), _patience.Token);
        var heard = new byte[2];
        await passage.Stream.ReadExactlyAsync(heard, _patience.Token);

        Assert.Equal((Second, "up"), (passage.Peer, Encoding.UTF8.GetString(heard)));
        Assert.Equal(["gw3.leeds", "gw2.leeds"], passage.Path);
    }

    [Fact]
    public async Task A_refusal_is_told_with_its_reason()
    {
        var (knocking, taking) = await Meet(First.LogicalHost);
        var (knock, passage) = (await knocking, await taking);

        await passage.Refuse("links would go round", _patience.Token);

        var refused = await Assert.ThrowsAsync<IOException>(() => knock.Answer(_patience.Token));
        Assert.Equal("node gw1.leeds says: links would go round", refused.Message);
    }

    [Fact]
    public async Task Another_node_than_the_one_wanted_is_told_by_name_before_anything_is_asked()
    {
        var (knocking, taking) = await Meet("gw9.leeds.office");

        var wrong = await Assert.ThrowsAnyAsync<AuthenticationException>(() => knocking);

        Assert.Equal("dialled gw9.leeds.office and met gw1.leeds.office", wrong.Message);
        await Assert.ThrowsAnyAsync<Exception>(() => taking);
    }

    [Fact]
    public async Task A_peer_that_is_not_admitted_gets_nothing()
    {
        var (knocking, taking) = await Meet(First.LogicalHost, admit: peer => $"{peer} is a stranger");

        var refused = await Assert.ThrowsAnyAsync<AuthenticationException>(() => taking);

        Assert.Contains("node gw2.leeds is a stranger", refused.Message, StringComparison.Ordinal);
        await Assert.ThrowsAnyAsync<Exception>(async () => await (await knocking).Answer(_patience.Token));
    }

    [Fact]
    public async Task A_question_that_is_too_long_or_of_another_protocol_is_none()
    {
        var (knocking, taking) = await Meet(First.LogicalHost, path: [new string('x', 5000)]);

        var tooLong = await Assert.ThrowsAsync<IOException>(() => taking);

        Assert.Contains("at most 4096", tooLong.Message, StringComparison.Ordinal);
        await Assert.ThrowsAnyAsync<IOException>(async () => await (await knocking).Answer(_patience.Token));
    }

    private async Task<(Task<Knock> Knocking, Task<Passage> Taking)> Meet(string wanted, Func<PeerIdentity, string?>? admit = null, IReadOnlyList<string>? path = null)
    {
        var network = new MemoryNetwork();
        await using var port = network.Listen(new IPEndPoint(IPAddress.Loopback, 0));
        var raw = await network.Connect(port.Local.ToString(), _patience.Token);
        var (accepted, _) = await port.Accept(_patience.Token);
        return (Of(Second, null).Knock(raw, wanted, path ?? ["gw3.leeds", "gw2.leeds"], _patience.Token), Of(First, admit).Take(accepted, _patience.Token));
    }

    private Passages Of(PeerIdentity identity, Func<PeerIdentity, string?>? admit)
    {
        var certificate = _authority.Issue(identity);
        return new Passages(() => certificate, new PeerTrust(_authority.Certificate, TimeProvider.System, TimeSpan.Zero), admit ?? (_ => null));
    }
}
