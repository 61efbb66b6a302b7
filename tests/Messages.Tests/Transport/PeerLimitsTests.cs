using Fleet.Messages.Transport;
using Google.Protobuf;

namespace Fleet.Messages.Tests.Transport;

/// <summary>Frames built byte by byte, as an attacker does.</summary>
public sealed class PeerLimitsTests
{
    private const string Door = "akka.tls://edge@headquarters.fleet:13001/user/door";
    private const string Sender = "akka.tls://office@gw1.leeds.office:1/user/hq-link#1";

    private readonly PeerLimits _limits = new(["/user/door"]);

    [Theory]
    [InlineData(Door, Sender)]
    [InlineData(Door + "/0a1b2c#-77", Sender)]
    [InlineData("akka.tls://edge@headquarters.fleet:13001/", Sender)]
    [InlineData(Door, null)]
    public void An_honest_message_passes(string recipient, string? sender) => Assert.Null(Violation(Message(recipient, sender)));

    [Theory]
    [InlineData(Door, "akka.tls://office@gw1.york.office:1/user/hq-link")]
    [InlineData(Door, "akka://edge/user/door")]
    [InlineData(Door, "akka.tls://office@gw1.leeds.office.york.office:1/user/x")]
    [InlineData(Door, "akka.tls://gw1.leeds.office:1@gw1.york.office:1/user/x")]
    [InlineData(Door, "gw1.leeds.office")]
    [InlineData("akka.tls://edge@headquarters.fleet:13001/user/doorway", Sender)]
    [InlineData("akka.tls://edge@headquarters.fleet:13001/user", Sender)]
    [InlineData("akka.tls://edge@headquarters.fleet:13001/user/door/../victim", Sender)]
    [InlineData("akka.tls://edge@headquarters.fleet:13001/user/door/%2e%2e/victim", Sender)]
    [InlineData("akka.tls://edge@headquarters.fleet:13001/system/remote-watcher", Sender)]
    [InlineData("/user/door", Sender)]
    [InlineData("", Sender)]
    public void A_forged_sender_or_another_recipient_does_not(string recipient, string sender) => Assert.NotNull(Violation(Message(recipient, sender)));

    [Fact]
    public void A_second_recipient_or_sender_behind_the_first_does_not()
    {
        var second = Field(4, Field(1, "akka.tls://office@gw1.york.office:1/user/x"));

        Assert.NotNull(Violation(Field(1, Field(2, [.. Field(1, Field(1, Door)), .. Field(4, Field(1, Sender)), .. second]))));
        Assert.NotNull(Violation([.. Message(Door, Sender), .. Message(Door, "akka.tls://office@gw1.york.office:1/user/x")]));
    }

    [Theory]
    [InlineData(new byte[] { 0x0A, 0x7F })]
    [InlineData(new byte[] { 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF })]
    [InlineData(new byte[] { 0x0B })]
    public void Bytes_that_are_no_frame_do_not(byte[] frame) => Assert.NotNull(Violation(frame));

    [Fact]
    public void A_heartbeat_passes() => Assert.Null(Violation(Field(2, [0x08, 0x03])));

    [Fact]
    public void A_handshake_says_one_host_or_none()
    {
        var host = Field(2, Field(2, Field(1, Field(2, "gw1.leeds.office"))));
        var two = Field(2, Field(2, Field(1, [.. Field(2, "gw1.leeds.office"), .. Field(2, "gw1.york.office")])));

        Assert.Equal("gw1.leeds.office", AkkaPdu.ClaimedHost(host));
        Assert.Null(AkkaPdu.ClaimedHost(two));
        Assert.Null(AkkaPdu.ClaimedHost(Message(Door, Sender)));
        Assert.Null(AkkaPdu.ClaimedHost([]));
    }

    private string? Violation(byte[] frame) => _limits.Violation(ByteString.CopyFrom(frame), "gw1.leeds.office");

    private static byte[] Message(string recipient, string? sender) =>
        Field(1, Field(2, [.. Field(1, Field(1, recipient)), .. sender is null ? [] : Field(4, Field(1, sender))]));

    private static byte[] Field(int number, string text) => Field(number, System.Text.Encoding.UTF8.GetBytes(text));

    private static byte[] Field(int number, byte[] content)
    {
        using var stream = new MemoryStream();
        using var output = new CodedOutputStream(stream);
        output.WriteTag(number, WireFormat.WireType.LengthDelimited);
        output.WriteBytes(ByteString.CopyFrom(content));
        output.Flush();
        return stream.ToArray();
    }
}
