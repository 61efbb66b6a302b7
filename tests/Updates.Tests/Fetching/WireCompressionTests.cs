using Fleet.Updates.Fetching;

namespace Fleet.Updates.Tests.Fetching;

public sealed class WireCompressionTests
{
    private static readonly byte[] Text = [.. Enumerable.Range(0, 300_000).Select(i => (byte)('a' + (i * i / 977 % 17)))];

    [Fact]
    public async Task What_was_compressed_comes_out_as_it_was()
    {
        var wire = await Encoded(Text);

        Assert.InRange(wire.Length, 1, Text.Length / 2);
        Assert.Equal(Text, await Read(wire));
    }

    [Fact]
    public async Task What_ends_before_its_end_or_was_never_compressed_is_said_as_of_any_stream()
    {
        var wire = await Encoded(Text);

        await Assert.ThrowsAnyAsync<IOException>(() => Read(wire[..^10]));
        await Assert.ThrowsAnyAsync<IOException>(() => Read([.. "<html>log in first</html>"u8]));
    }

    [Fact]
    public async Task A_frame_that_wants_more_memory_than_the_standard_lets_it_is_refused()
    {
        // RFC 8878, 3.1.1: magic number, a descriptor with no content size, and a window of 2^31 bytes.
        byte[] bomb = [0x28, 0xB5, 0x2F, 0xFD, 0x00, 21 << 3, 0x01, 0x00, 0x00];

        var fault = await Assert.ThrowsAnyAsync<IOException>(() => Read(bomb));

        Assert.Contains("memory", fault.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void It_helps_with_text_and_not_with_what_is_compressed_or_short()
    {
        var random = new byte[100_000];
        new Random(1).NextBytes(random);

        Assert.True(WireCompression.Helps(Text));
        Assert.False(WireCompression.Helps(random));
        Assert.False(WireCompression.Helps(Text.AsSpan(0, WireCompression.MinLength - 1)));
    }

    private static async Task<byte[]> Encoded(byte[] content)
    {
        using var wire = new MemoryStream();
        await using (var stream = WireCompression.Encode(wire))
            await stream.WriteAsync(content);
        return wire.ToArray();
    }

    private static async Task<byte[]> Read(byte[] wire)
    {
        await using var stream = WireCompression.Decode(new MemoryStream(wire));
        using var content = new MemoryStream();
        await stream.CopyToAsync(content);
        return content.ToArray();
    }
}
