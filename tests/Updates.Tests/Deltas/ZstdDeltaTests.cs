using Fleet.Updates.Deltas;

namespace Fleet.Updates.Tests.Deltas;

public sealed class ZstdDeltaTests
{
    [Theory]
    [InlineData(0, 0)]
    [InlineData(0, 1000)]
    [InlineData(1000, 0)]
    [InlineData(100_000, 100_000)]
    [InlineData(5_000_000, 6_000_000)]
    public void What_was_made_is_made_again(int older, int newer)
    {
        var (one, other) = (MadeUp(older, 1), MadeUp(newer, 2));

        Assert.Equal(other, ZstdDelta.Apply(one, ZstdDelta.Make(one, other), newer));
    }

    [Fact]
    public void What_both_files_have_is_not_sent_wherever_it_lies()
    {
        var older = MadeUp(40_000_000, 3);
        byte[] newer = [.. MadeUp(1000, 4), .. older.AsSpan(20_000_000, 15_000_000), .. older.AsSpan(0, 20_000_000), .. MadeUp(500, 5)];

        var delta = ZstdDelta.Make(older, newer);

        Assert.InRange(delta.Length, 1500, 100_000);
        Assert.Equal(newer, ZstdDelta.Apply(older, delta, newer.Length));
    }

    [Fact]
    public void A_delta_that_makes_more_than_was_signed_is_stopped()
    {
        var bomb = ZstdDelta.Make([], new byte[10_000_000]);

        Assert.InRange(bomb.Length, 1, 2000);
        Assert.Throws<InvalidDataException>(() => ZstdDelta.Apply([], bomb, 1000));
    }

    [Fact]
    public void A_delta_that_makes_less_than_was_signed_is_refused() =>
        Assert.Contains("makes 100 bytes, not 101", Assert.Throws<InvalidDataException>(() => ZstdDelta.Apply([], ZstdDelta.Make([], new byte[100]), 101)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_damaged_delta_never_crashes()
    {
        var (older, newer) = (MadeUp(50_000, 6), MadeUp(60_000, 6));
        var delta = ZstdDelta.Make(older, newer);
        for (var at = 0; at < delta.Length; at += 7)
        {
            var damaged = delta.ToArray();
            damaged[at] ^= 0x55;
            try
            {
                Assert.Equal(newer.Length, ZstdDelta.Apply(older, damaged, newer.Length).Length);
            }
            catch (InvalidDataException)
            {
                // Refused; where it is not, the hash of the result decides.
            }
        }
    }

    [Fact]
    public void Noise_is_no_delta() => Assert.Throws<InvalidDataException>(() => ZstdDelta.Apply(MadeUp(1000, 8), MadeUp(1000, 9), 1000));

    private static byte[] MadeUp(int length, int seed)
    {
        var content = new byte[length];
        new Random(seed).NextBytes(content);
        return content;
    }
}
