using System.Collections.Immutable;
using Fleet.Contracts;
using Fleet.Headquarters.Policies;
using Fleet.Headquarters.Rollouts;
using Fleet.Headquarters.Rules;
using Fleet.Headquarters.Updates;
using Fleet.Messages.Company;

namespace Fleet.Headquarters.Company;

/// <summary>Which offices exist, and the policy book. Pure: no clock, no I/O.</summary>
public sealed record Company
{
    private const int MaxPolicies = 500;
    private const int MaxTitle = 200;

    public ImmutableSortedDictionary<string, OfficeEntry> Offices { get; init; } = ImmutableSortedDictionary.Create<string, OfficeEntry>(StringComparer.Ordinal);

    public PolicyBook Book { get; init; } = PolicyBook.Empty;

    public RuleBook Rules { get; init; } = RuleBook.Empty;

    /// <summary>What offices must know of updates.</summary>
    public UpdateBook Updates { get; init; } = UpdateBook.Empty;

    /// <summary>Oldest first.</summary>
    public ImmutableList<Rollout> Rollouts { get; init; } = [];

    /// <summary>What each office has of the budgets for staying connected.</summary>
    public ImmutableDictionary<OfficeId, ConnectionLease> Leases { get; private init; } = ImmutableDictionary<OfficeId, ConnectionLease>.Empty;

    // The sum of all leases: a thousand offices that start together all ask.
    private (int Links, int Devices) Leased { get; init; }

    /// <summary>Decides on all commands but RemoveOffice, on which the office itself has its say first, and those that need more than the company knows.</summary>
    public CompanyDecision Decide(ICompanyCommand command, DateTimeOffset now) => command switch
    {
        AddOffice { Title.Length: > MaxTitle } => Refuse(RefusalCode.Invalid, $"a title has at most {MaxTitle} characters"),
        AddOffice c when Offices.ContainsKey(c.OfficeId.Value) => Refuse(RefusalCode.AlreadyExists, $"there is an office {c.OfficeId} already"),
        AddOffice c => new CompanyDecision([new OfficeAdded(c.OfficeId, c.Title, c.By, now)], new CompanyAccepted()),
        ApplyPolicy c => Apply(c, now),
        PutRule c => RuleRules.Decide(this, c, now),
        MoveRule c => RuleRules.Decide(this, c, now),
        EnableRule c => RuleRules.Decide(this, c, now),
        RemoveRule c => RuleRules.Decide(this, c, now),
        CreateRollout c => RolloutRules.Decide(this, c, now),
        PauseRollout c => RolloutRules.Decide(this, c, now),
        ResumeRollout c => RolloutRules.Decide(this, c, now),
        PutAptRepository c => AptRules.Decide(this, c, now),
        RemoveAptRepository c => AptRules.Decide(this, c, now),
        PutVendor c => VendorRules.Decide(this, c, now),
        RemoveVendor c => VendorRules.Decide(this, c, now),
        PutDownloadTask c => DownloadRules.Decide(this, c, now),
        RemoveDownloadTask c => DownloadRules.Decide(this, c, now),
        RunDownloadTask c => DownloadRules.Decide(this, c, now),
        CancelDownloadTask c => DownloadRules.Decide(this, c, now),
        PauseDownloadTask c => DownloadRules.Decide(this, c, now),
        NoteRepository c when c.Timestamp == Updates.Timestamp && c.Root.Span.SequenceEqual(Updates.Root.Span) => new CompanyDecision([], new CompanyAccepted()),
        NoteRepository c => Change(Updates with { Root = c.Root, Timestamp = c.Timestamp }, $"timestamp {c.Timestamp}", "headquarters", now),
        RemovePolicy c when Book.Policies.All(p => p.Document.Name != c.Name) => Refuse(RefusalCode.NotFound, $"there is no policy {c.Name}"),
        RemovePolicy c => new CompanyDecision([new PolicyRemoved(c.Name, Book.Version + 1, c.By, now)], new CompanyAccepted()),
        _ => throw new NotSupportedException($"{command.GetType().Name} has no rule"),
    };

    /// <summary>Grants an office what it asks for, as far as the others leave it of the budgets: together they never hold more.</summary>
    public CompanyDecision Decide(WantConnections asked, ConnectionBudgets budgets, DateTimeOffset now)
    {
        var held = Leases.GetValueOrDefault(asked.OfficeId);
        var (otherLinks, otherDevices) = (Leased.Links - (held?.Links ?? 0), Leased.Devices - (held?.Devices ?? 0));
        var known = Offices.ContainsKey(asked.OfficeId.Value);
        var links = known ? Math.Clamp(budgets.Links - otherLinks, 0, asked.Links) : 0;
        var devices = known ? Math.Clamp(budgets.Devices - otherDevices, 0, asked.Devices) : 0;
        ICompanyEvent[] events = (held?.Links ?? 0, held?.Devices ?? 0) == (links, devices) ? [] : [new ConnectionsLeased(asked.OfficeId, links, devices, now)];
        return new CompanyDecision(events, new ConnectionsGranted(
            asked.OfficeId, links, devices, asked.Links, asked.Devices, otherLinks + links, budgets.Links, otherDevices + devices, budgets.Devices));
    }

    public Company Apply(ICompanyEvent happened) => happened switch
    {
        OfficeAdded e => this with { Offices = Offices.SetItem(e.OfficeId.Value, new OfficeEntry(e.OfficeId, e.Title, e.By, e.At)) },
        OfficeRemoved e => Lease(new ConnectionLease(e.OfficeId, 0, 0)) with { Offices = Offices.Remove(e.OfficeId.Value), Leases = Leases.Remove(e.OfficeId) },
        ConnectionsLeased e => Lease(new ConnectionLease(e.OfficeId, e.Links, e.Devices)),
        PolicyApplied e => this with { Book = new PolicyBook(e.BookVersion, [.. Book.Policies.Where(p => p.Document.Name != e.Policy.Document.Name), e.Policy]) },
        PolicyRemoved e => this with { Book = new PolicyBook(e.BookVersion, [.. Book.Policies.Where(p => p.Document.Name != e.Name)]) },
        RuleBookChanged e => this with { Rules = e.Book },
        UpdateBookChanged e => this with { Updates = e.Book },
        RolloutCreated e => this with { Rollouts = Rollouts.Add(Rollout.From(e)) },
        RolloutForgotten e => this with { Rollouts = Rollouts.RemoveAll(r => r.Name == e.Name) },
        IRolloutEvent e => this with { Rollouts = [.. Rollouts.Select(r => r.Name == e.Name ? r.Apply(e) : r)] },
        _ => throw new NotSupportedException($"{happened.GetType().Name} has no meaning for the company"),
    };

    public CompanySnapshot ToSnapshot() => new([.. Offices.Values], Book, Rules, [.. Leases.Values], Updates, [.. Rollouts.Select(r => r.Known)]);

    public static Company From(CompanySnapshot s) => new()
    {
        Offices = s.Offices.ToImmutableSortedDictionary(o => o.OfficeId.Value, o => o, StringComparer.Ordinal),
        Book = s.Book,
        Rules = s.Rules ?? RuleBook.Empty,
        Updates = s.Updates ?? UpdateBook.Empty,
        Rollouts = [.. (s.Rollouts ?? []).Select(r => new Rollout(r))],
        Leases = (s.Leases ?? []).ToImmutableDictionary(l => l.OfficeId),
        Leased = ((s.Leases ?? []).Sum(l => l.Links), (s.Leases ?? []).Sum(l => l.Devices)),
    };

    public static CompanyDecision Refuse(RefusalCode code, string detail) => new([], new CompanyRefused(code, detail));

    /// <summary>The book of updates becomes this one, under the next version.</summary>
    public CompanyDecision Change(UpdateBook book, string what, string by, DateTimeOffset now) => new([Changed(book, what, by, now)], new CompanyAccepted());

    /// <inheritdoc cref="Change"/>
    public UpdateBookChanged Changed(UpdateBook book, string what, string by, DateTimeOffset now) => new(book with { Version = Updates.Version + 1 }, what, by, now);

    private Company Lease(ConnectionLease next)
    {
        var held = Leases.GetValueOrDefault(next.OfficeId);
        return this with
        {
            Leases = Leases.SetItem(next.OfficeId, next),
            Leased = (Leased.Links + next.Links - (held?.Links ?? 0), Leased.Devices + next.Devices - (held?.Devices ?? 0)),
        };
    }

    private CompanyDecision Apply(ApplyPolicy command, DateTimeOffset now)
    {
        var document = command.Document;
        if (PolicySettings.Problem(document) is { } problem)
            return Refuse(RefusalCode.Invalid, problem);
        if (document.Offices.FirstOrDefault(o => !Offices.ContainsKey(o.Value)) is { Value: not null } unknown)
            return Refuse(RefusalCode.NotFound, $"the policy names office {unknown}, which does not exist");
        var known = Book.Policies.FirstOrDefault(p => p.Document.Name == document.Name);
        if (known is not null && Same(known.Document, document))
            return new CompanyDecision([], new PolicyAccepted(document.Name, known.Version, Changed: false));
        if (known is null && Book.Policies.Count >= MaxPolicies)
            return Refuse(RefusalCode.Busy, $"there are {MaxPolicies} policies, the most that a company has; remove one first");
        var next = new Policy(document, (known?.Version ?? 0) + 1, now);
        return new CompanyDecision([new PolicyApplied(next, Book.Version + 1, command.By, now)], new PolicyAccepted(document.Name, next.Version, Changed: true));
    }

    // Record equality does not look inside collections.
    private static bool Same(PolicyDocument one, PolicyDocument other) =>
        one.Priority == other.Priority
        && one.Offices.ToHashSet().SetEquals(other.Offices)
        && Same(one.Labels, other.Labels)
        && Same(one.Settings, other.Settings);

    private static bool Same(IReadOnlyDictionary<string, string> one, IReadOnlyDictionary<string, string> other) =>
        one.Count == other.Count && one.All(p => other.TryGetValue(p.Key, out var value) && value == p.Value);
}

/// <summary>What to journal and, once it is, what to answer.</summary>
public sealed record CompanyDecision(IReadOnlyList<ICompanyEvent> Events, ICompanyReply Reply);
