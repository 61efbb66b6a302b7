using Fleet.Contracts;
using Fleet.Contracts.Agents;

namespace Fleet.Device.Enrolment;

/// <summary>How one round of an enrolment ended.</summary>
public abstract record EnrolmentOutcome
{
    private EnrolmentOutcome()
    {
    }

    /// <summary>Headquarters took the machine in; the reply's proof has been checked.</summary>
    /// <param name="Through">Who carried it: a node id or <c>headquarters</c>.</param>
    public sealed record Accepted(Enrolled Reply, string Through) : EnrolmentOutcome;

    /// <summary>Headquarters said no; trying again is of no use.</summary>
    public sealed record Refused(RefusalCode Code, string Detail) : EnrolmentOutcome;

    /// <summary>Nobody could carry it to headquarters now; it completes by itself when tried again later.</summary>
    /// <param name="Detail">What happened at each address.</param>
    /// <param name="RetryAfter">The wait a server named, or null.</param>
    public sealed record Unreachable(string Detail, TimeSpan? RetryAfter) : EnrolmentOutcome;
}
