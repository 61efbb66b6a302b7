using Fleet.Messages.Transport;

namespace Fleet.Headquarters.Links;

/// <summary>
/// Dials a machine that waits to be enrolled and can't dial out, and joins the stream to headquarters' own port for agents. That port is open to
/// everybody anyway, and the machine is its client as if it had dialled: only who dials is turned round.
/// </summary>
/// <param name="agents">host:port of headquarters' own port for agents, as this machine reaches it.</param>
public sealed class EnrolmentDial(IByteNetwork network, string agents, TimeSpan connectTimeout, TimeProvider clock)
{
    /// <summary>An enrolment takes a second; a machine that says nothing for this long has none to make.</summary>
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(15);

    /// <summary>Why nobody came to enrol, or null: whether headquarters took the machine, the machine says.</summary>
    public async Task<string?> Run(string address, CancellationToken cancellation)
    {
        try
        {
            await using var machine = await Connect(address, cancellation);
            await using var own = await Connect(agents, cancellation);
            var (asked, _) = await Splice.Run(machine, own, Idle, clock, cancellation);
            return asked > 0 ? null : $"{address} was reached and asked nothing; run 'office enroll --listen' there";
        }
        catch (IOException fault)
        {
            return $"{address} was dialled in vain: {fault.Message}";
        }
    }

    private async Task<Stream> Connect(string address, CancellationToken cancellation)
    {
        using var patience = new CancellationTokenSource(connectTimeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellation);
        try
        {
            return await network.Connect(address, either.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new IOException($"no answer within {connectTimeout.TotalSeconds:0.#} s");
        }
    }
}
