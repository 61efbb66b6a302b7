using Akka.Actor;
using Akka.Pattern;
using Fleet.Contracts;
using Fleet.Headquarters.Devices;
using Fleet.Headquarters.Identity;
using Fleet.Headquarters.Monitoring;
using Fleet.Headquarters.Wakes;
using Fleet.Messages.Admission;

namespace Fleet.Headquarters.Offices;

// What stays inside headquarters' process.

/// <summary>Twin → event stream: headquarters is to dial the node at this address, which an administrator set; null: no longer.</summary>
public sealed record DialNode(NodeId NodeId, string? Address);

/// <summary>What an office twin works with.</summary>
/// <param name="Offices">The shard region of all twins, for what other offices must be told.</param>
/// <param name="Company">The company, which owns the budgets for staying connected.</param>
/// <param name="Wake">How devices are woken.</param>
/// <param name="ProjectedTo">How far the read model has followed a persistence id; what it has not read is never deleted.</param>
public sealed record OfficeTools(ICertificateIssuer Issuer, TimeProvider Clock, OfficeOptions Options, WakeOptions Wake, Func<IActorRef> Offices, Func<IActorRef> Company, Func<string, long> ProjectedTo)
{
    /// <summary>Shared by the twins of this node.</summary>
    public KeysAhead KeysAhead { get; } = new(Issuer, Clock, DerivedKeys.Usual);

    /// <summary>Where the twins of this node count what they do.</summary>
    public HeadquartersMeter Meter { get; init; } = HeadquartersMeter.Unheard;

    /// <summary>What went wrong with the journal and what to do.</summary>
    public Func<Exception, string> SayOfJournal { get; init; } = fault => fault.GetBaseException().Message;

    /// <summary>Whether the node is overloaded, and what is put off.</summary>
    public Overload Overload { get; init; } = Overload.None;

    /// <summary>Those of this node that can't be read from the journal.</summary>
    public UnreadableTwins Unreadable { get; init; } = UnreadableTwins.None;

    /// <summary>The journal failed for a twin: counts it.</summary>
    /// <returns>Why, and what to do. An open circuit breaker says only that it failed before: then it is still for that reason.</returns>
    public string JournalFailed(string persistenceId, Exception cause)
    {
        var why = cause.GetBaseException() is OpenCircuitException && Meter.Journal.Problem is { } known ? known : SayOfJournal(cause);
        Meter.JournalFailed(persistenceId, why);
        return why;
    }
}
