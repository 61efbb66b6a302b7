using Akka.Actor;
using Fleet.Contracts;
using Fleet.Messages.Link;

namespace Fleet.Office.Discovery;

// What the poller's actors say to each other. OfficeActor → PollerActor → MethodPoller → PollRunActor.

/// <summary>OfficeActor → PollerActor: what headquarters wants polled, said anew in every epoch. Null: this node is not the office's poller.</summary>
public sealed record PlanCame(PollPlan? Plan);

/// <summary>PollerActor → MethodPoller: its part of the plan. Null: nothing may be polled, and what runs ends.</summary>
/// <param name="Why">Why it is null.</param>
internal sealed record ScheduleCame(PollSchedule? Schedule, string Why);

/// <summary>PollerActor → MethodPoller → the next of them: whichever runs this poll cancels it.</summary>
/// <param name="Others">Who has not been asked yet. None is left: nobody runs it.</param>
internal sealed record CancelRun(PollId PollId, IReadOnlyList<IActorRef> Others);

/// <summary>MethodPoller → PollRunActor: end.</summary>
internal sealed record EndRun(PollOutcome Outcome, string Why);

/// <summary>PollRunActor → MethodPoller: the run is over, and headquarters was told.</summary>
internal sealed record RunOver(PollId PollId);
