using System.Collections.Immutable;
using Fleet.Contracts;
using Fleet.Headquarters.Devices;
using Fleet.Headquarters.Discovery;
using Fleet.Headquarters.Policies;
using Fleet.Headquarters.Rollouts;
using Fleet.Headquarters.Rules;
using Fleet.Headquarters.Updates;
using Fleet.Messages.Company;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;

namespace Fleet.Headquarters.Offices;

/// <summary>What the office decides on operators' and peers' commands. Pure.</summary>
public static class OfficeRules
{
    private const int MaxUses = 100_000;
    private const int MaxTokens = 10_000;
    private const int MaxLabels = 64;
    private const int MaxLabelLength = 128;
    private static readonly TimeSpan LongestToken = TimeSpan.FromDays(365);

    public static OfficeDecision Decide(this Office office, IOfficeCommand command, DateTimeOffset now) => command switch
    {
        OpenOffice c when office.IsOpen && office.Title == c.Title => Accept(office),
        OpenOffice c => Accept(office, new OfficeOpened(office.Id, c.Title, c.By, now)),
        TakeInDevice c when !office.IsOpen => Refuse(office, RefusalCode.NotFound, $"there is no office {c.OfficeId}"),
        _ when !office.IsOpen => Refuse(office, RefusalCode.NotFound, $"there is no office {office.Id}"),
        CloseOffice c => Close(office, c, now),
        RevokeToken c => Revoke(office, c, now),
        AssignRoles c => Assign(office, c, now),
        SetNodeWay c => office.Nodes.ContainsKey(c.NodeId) ? NodeWays.Decide(office, c, now) : NoNode(office, c.NodeId),
        RemoveNode c => Remove(office, c, now),
        LabelDevice c => Label(office, c, now),
        MoveDevice c => Move(office, c, now),
        TakeInDevice c => TakeIn(office, c, now),
        RemoveDevice c when office.Devices.ContainsKey(c.DeviceId) => Remove(office, c, now),
        RemoveDevice c => NoDevice(office, c.DeviceId),
        SetConnection c => Connect(office, c, now),
        StopPoll c => PollRules.Stop(office, c),
        IgnoreDiscovered c => PollRules.Ignore(office, c, now),
        SetNodeLink c => Link(office, c, now),
        RequestSync c => office.Devices.ContainsKey(c.DeviceId) ? Accept(office) : NoDevice(office, c.DeviceId),
        AdoptRuleBook c when c.Book.Version <= office.Rules.Version => new OfficeDecision([], new RuleBookAdopted(office.Id, office.Rules.Version)),
        AdoptRuleBook c => new OfficeDecision([new OfficeRulesAdopted(office.Id, c.Book, now)], new RuleBookAdopted(office.Id, c.Book.Version)),
        TryRule c => new OfficeDecision([], new RuleTried(office.Id, Placement.Try(office, c.Rule))),
        AdoptUpdateBook c when c.Book.Version <= office.Updates.Version => new OfficeDecision([], new UpdateBookAdopted(office.Id, office.Updates.Version)),
        AdoptUpdateBook c => new OfficeDecision([new OfficeUpdatesAdopted(office.Id, c.Book, now)], new UpdateBookAdopted(office.Id, c.Book.Version)),
        AdoptPolicyBook c when c.Book.Version <= office.Book.Version => new OfficeDecision([], new PolicyBookAdopted(office.Id, office.Book.Version)),
        AdoptPolicyBook c => new OfficeDecision([new OfficePoliciesAdopted(office.Id, c.Book, now)], new PolicyBookAdopted(office.Id, c.Book.Version)),
        _ => throw new NotSupportedException($"{command.GetType().Name} has no rule"),
    };

    /// <summary>Makes a token; its secret was drawn by the caller.</summary>
    public static OfficeDecision Decide(this Office office, CreateToken command, JoinToken fresh, DateTimeOffset now)
    {
        if (!office.IsOpen)
            return Refuse(office, RefusalCode.NotFound, $"there is no office {office.Id}");
        if (command.Uses is < 1 or > MaxUses)
            return Refuse(office, RefusalCode.Invalid, $"a token has 1 to {MaxUses} uses, not {command.Uses}");
        if (command.TimeToLive <= TimeSpan.Zero || command.TimeToLive > LongestToken)
            return Refuse(office, RefusalCode.Invalid, $"a token lives up to {LongestToken.Days} days, not {command.TimeToLive}");
        if (office.Tokens.Values.Count(t => t.ExpiresAt > now) >= MaxTokens)
            return Refuse(office, RefusalCode.Busy, $"office {office.Id} has {MaxTokens} tokens that have not expired, the most that an office has");
        var expires = now + command.TimeToLive;
        return new OfficeDecision(
            [new TokenCreated(office.Id, fresh.Id, command.Kind, command.Uses, expires, fresh.Secret, command.By, now)],
            new TokenMade(office.Id, fresh.Id, fresh.ToText(), expires));
    }

    /// <summary>Begins a wake-up, or names the one under way.</summary>
    /// <param name="nextCounter">Draws the counter that names it.</param>
    public static OfficeDecision Decide(this Office office, RequestWake command, Func<Device, ulong> nextCounter, DateTimeOffset now)
    {
        if (!office.Devices.TryGetValue(command.DeviceId, out var device))
            return NoDevice(office, command.DeviceId);
        if (device.Known.Wake is { IsOver: false } running)
            return new OfficeDecision([], new WakeAccepted(office.Id, device.Id, running.Counter));
        var counter = nextCounter(device);
        return new OfficeDecision([new DeviceWakeRequested(office.Id, device.Id, counter, command.By, now)], new WakeAccepted(office.Id, device.Id, counter));
    }

    /// <summary>Begins a wake-up of each device that is not being woken already.</summary>
    /// <param name="nextCounter">Draws the counter that names it.</param>
    public static OfficeDecision Decide(this Office office, WakeOffice command, Func<Device, ulong> nextCounter, DateTimeOffset now)
    {
        if (!office.IsOpen)
            return Refuse(office, RefusalCode.NotFound, $"there is no office {office.Id}");
        var (events, wakes) = (new List<IOfficeEvent>(), new List<DeviceWakeBegun>(office.Devices.Count));
        foreach (var device in office.Devices.Values)
        {
            var running = device.Known.Wake is { IsOver: false } wake ? wake.Counter : (ulong?)null;
            var counter = running ?? nextCounter(device);
            wakes.Add(new DeviceWakeBegun(device.Id, counter));
            if (running is null)
                events.Add(new DeviceWakeRequested(office.Id, device.Id, counter, command.By, now));
        }

        return new OfficeDecision(events, new OfficeWakeAccepted(office.Id, wakes));
    }

    /// <summary>Says how packages come to a device.</summary>
    public static OfficeDecision Explain(this Office office, ExplainDevice question, Func<DeviceId, DevicePresence?> presence) =>
        office.Devices.TryGetValue(question.DeviceId, out var device)
            ? new OfficeDecision([], new DeviceExplained(office.Id, PackagePaths.Of(office, device, question.Rollouts, presence(device.Id))))
            : NoDevice(office, question.DeviceId);

    /// <summary>
    /// Adds what follows from the events: devices whose effective document changed by them get its next version. So the journal never holds
    /// a cause without its effect.
    /// </summary>
    /// <param name="grant">How many may stay connected, as the company said last; null: it has not yet.</param>
    /// <param name="after">The office with the events, where that is known already.</param>
    public static SettledEvents Settled(
        this Office office, IReadOnlyList<IOfficeEvent> events, OfficeOptions options, DateTimeOffset now, ConnectionsGranted? grant = null, bool newGrant = false, Office? after = null)
    {
        var next = after ?? office.Apply(events);
        var follows = NetworkFollows.Of(next, events, options.Discovery.MovePollerAfter, now);
        next = next.Apply(follows);
        var placed = Placed(next, events, now);
        next = next.Apply(placed);
        IReadOnlyList<IOfficeEvent> decided = newGrant || events.Concat(placed).Any(MayConnect) ? ConnectionRule.Decide(next, grant, options, now) : [];
        next = next.Apply(decided);
        follows = [.. follows, .. placed, .. decided];
        var all = !ReferenceEquals(office.Book, next.Book) || !UpdatePlans.SameForDevices(office.Updates, next.Updates) || !SameAddresses(office, next);
        var reports = ReleasePicks.HangOnReports(next.Updates);
        var touched = all
            ? next.Devices.Values
            : events.Concat(placed).Concat(decided).Where(e => e is DeviceEnrolled or DeviceMovedIn or DevicePlaced or DeviceLabelled or DeviceConnectionSet or DeviceConnectionDecided || (reports && e is DeviceReported)).Select(e => next.Devices.GetValueOrDefault(((IDeviceEvent)e).DeviceId)).OfType<Device>();
        List<IOfficeEvent> changed = [.. touched.Distinct().Select(d => DesiredState.Change(next, d, options, now)).OfType<DeviceDesiredChanged>()];
        return new SettledEvents([.. events, .. follows, .. changed], next.Apply(changed));
    }

    // Rules look at a device when something of it changed that they look at, and at all when they are others.
    private static IReadOnlyList<IOfficeEvent> Placed(Office office, IReadOnlyList<IOfficeEvent> events, DateTimeOffset now)
    {
        if (office.Rules.Rules.Count == 0)
            return [];
        var devices = events.Any(e => e is OfficeRulesAdopted)
            ? office.Devices.Values
            : events.Where(e => e is DeviceReported or DeviceMovedIn or DeviceLabelled).Select(e => office.Devices.GetValueOrDefault(((IDeviceEvent)e).DeviceId)).OfType<Device>().Distinct();
        return [.. devices.Where(d => !d.Known.Report.IsEmpty).SelectMany(d => Placement.Of(office, d, now))];
    }

    /// <summary>Whether this may change who should stay connected, or how many places are left.</summary>
    internal static bool MayConnect(IOfficeEvent happened) => happened is NodeEnrolled or NodeRemoved or NodeLinkSet or OfficePoliciesAdopted
        or DeviceEnrolled or DeviceMovedIn or DeviceMovedOut or DeviceRemoved or DeviceLabelled or DevicePlaced or DeviceConnectionSet;

    /// <summary>Another office would not take the devices: they stay.</summary>
    public static IReadOnlyList<IOfficeEvent> TakeBack(this Office office, OfficeId refuser, DateTimeOffset now) =>
        [.. office.Forwards.Values.Where(f => f.To == refuser && f.Leaving is not null).Select(f => new DeviceMovedIn(office.Id, f.DeviceId, refuser, f.Leaving!, now))];

    public static OfficeDecision Refuse(Office office, RefusalCode code, string detail) => new([], new OfficeRefused(office.Id, code, detail));

    private static OfficeDecision Accept(Office office, params IOfficeEvent[] events) => new(events, new OfficeAccepted(office.Id));

    private static OfficeDecision NoDevice(Office office, DeviceId device) => office.Forwards.TryGetValue(device, out var forward)
        ? Refuse(office, RefusalCode.Moved, $"device {device} moved to office {forward.To}")
        : Refuse(office, RefusalCode.NotFound, $"there is no device {device} in office {office.Id}");

    private static OfficeDecision NoNode(Office office, NodeId node) => Refuse(office, RefusalCode.NotFound, $"there is no node {node}");

    private static OfficeDecision Close(Office office, CloseOffice command, DateTimeOffset now)
    {
        if (!command.Force && (office.Nodes.Count > 0 || office.Devices.Count > 0))
            return Refuse(office, RefusalCode.NotEmpty, $"office {office.Id} has {office.Nodes.Count} nodes and {office.Devices.Count} devices; remove or move them, or force it");
        return Accept(office,
        [
            .. office.Devices.Keys.Select(d => new DeviceRemoved(office.Id, d, command.By, now)),
            .. office.Nodes.Keys.Select(n => new NodeRemoved(office.Id, n, command.By, now)),
            new OfficeClosed(office.Id, command.By, now),
        ]);
    }

    private static OfficeDecision Revoke(Office office, RevokeToken command, DateTimeOffset now) => office.Tokens.GetValueOrDefault(command.TokenId) switch
    {
        null => Refuse(office, RefusalCode.NotFound, $"there is no token {command.TokenId} in office {office.Id}"),
        { Revoked: true } => Accept(office),
        _ => Accept(office, new TokenWasRevoked(office.Id, command.TokenId, command.By, now)),
    };

    private static OfficeDecision Assign(Office office, AssignRoles command, DateTimeOffset now)
    {
        if (!office.Nodes.TryGetValue(command.NodeId, out var node))
            return NoNode(office, command.NodeId);
        NodeRole[] roles = [.. node.Roles.Union(command.Add).Except(command.Remove).Order()];
        return roles.SequenceEqual(node.Roles)
            ? Accept(office)
            : Accept(office, new NodeRolesAssigned(office.Id, node.NodeId, node.DesiredVersion + 1, roles, command.By, now));
    }

    // The node's own machine goes with it: it shares the node's key and has no other way to headquarters.
    private static OfficeDecision Remove(Office office, RemoveNode command, DateTimeOffset now)
    {
        if (!office.Nodes.TryGetValue(command.NodeId, out var node))
            return NoNode(office, command.NodeId);
        if (NodeWays.CarriedBy(office, node.NodeId) is [var carried, ..])
            return Refuse(office, RefusalCode.NotAllowed, $"node {carried} links through {node.NodeId}; set another way for it first ('fleet node set {carried} --direct')");
        IOfficeEvent[] own = office.Devices.ContainsKey(node.DeviceId) ? [new DeviceRemoved(office.Id, node.DeviceId, command.By, now)] : [];
        return Accept(office, [new NodeRemoved(office.Id, node.NodeId, command.By, now), .. own]);
    }

    private static OfficeDecision Remove(Office office, RemoveDevice command, DateTimeOffset now) =>
        office.Nodes.Values.FirstOrDefault(n => n.DeviceId == command.DeviceId) is { } node
            ? Refuse(office, RefusalCode.NotAllowed, $"{command.DeviceId} is the machine of node {node.NodeId}; remove the node")
            : Accept(office, new DeviceRemoved(office.Id, command.DeviceId, command.By, now));

    private static OfficeDecision Label(Office office, LabelDevice command, DateTimeOffset now)
    {
        if (!office.Devices.TryGetValue(command.DeviceId, out var device))
            return NoDevice(office, command.DeviceId);
        if (command.Set.FirstOrDefault(l => l.Key.Length is 0 or > MaxLabelLength || l.Value.Length > MaxLabelLength) is { Key: not null } wrong)
            return Refuse(office, RefusalCode.Invalid, $"label '{wrong.Key[..Math.Min(40, wrong.Key.Length)]}' is empty or longer than {MaxLabelLength} characters, or its value is");
        var labels = device.Known.Labels.ToImmutableSortedDictionary(StringComparer.Ordinal).SetItems(command.Set).RemoveRange(command.Remove);
        if (labels.Count > MaxLabels)
            return Refuse(office, RefusalCode.Invalid, $"a device has at most {MaxLabels} labels");
        return labels.Count == device.Known.Labels.Count && labels.All(l => device.Known.Labels.TryGetValue(l.Key, out var value) && value == l.Value)
            ? Accept(office)
            : Accept(office, new DeviceLabelled(office.Id, device.Id, labels, command.By, now));
    }

    private static OfficeDecision Connect(Office office, SetConnection command, DateTimeOffset now) =>
        !office.Devices.TryGetValue(command.DeviceId, out var device) ? NoDevice(office, command.DeviceId)
        : device.Known.AlwaysConnected == command.Always ? Accept(office)
        : Accept(office, new DeviceConnectionSet(office.Id, device.Id, command.Always, command.By, now));

    private static OfficeDecision Link(Office office, SetNodeLink command, DateTimeOffset now) =>
        !office.Nodes.TryGetValue(command.NodeId, out var node) ? NoNode(office, command.NodeId)
        : node.AlwaysLinked == command.Always ? Accept(office)
        : Accept(office, new NodeLinkSet(office.Id, node.NodeId, command.Always, command.By, now));

    private static OfficeDecision Move(Office office, MoveDevice command, DateTimeOffset now)
    {
        if (command.To == office.Id)
            return office.Devices.ContainsKey(command.DeviceId) ? Accept(office) : NoDevice(office, command.DeviceId);
        if (!office.Devices.TryGetValue(command.DeviceId, out var device))
            return office.Forwards.TryGetValue(command.DeviceId, out var gone) && gone.To == command.To ? Accept(office) : NoDevice(office, command.DeviceId);
        return office.Nodes.Values.FirstOrDefault(n => n.DeviceId == command.DeviceId) is { } node
            ? Refuse(office, RefusalCode.NotAllowed, $"{command.DeviceId} is the machine of node {node.NodeId} and stays with it")
            : Accept(office, new DeviceMovedOut(office.Id, command.DeviceId, command.To, device.Known, command.By, now));
    }

    private static OfficeDecision TakeIn(Office office, TakeInDevice command, DateTimeOffset now)
    {
        var taken = new DeviceTakenIn(office.Id, command.Device.DeviceId);
        // A device that was here and left again under a version at least this new: a late repeat of the first hand-over.
        var repeat = office.Devices.ContainsKey(command.Device.DeviceId)
            || (office.Forwards.TryGetValue(command.Device.DeviceId, out var forward) && forward.DesiredVersion >= command.Device.DesiredVersion);
        return new OfficeDecision(repeat ? [] : [new DeviceMovedIn(office.Id, command.Device.DeviceId, command.From, command.Device, now)], taken);
    }

    private static bool SameAddresses(Office one, Office other) =>
        ReferenceEquals(one.Nodes, other.Nodes)
        || (one.Gateways.Select(DesiredState.AddressOf).SequenceEqual(other.Gateways.Select(DesiredState.AddressOf))
            && one.PushServers.Select(DesiredState.PushAddressOf).SequenceEqual(other.PushServers.Select(DesiredState.PushAddressOf))
            && one.DistributionPoints.Select(DesiredState.ContentAddressOf).SequenceEqual(other.DistributionPoints.Select(DesiredState.ContentAddressOf)));
}

/// <summary>What to journal, and the office once it is.</summary>
public sealed record SettledEvents(IReadOnlyList<IOfficeEvent> Events, Office After);

/// <summary>What to journal and, once it is, what to answer.</summary>
public sealed record OfficeDecision(IReadOnlyList<IOfficeEvent> Events, object Reply);
