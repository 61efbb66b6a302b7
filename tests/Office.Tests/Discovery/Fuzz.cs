namespace Fleet.Office.Tests.Discovery;

/// <summary>Packets that were damaged in every way a network or an attacker does: bits flipped, bytes set to extremes, cut, grown, spliced. The same in each run.</summary>
internal static class Fuzz
{
    public static IEnumerable<byte[]> Of(IReadOnlyList<byte[]> good, int count)
    {
        var random = new Random(20260101);
        for (var i = 0; i < count; i++)
        {
            var packet = good[random.Next(good.Count)].ToList();
            for (var changes = random.Next(1, 8); changes > 0; changes--)
                Damage(packet, good, random);
            yield return [.. packet];
        }

        for (var length = 0; length < 600; length++)
        {
            var noise = new byte[length];
            random.NextBytes(noise);
            yield return noise;
        }
    }

    private static void Damage(List<byte> packet, IReadOnlyList<byte[]> good, Random random)
    {
        if (packet.Count == 0)
            return;
        var at = random.Next(packet.Count);
        switch (random.Next(6))
        {
            case 0:
                packet[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1:
                packet[at] = new byte[] { 0, 1, 0x3f, 0x40, 0x7f, 0x80, 0xc0, 0xff }[random.Next(8)];
                break;
            case 2:
                packet.RemoveRange(at, packet.Count - at);
                break;
            case 3:
                packet.InsertRange(at, Enumerable.Repeat((byte)random.Next(256), random.Next(1, 300)));
                break;
            case 4:
                // A pointer to anywhere.
                packet[at] = (byte)(0xc0 | random.Next(64));
                break;
            default:
                packet.AddRange(good[random.Next(good.Count)].Skip(random.Next(30)));
                break;
        }
    }
}
