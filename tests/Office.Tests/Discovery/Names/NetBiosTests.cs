using System.Net;
using System.Net.Sockets;
using Fleet.Office.Discovery;
using Fleet.Office.Discovery.Names;
using Fleet.TestSupport;
using Microsoft.Extensions.Time.Testing;

namespace Fleet.Office.Tests.Discovery.Names;

public sealed class NetBiosTests
{
    private const ushort Id = 0x4711;

    [Fact]
    public void A_question_is_for_the_name_star()
    {
        var packet = NetBiosStatus.Query(Id);

        Assert.Equal("4711" + "0000" + "0001" + "0000" + "0000" + "0000" + "20" + "434b" + string.Concat(Enumerable.Repeat("41", 30)) + "00" + "0021" + "0001", Convert.ToHexStringLower(packet));
    }

    [Fact]
    public void A_machine_tells_its_name_its_group_and_its_card()
    {
        var status = NetBiosStatus.Read(Answer(("WORKGROUP", 0x00, 0x8400), ("TILL-3", 0x00, 0x0400), ("TILL-3", 0x20, 0x0400)), Id);

        Assert.Equal(("TILL-3", "WORKGROUP", "52:54:00:12:34:56"), (status?.Name, status?.Group, status?.Mac.ToString()));
    }

    [Fact]
    public void What_answers_another_question_or_names_nobody_is_nothing()
    {
        Assert.Null(NetBiosStatus.Read(Answer(("TILL-3", 0x00, 0x0400)), Id + 1));
        Assert.Null(NetBiosStatus.Read(Answer(("WORKGROUP", 0x00, 0x8400)), Id));
        Assert.Null(NetBiosStatus.Read(Answer(("\u0001\u0002\u001b[2J"[..2], 0x00, 0x0400)), Id));
        Assert.Null(NetBiosStatus.Read(NetBiosStatus.Query(Id), Id));
    }

    [Fact]
    public void A_list_that_promises_more_names_than_it_holds_is_refused()
    {
        var packet = Answer(("TILL-3", 0x00, 0x0400));
        packet[56] = 255;

        Assert.Null(NetBiosStatus.Read(packet, Id));
    }

    [Fact]
    public void Damaged_answers_are_read_or_refused_and_nothing_else()
    {
        var (read, refused, allocated) = (0, 0, GC.GetAllocatedBytesForCurrentThread());

        foreach (var packet in Fuzz.Of([Answer(("WORKGROUP", 0x00, 0x8400), ("TILL-3", 0x00, 0x0400)), NetBiosStatus.Query(Id)], 200_000))
            if (NetBiosStatus.Read(packet, Id) is null)
                refused++;
            else
                read++;

        Assert.True(read > 1000 && refused > 1000, $"{read} read, {refused} refused: the damage should do both");
        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - allocated) / (read + refused), 0, 8192);
    }

    [Fact]
    public async Task Answers_from_others_and_floods_of_nonsense_do_not_disturb_a_question()
    {
        using var machine = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        // Its patience is by this clock, which stands.
        var clock = new FakeTimeProvider();
        await using var asker = new NetBiosAsker(new Pace(1000, 0, clock), clock, ((IPEndPoint)machine.Client.LocalEndPoint!).Port);

        var asking = asker.Ask(IPAddress.Loopback, CancellationToken.None);
        var question = await machine.ReceiveAsync();
        foreach (var nonsense in Fuzz.Of([Answer(("EVIL", 0x00, 0x0400))], 200).Where(p => p.Length is > 0 and < 1400 && NetBiosStatus.Read(p, (ushort)(question.Buffer[0] << 8 | question.Buffer[1])) is null))
            await machine.SendAsync(nonsense, question.RemoteEndPoint);
        var answer = Answer(("TILL-3", 0x00, 0x0400));
        (answer[0], answer[1]) = (question.Buffer[0], question.Buffer[1]);
        // The flood may have filled the socket.
        await Until.True(async () => await machine.SendAsync(answer, question.RemoteEndPoint) > 0 && asking.IsCompleted, "the answer is taken");

        Assert.Equal("TILL-3", (await asking)?.Name);
    }

    private static byte[] Answer(params (string Name, byte Kind, ushort Flags)[] names)
    {
        var packet = NetBiosStatus.Query(Id).ToList();
        (packet[2], packet[5], packet[7]) = (0x84, 0, 1);
        packet.AddRange([0, 0, 0, 0, 0, (byte)(1 + (names.Length * 18) + 6), (byte)names.Length]);
        foreach (var (name, kind, flags) in names)
            packet.AddRange([.. name.PadRight(15).Select(c => (byte)c), kind, (byte)(flags >> 8), (byte)flags]);
        packet.AddRange([0x52, 0x54, 0x00, 0x12, 0x34, 0x56]);
        return [.. packet];
    }
}
