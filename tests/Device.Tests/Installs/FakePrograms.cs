using Fleet.Device.Installs;

namespace Fleet.Device.Tests.Installs;

/// <summary>Programs that are a function; null: it runs for ever.</summary>
internal sealed class FakePrograms(Func<ProgramStart, ProgramEnd?> run) : IPrograms
{
    private readonly List<ProgramStart> _started = [];

    public IReadOnlyList<ProgramStart> Started
    {
        get
        {
            lock (_started)
                return [.. _started];
        }
    }

    public Task<ProgramEnd> Run(ProgramStart start, CancellationToken cancellation)
    {
        lock (_started)
            _started.Add(start);
        return run(start) is { } end ? Task.FromResult(end) : new TaskCompletionSource<ProgramEnd>().Task.WaitAsync(cancellation);
    }
}
