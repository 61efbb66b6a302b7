using Fleet.Contracts;
using Fleet.Headquarters.Offices;
using Fleet.Messages.Link;
using Fleet.Messages.Networks;
using Fleet.Messages.Offices;

namespace Fleet.Headquarters.Discovery;

/// <summary>What the office decides on operators' wishes about polls and discovered devices. Pure.</summary>
internal static class PollRules
{
    /// <summary>More than any small office's network is asked to bear.</summary>
    public const int MostPacketsPerSecond = 10_000;

    private const int MostDirectories = 16;
    private const int MostText = 512;
    private const int MostSecret = 8 * 1024;
    private static readonly TimeSpan ShortestEvery = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestEvery = TimeSpan.FromDays(60);

    /// <param name="fresh">Names the poll; drawn by the caller.</param>
    public static OfficeDecision Decide(this Office office, StartPoll command, PollId fresh, DiscoveryOptions options, DateTimeOffset now)
    {
        if (Problem(command) is { } wrong)
            return OfficeRules.Refuse(office, RefusalCode.Invalid, wrong);
        if (office.Polling.Poller is not { } poller)
            return OfficeRules.Refuse(office, RefusalCode.Busy, office.Nodes.Values.Any(n => n.Roles.Contains(NodeRole.Poller))
                ? $"no node of office {office.Id} polls now: none with the role is linked, or the one before has not let go yet"
                : $"no node of office {office.Id} has the role: fleet node assign NODE --role poller");
        if (!office.Nodes[poller].Linked)
            return OfficeRules.Refuse(office, RefusalCode.Busy, $"the link of the poller {poller} is down: {office.Nodes[poller].LinkReason}");
        if (office.Polling.Open.Values.FirstOrDefault(p => p.Method == command.Method) is { } running)
            return OfficeRules.Refuse(office, RefusalCode.AlreadyExists, $"{Polls.Name(command.Method)} is being polled already, as {running.PollId}; wait for it, or cancel it");
        if (command.Method == PollMethod.Ldap && (office.Polling.Plan ?? options.DefaultPlan).Schedules.All(s => s.Method != PollMethod.Ldap || s.Directories.Count == 0))
            return OfficeRules.Refuse(office, RefusalCode.Invalid, $"office {office.Id} names no directory to ask: fleet poll schedule {office.Id} --method ldap --directory HOST");
        return new OfficeDecision([new PollBegun(office.Id, poller, fresh, command.Method, command.Full, command.Ranges, command.AllowLarge, command.By, now)], new PollAccepted(office.Id, fresh, poller));
    }

    public static OfficeDecision Stop(Office office, StopPoll command) => office.Polling.Open.ContainsKey(command.PollId)
        ? new OfficeDecision([], new OfficeAccepted(office.Id))
        : OfficeRules.Refuse(office, RefusalCode.NotFound, $"no poll {command.PollId} is under way in office {office.Id}{NearMiss.Hint(command.PollId.Value, office.Polling.Open.Keys.Select(p => p.Value))}");

    public static OfficeDecision Decide(this Office office, SchedulePolls command, DiscoveryOptions options, DateTimeOffset now)
    {
        var plan = office.Polling.Plan ?? options.DefaultPlan;
        if (Problem(command) is { } wrong)
            return OfficeRules.Refuse(office, RefusalCode.Invalid, wrong);
        var before = plan.Schedules.FirstOrDefault(s => s.Method == command.Schedule.Method);
        var schedule = command.Schedule with { Directories = [.. command.Schedule.Directories.Select(d => Kept(d, before))] };
        var next = new PollPlan([.. plan.Schedules.Where(s => s.Method != schedule.Method).Append(schedule).OrderBy(s => s.Method)], command.PacketsPerSecond ?? plan.PacketsPerSecond);
        IEnumerable<IOfficeEvent> raised = office.Polling.Poller is { } poller ? PollerRule.Raised(office, poller, now) : [];
        return new OfficeDecision([new PollsScheduled(office.Id, next, command.By, now), .. raised], new OfficeAccepted(office.Id));
    }

    public static OfficeDecision Ignore(Office office, IgnoreDiscovered command, DateTimeOffset now) => office.Discovered.GetValueOrDefault(command.DiscoveredId) switch
    {
        null => OfficeRules.Refuse(office, RefusalCode.NotFound, $"there is no discovered device {command.DiscoveredId} in office {office.Id}"),
        { } known when known.Ignored == command.Ignored => new OfficeDecision([], new OfficeAccepted(office.Id)),
        _ => new OfficeDecision([new DiscoveredDeviceIgnored(office.Id, command.DiscoveredId, command.Ignored, command.By, now)], new OfficeAccepted(office.Id)),
    };

    private static string? Problem(StartPoll command) => command.Method != PollMethod.IpRange
        ? command.Ranges.Count > 0 ? $"ranges are for {Polls.Name(PollMethod.IpRange)}, not for {Polls.Name(command.Method)}" : null
        : RangeProblem(command.Ranges, command.AllowLarge);

    private static string? Problem(SchedulePolls command)
    {
        var schedule = command.Schedule;
        if (schedule.Enabled && schedule.FullEvery == TimeSpan.Zero && schedule.QuickEvery == TimeSpan.Zero)
            return "a schedule without any time never polls; turn the method off instead";
        if (new[] { schedule.QuickEvery, schedule.FullEvery }.FirstOrDefault(e => e != TimeSpan.Zero && (e < ShortestEvery || e > LongestEvery)) is var every && every != default)
            return $"polls come every {DurationText.Of(ShortestEvery)} to {DurationText.Of(LongestEvery)}, not every {DurationText.Of(every)}";
        if (command.PacketsPerSecond is < 1 or > MostPacketsPerSecond)
            return $"the pace is 1 to {MostPacketsPerSecond} packets a second, not {command.PacketsPerSecond}";
        if (schedule.Method != PollMethod.IpRange && schedule.Ranges.Count > 0)
            return $"ranges are for {Polls.Name(PollMethod.IpRange)}, not for {Polls.Name(schedule.Method)}";
        if (schedule.Method != PollMethod.Ldap && schedule.Directories.Count > 0)
            return $"directories are for {Polls.Name(PollMethod.Ldap)}, not for {Polls.Name(schedule.Method)}";
        if (schedule.Directories.Count > MostDirectories)
            return $"an office has at most {MostDirectories} directories, not {schedule.Directories.Count}";
        return RangeProblem(schedule.Ranges, schedule.AllowLarge) ?? schedule.Directories.Select(Problem).FirstOrDefault(p => p is not null);
    }

    private static string? Problem(DirectorySource directory)
    {
        if (directory.Host.Length is 0 or > 253 || Uri.CheckHostName(directory.Host) == UriHostNameType.Unknown)
            return $"'{directory.Host[..Math.Min(60, directory.Host.Length)]}' is no host name or address";
        if (directory.Port is < 1 or > 65535)
            return $"{directory.Port} is no port";
        if (!Enum.IsDefined(directory.Security))
            return $"security is tls, starttls or plain";
        if (directory.Security == DirectorySecurity.Plain && directory.User.Length > 0)
            return $"a password is not sent to {directory.Host} in the clear: use tls or starttls, or no user";
        return new[] { directory.BaseName, directory.Filter, directory.User }.Any(t => t.Length > MostText || t.Any(char.IsControl)) || directory.Password.Length > MostSecret || directory.Authority.Length > MostSecret
            ? $"what is said of {directory.Host} is too long, or has control characters"
            : null;
    }

    // A directory that is named again without its CA keeps it, and its password as long as it is the same user's.
    private static DirectorySource Kept(DirectorySource directory, PollSchedule? before) =>
        before?.Directories.FirstOrDefault(d => d.Host == directory.Host && d.Port == directory.Port) is { } known
            ? directory with
            {
                Authority = directory.Authority.IsEmpty ? known.Authority : directory.Authority,
                Password = directory.Password.IsEmpty && directory.User.Length > 0 && directory.User == known.User ? known.Password : directory.Password,
            }
            : directory;

    private static string? RangeProblem(IReadOnlyList<string> ranges, bool allowLarge)
    {
        RangeList.Read(ranges, allowLarge, out var problems);
        return problems.Count == 0 ? null : string.Join("; ", problems);
    }
}
