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
    /// <param name="cap">Most bytes; at one more the transfer ends.</param>
    public async Task<bool> RunAsync(
        IFileSource source, string path, long cap, Func<ReadOnlyMemory<byte>, ValueTask> take, CancellationToken stop)
    {
        using var window = new CancellationTokenSource(pace.Window, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(window.Token, stop);
        var body = await FromSourceAsync(() => source.OpenAsync(path, either.Token)).ConfigureAwait(false);
        if (body is null)
            return false;
        await using var _ = body.ConfigureAwait(false);
        // Not from a pool: a read that was given up may still write to it.
        var buffer = new byte[BufferSize];
        for (long total = 0, inWindow = 0; ;)
        {
            var count = await FromSourceAsync(() => body.ReadAsync(buffer, either.Token).AsTask()).ConfigureAwait(false);
            if (count == 0)
                return true;
            if ((total += count) > cap)
                throw new TufException(TufFault.TooLarge, path, $"more than {cap} bytes");
            await take(buffer.AsMemory(0, count)).ConfigureAwait(false);
            if ((inWindow += count) < pace.MinimumBytes)
                continue;
            inWindow = 0;
            window.CancelAfter(pace.Window);
        }

        // The source's faults alone: a disk that is full is not its fault.
        async Task<T> FromSourceAsync<T>(Func<Task<T>> step)
        {
            try
            {
                // Waiting apart, because a source may not listen to the token.
                return await step().WaitAsync(either.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException fault) when (!stop.IsCancellationRequested)
            {
                throw new TufException(TufFault.TooSlow, path, $"less than {pace.MinimumBytes} bytes in {pace.Window.TotalSeconds:0} s", fault);
            }
            catch (Exception fault) when (fault is IOException or HttpRequestException)
            {
                throw new TufException(TufFault.Unavailable, path, fault.Message, fault);
            }
        }
    }

    /// <summary>The whole file; null where the source does not have it.</summary>
    public async Task<byte[]?> ReadAsync(IFileSource source, string path, int cap, CancellationToken stop)
    {
        var content = new ArrayBufferWriter<byte>();
        var found = await RunAsync(source, path, cap, piece =>
        {
            content.Write(piece.Span);
            return ValueTask.CompletedTask;
        }, stop).ConfigureAwait(false);
        return found ? content.WrittenSpan.ToArray() : null;
    }
}
