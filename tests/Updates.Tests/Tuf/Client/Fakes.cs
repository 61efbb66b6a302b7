using Fleet.Updates.Tuf.Client;

namespace Fleet.Updates.Tests.Tuf.Client;

/// <summary>Serves a folder of a <see cref="TestRepository"/>, and notes what was asked for.</summary>
internal sealed class TestSource(TestRepository repository, string folder) : IFileSource
{
    public List<string> Asked { get; } = [];

    /// <summary>Answers in place of the repository where it is not null.</summary>
    public Func<string, Stream?>? Lie { get; set; }

    public Task<Stream?> OpenAsync(string path, CancellationToken stop)
    {
        Asked.Add(path);
        if (Lie?.Invoke(path) is { } lie)
            return Task.FromResult<Stream?>(lie);
        var content = repository.Files.GetValueOrDefault($"{folder}/{path}");
        return Task.FromResult<Stream?>(content is null ? null : new MemoryStream(content, writable: false));
    }
}

/// <summary>A store that forgets everything at the end, and loses power when told to.</summary>
internal sealed class TestStore : IMetadataStore
{
    /// <summary>Writes and deletions left until the power goes; null for mains.</summary>
    public int? PowerFor { get; set; }

    public Dictionary<string, byte[]> Files { get; private init; } = [];

    public IReadOnlyList<string> Names => [.. Files.Keys];

    public TestStore Copy() => new() { Files = Files.ToDictionary() };

    public byte[]? Read(string name) => Files.GetValueOrDefault(name);

    public void Write(string name, byte[] content)
    {
        Spend();
        Files[name] = content;
    }

    public void Delete(string name)
    {
        Spend();
        Files.Remove(name);
    }

    private void Spend()
    {
        if (PowerFor-- == 0)
            throw new PowerLossException();
    }
}

internal sealed class PowerLossException : Exception;

/// <summary>A body that never ends: so many zeros at each read, and as many reads as are wanted.</summary>
internal sealed class EndlessStream : ReadOnlyStream
{
    public long Sent { get; private set; }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        buffer.Span.Clear();
        Sent += buffer.Length;
        return ValueTask.FromResult(buffer.Length);
    }
}

/// <summary>A body of which one byte comes now and then: <paramref name="beforeByte"/> is called before each, and moves the time.</summary>
internal sealed class DrippingStream(Action beforeByte) : ReadOnlyStream
{
    public int Sent { get; private set; }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        beforeByte();
        cancellationToken.ThrowIfCancellationRequested();
        buffer.Span[0] = (byte)' ';
        Sent++;
        return ValueTask.FromResult(1);
    }
}

/// <summary>A body that never comes, and does not listen to cancellation either.</summary>
internal sealed class SilentStream : ReadOnlyStream
{
    public TaskCompletionSource Asked { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Asked.SetResult();
        await new TaskCompletionSource().Task;
        return 0;
    }
}

internal abstract class ReadOnlyStream : Stream
{
    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public abstract override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default);

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush() => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
