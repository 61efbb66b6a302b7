using System.Net;
using System.Net.Sockets;
using Fleet.Messages.Link;
using Fleet.Office.Discovery;
using Fleet.Office.Discovery.Directories;
using Microsoft.Extensions.Time.Testing;

namespace Fleet.Office.Tests.Discovery.Directories;

public sealed class AddressLookUpsTests
{
    private readonly FakeTimeProvider _clock = new();
    private readonly PollRun _run;

    public AddressLookUpsTests() => _run = new PollRun(new PollOrder(PollMethod.Ldap, Full: true, [], []), new Pace(1_000_000, 0, _clock), _clock, _ => { });

    [Fact]
    public async Task Name_servers_that_do_not_answer_are_asked_no_more_and_that_is_told()
    {
        var asked = 0;
        var lookUps = new AddressLookUps((_, _) =>
        {
            asked++;
            return new TaskCompletionSource<IPAddress[]>().Task;
        }, _run);
        var first = Enumerable.Range(0, AddressLookUps.MaxUnderWay).Select(i => lookUps.Of($"till-{i}", CancellationToken.None)).ToList();

        _clock.Advance(TimeSpan.FromSeconds(2));

        Assert.All(await Task.WhenAll(first), Assert.Empty);
        Assert.Empty(await lookUps.Of("till-9", CancellationToken.None));
        Assert.Equal(AddressLookUps.MaxUnderWay, asked);
        Assert.Contains("name servers do not answer within 2 s", Assert.Single(_run.Blind), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_name_that_nobody_knows_is_an_answer_and_one_that_can_be_none_is_passed_over()
    {
        var lookUps = new AddressLookUps((name, _) => throw (name.Length > 255 ? new ArgumentOutOfRangeException(nameof(name)) : new SocketException((int)SocketError.HostNotFound)), _run);

        for (var i = 0; i <= AddressLookUps.MaxUnderWay; i++)
            Assert.Empty(await lookUps.Of($"till-{i}", CancellationToken.None));

        Assert.Empty(await lookUps.Of(new string('x', 300), CancellationToken.None));
        Assert.Empty(_run.Blind);
    }
}
