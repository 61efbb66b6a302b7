using System.Net;
using System.Net.Sockets;
using Fleet.Office.Discovery;
using Fleet.Office.Discovery.Names;
using Fleet.TestSupport;
using Microsoft.Extensions.Time.Testing;

namespace Fleet.Office.Tests.Discovery.Names;

public sealed class ReverseNamesTests : IDisposable
{
    private static readonly IPAddress Till = IPAddress.Parse("192.168.1.20");
    private readonly UdpClient _server = new(new IPEndPoint(IPAddress.Loopback, 0));
    private readonly FakeTimeProvider _clock = new();

    public void Dispose() => _server.Dispose();

    [Fact]
    public async Task The_name_server_of_the_machine_names_an_address_whatever_else_it_says_first()
    {
        await using var names = Names();

        var asking = names.Ask(Till, CancellationToken.None);
        var question = await _server.ReceiveAsync();
        foreach (var nonsense in Fuzz.Of([Answer(question.Buffer, "evil.office.test")], 100).Where(p => p.Length is > 0 and < 1400 && DnsMessage.Read(p) is null))
            await _server.SendAsync(nonsense, question.RemoteEndPoint);
        await Until.True(async () => await _server.SendAsync(Answer(question.Buffer, "till-3.office.test"), question.RemoteEndPoint) > 0 && asking.IsCompleted, "the answer is taken");

        Assert.Equal("till-3.office.test", await asking);
    }

    [Fact]
    public async Task A_server_that_does_not_answer_is_asked_four_times_and_then_left_alone()
    {
        await using var names = Names();
        var asking = Enumerable.Range(1, 50).Select(i => names.Ask(new IPAddress([192, 168, 1, (byte)i]), CancellationToken.None)).ToList();

        await Until.True(() =>
        {
            _clock.Advance(TimeSpan.FromMilliseconds(100));
            return asking.All(a => a.IsCompleted);
        }, "all questions are given up");

        Assert.All(asking, a => Assert.Null(a.Result));
        var asked = 0;
        for (; _server.Available > 0; asked++)
            await _server.ReceiveAsync();
        Assert.Equal(4, asked);
    }

    [Fact]
    public async Task Without_a_server_nobody_is_asked()
    {
        await using var names = new ReverseNames([], new Pace(1000, 0, _clock), _clock);

        Assert.Null(await names.Ask(Till, CancellationToken.None));
    }

    private ReverseNames Names() => new([(IPEndPoint)_server.Client.LocalEndPoint!], new Pace(1000, 0, _clock), _clock);

    /// <summary>The question itself, made an answer.</summary>
    private static byte[] Answer(byte[] question, string name)
    {
        var packet = DnsPackets.Answer((DnsName.Reverse(Till), DnsName.Of(name.Split('.'))));
        (packet[0], packet[1]) = (question[0], question[1]);
        return packet;
    }
}
