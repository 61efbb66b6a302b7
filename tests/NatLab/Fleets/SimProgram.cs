using Fleet.NatLab.Simulation;

namespace Fleet.NatLab.Fleets;

/// <summary>Headquarters or an office node in this process: one run, on a simulated machine.</summary>
/// <param name="Parts">What the run holds open, first what is to be closed first.</param>
internal sealed record SimProgram(SimProcess Process, params IReadOnlyList<IAsyncDisposable> Parts)
{
    /// <summary>
    /// kill -9 as the network sees it: streams are reset, and no goodbye gets out. What the program has written stays, and is closed so that the next
    /// run can open it.
    /// </summary>
    public async Task Kill()
    {
        Process.Kill();
        foreach (var part in Parts)
            await part.DisposeAsync().ConfigureAwait(false);
    }
}
