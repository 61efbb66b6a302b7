using System.Buffers;

namespace Fleet.Updates.Tuf.Client;

/// <summary>The least pace of a source: so many bytes in each window, the first of which begins with the request. Whoever throttles scales it.</summary>
public sealed record Pace(long MinimumBytes, TimeSpan Window)
{
    /// <summary>1 KB a second, judged each minute.</summary>
    public static Pace Default { get; } = new(60_000, TimeSpan.FromMinutes(1));
}

/// <summary>Takes files from a source that may be slow, endless or silent: no more bytes than asked for, and no longer wait than its pace allows.</summary>
internal sealed class Transfer(Pace pace, TimeProvider clock)
{
    private const int BufferSize = 65_536;

    /// <summary>Hands on the file piece by piece; false where the source does not have it.</summary>
    /// <param name="subject">What faults are told of.</param>
    /// <param name="open">Opens the file at the source; null where the source does not have it.</param>
    /// <param name="cap">Most bytes; at one more the transfer ends.</param>
    /// <param name="take">How long it takes is not the source's fault.</param>
    public async Task<bool> RunAsync(
        string subject, Func<CancellationToken, Task<Stream?>> open, long cap, Func<ReadOnlyMemory<byte>, ValueTask> take, CancellationToken stop)
    {
        // What is left of the window for waiting.
        var left = pace.Window;
        var body = await FromSourceAsync(open).ConfigureAwait(false);
        if (body is null)
            return false;
        await using var _ = body.ConfigureAwait(false);
        // Not from a pool: a read that was given up may still write to it.
        var buffer = new byte[BufferSize];
        for (long total = 0, inWindow = 0; ;)
        {
            var count = await FromSourceAsync(token => body.ReadAsync(buffer, token).AsTask()).ConfigureAwait(false);
            if (count == 0)
                return true;
            if ((total += count) > cap)
                throw new TufException(TufFault.TooLarge, subject, $"more than {cap} bytes");
            await take(buffer.AsMemory(0, count)).ConfigureAwait(false);
            if ((inWindow += count) >= pace.MinimumBytes)
                (left, inWindow) = (pace.Window, 0);
        }

        // The source's faults alone: a disk that is full is not its fault.
        async Task<T> FromSourceAsync<T>(Func<CancellationToken, Task<T>> step)
        {
            using var window = new CancellationTokenSource(left, clock);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(window.Token, stop);
            var began = clock.GetTimestamp();
            try
            {
                // Waiting apart, because a source may not listen to the token.
                return await step(either.Token).WaitAsync(either.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException fault) when (!stop.IsCancellationRequested)
            {
                throw new TufException(TufFault.TooSlow, subject, $"less than {pace.MinimumBytes} bytes in {pace.Window.TotalSeconds:0} s", fault);
            }
            catch (Exception fault) when (fault is IOException or HttpRequestException)
            {
                throw new TufException(TufFault.Unavailable, subject, fault.Message, fault);
            }
            finally
            {
                var waited = clock.GetElapsedTime(began);
                left = waited < left ? left - waited : TimeSpan.Zero;
            }
        }
    }

    /// <summary>The whole file; null where the source does not have it.</summary>
    public async Task<byte[]?> ReadAsync(IFileSource source, string path, int cap, CancellationToken stop)
    {
        var content = new ArrayBufferWriter<byte>();
        var found = await RunAsync(path, token => source.OpenAsync(path, token), cap, piece =>
        {
            content.Write(piece.Span);
            return ValueTask.CompletedTask;
        }, stop).ConfigureAwait(false);
        return found ? content.WrittenSpan.ToArray() : null;
    }
}
