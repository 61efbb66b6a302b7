namespace Fleet.Headquarters.Web;

/// <summary>What the faces tell and need of the process.</summary>
/// <param name="AuthorityNotAfter">When the CA runs out.</param>
/// <param name="Stopping">Cancelled when the node stops: endless answers end.</param>
internal sealed record ProgramFacts(string Version, DateTimeOffset StartedAt, DateTimeOffset AuthorityNotAfter, CancellationToken Stopping);
