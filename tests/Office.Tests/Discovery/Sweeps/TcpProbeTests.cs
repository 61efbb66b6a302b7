using System.Net;
using Fleet.Office.Discovery;
using Fleet.Office.Discovery.Sweeps;
using Fleet.TestSupport;
using Microsoft.Extensions.Time.Testing;

namespace Fleet.Office.Tests.Discovery.Sweeps;

public sealed class TcpProbeTests
{
    private const int Ports = 20;

    private readonly FakeTimeProvider _clock = new();
    private readonly Answers _answers = new();

    [Fact]
    public async Task It_has_settled_when_the_last_of_those_that_waited_for_their_turn_are_through()
    {
        await using var probe = Probe();
        await probe.Ask(IPAddress.Loopback, CancellationToken.None);

        var settled = probe.Settle(CancellationToken.None);
        await Until.True(() =>
        {
            _clock.Advance(TimeSpan.FromMilliseconds(100));
            return settled.IsCompleted;
        }, "the probe settles");

        _answers.End();
        Assert.Equal(Ports, await _answers.All(CancellationToken.None).CountAsync());
    }

    [Fact]
    public async Task Disposed_it_does_not_wait_for_the_turn_of_those_that_have_not_had_it()
    {
        var probe = Probe();
        await probe.Ask(IPAddress.Loopback, CancellationToken.None);

        await probe.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(10));
    }

    /// <summary>Of ports that refuse, a second apart: the last has its turn long after what it waits for an answer.</summary>
    private TcpProbe Probe() => new([.. Enumerable.Range(0, Ports).Select(_ => FreePorts.One())], TimeSpan.FromSeconds(10), _answers, new Pace(1, 0, _clock), _clock);
}
