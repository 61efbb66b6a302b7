using System.Net;
using System.Net.Sockets;

namespace Fleet.Office.Discovery.Directories;

/// <summary>Looks up the addresses of machines' names, some at a time. Where the name servers don't answer at all, it stops asking for the run, and says so.</summary>
/// <param name="lookUp">Asks this machine's name servers; throws <see cref="SocketException"/> where they know none.</param>
internal sealed class AddressLookUps(Func<string, CancellationToken, Task<IPAddress[]>> lookUp, PollRun run)
{
    /// <summary>The most at a time, and the most in a row without an answer.</summary>
    public const int MaxUnderWay = 8;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private int _unanswered;

    /// <summary>Empty: none is known, or nobody answered.</summary>
    public async Task<IReadOnlyList<IPAddress>> Of(string name, CancellationToken stop)
    {
        if (Volatile.Read(ref _unanswered) >= MaxUnderWay)
        {
            run.CannotSee($"the addresses of all computers: this machine's name servers do not answer within {Patience.TotalSeconds:0} s");
            return [];
        }

        await run.Pace.Next(stop);
        try
        {
            var found = await lookUp(name, stop).WaitAsync(Patience, run.Clock, stop);
            Volatile.Write(ref _unanswered, 0);
            return found;
        }
        catch (TimeoutException)
        {
            Interlocked.Increment(ref _unanswered);
        }
        catch (SocketException)
        {
            Volatile.Write(ref _unanswered, 0);
        }
        catch (ArgumentException)
        {
            // What the directory holds can't be a name.
        }

        return [];
    }
}
