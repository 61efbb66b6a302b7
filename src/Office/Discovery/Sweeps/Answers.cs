using System.Net;
using System.Threading.Channels;

namespace Fleet.Office.Discovery.Sweeps;

/// <summary>A machine is at this address.</summary>
public readonly record struct Answer(IPAddress Address, MacAddress? Mac);

/// <summary>Where probes put what they hear. Bounded: what a flooder sends beyond is dropped, and the second pass asks the others again.</summary>
public sealed class Answers
{
    private const int Capacity = 4096;

    private readonly Channel<Answer> _heard = Channel.CreateBounded<Answer>(new BoundedChannelOptions(Capacity) { FullMode = BoundedChannelFullMode.DropWrite });

    public void Add(Answer answer) => _heard.Writer.TryWrite(answer);

    /// <summary>Nothing more will come.</summary>
    public void End() => _heard.Writer.TryComplete();

    public IAsyncEnumerable<Answer> All(CancellationToken stop) => _heard.Reader.ReadAllAsync(stop);
}

/// <summary>A way of asking whether a machine is at an address. Made for one run; disposing it ends all that it has under way.</summary>
public interface IProbe : IAsyncDisposable
{
    /// <summary>Whether it can ask there.</summary>
    bool Reaches(IPAddress address);

    /// <summary>Asks once, paced; the answer comes to <see cref="Answers"/> whenever it comes.</summary>
    ValueTask Ask(IPAddress address, CancellationToken stop);

    /// <summary>Waits until answers that may still come have come.</summary>
    Task Settle(CancellationToken stop);
}
