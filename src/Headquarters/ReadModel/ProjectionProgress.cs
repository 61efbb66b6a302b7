using System.Collections.Concurrent;

namespace Fleet.Headquarters.ReadModel;

/// <summary>How far the read model has followed each twin's events, so that a twin deletes none that it has not read. Unknown after a start until the next event.</summary>
public sealed class ProjectionProgress
{
    private readonly ConcurrentDictionary<string, long> _reached = new();

    public long Of(string persistenceId) => _reached.GetValueOrDefault(persistenceId);

    public void Projected(string persistenceId, long sequenceNr) => _reached[persistenceId] = sequenceNr;
}
