namespace Fleet.Messages.Transport;

/// <summary>Passes bytes between two streams, unread, until one of them ends.</summary>
public static class Splice
{
    private const int BufferBytes = 16 * 1024;

    /// <summary>Both streams are closed at the end.</summary>
    /// <param name="idle">Without a byte either way for this long, both sides are taken for dead.</param>
    /// <returns>How many bytes went each way.</returns>
    public static async Task<(long There, long Back)> Run(Stream one, Stream other, TimeSpan idle, TimeProvider clock, CancellationToken cancellation)
    {
        using var silence = new CancellationTokenSource(idle, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(silence.Token, cancellation);
        var there = Copy(one, other, () => silence.CancelAfter(idle), either.Token);
        var back = Copy(other, one, () => silence.CancelAfter(idle), either.Token);
        await Task.WhenAny(there, back);
        // What one side sent last has been written; the other direction has nobody left to go to.
        await one.DisposeAsync();
        await other.DisposeAsync();
        await either.CancelAsync();
        return (await there, await back);
    }

    private static async Task<long> Copy(Stream from, Stream to, Action alive, CancellationToken cancellation)
    {
        var (buffer, total) = (new byte[BufferBytes], 0L);
        try
        {
            while (await from.ReadAsync(buffer, cancellation) is var read and > 0)
            {
                alive();
                await to.WriteAsync(buffer.AsMemory(0, read), cancellation);
                await to.FlushAsync(cancellation);
                total += read;
            }
        }
        catch (Exception ended) when (ended is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // However it ended, it is over; the ends of the link notice by themselves.
        }

        return total;
    }
}
