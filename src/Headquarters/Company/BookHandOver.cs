using Fleet.Contracts;
using Fleet.Messages.Offices;

namespace Fleet.Headquarters.Company;

/// <summary>
/// Hands the company's books to its offices, to some at a time and to the next as each has them: after a start or a change the twin that somebody waits for is
/// not behind a thousand others. Who does not answer is asked again and holds nobody up. On the company's thread.
/// </summary>
/// <param name="offices">Takes what is said to an office.</param>
internal sealed class BookHandOver(Action<IOfficeCommand> offices)
{
    /// <summary>Enough to keep the processors of a small machine at it.</summary>
    private const int AtOnce = 20;

    private readonly Dictionary<OfficeId, Adopted> _adopted = [];
    private readonly Dictionary<OfficeId, long> _askedAt = [];
    private readonly HashSet<OfficeId> _open = [];
    private Queue<OfficeId> _waiting = [];
    private long _tick;

    /// <summary>The time that an answer may take is over.</summary>
    public void Tick(Company company)
    {
        _tick++;
        _open.Clear();
        Review(company);
    }

    /// <summary>The company's books changed.</summary>
    public void Review(Company company)
    {
        _waiting = new Queue<OfficeId>(company.Offices.Values.Where(o => !_open.Contains(o.OfficeId) && IsBehind(company, o.OfficeId))
            .OrderBy(o => _askedAt.GetValueOrDefault(o.OfficeId)).Select(o => o.OfficeId));
        Next(company);
    }

    /// <summary>An office is new: it is told before anything else is said to it.</summary>
    public void Begin(Company company, OfficeId office) => Hand(company, office);

    public void Forget(OfficeId office)
    {
        _adopted.Remove(office);
        _askedAt.Remove(office);
        _open.Remove(office);
    }

    /// <summary>The office has a book of at least this version.</summary>
    public void HasPolicies(Company company, OfficeId office, ulong version) => Has(company, office, Of(office) with { Policies = version });

    /// <inheritdoc cref="HasPolicies"/>
    public void HasRules(Company company, OfficeId office, ulong version) => Has(company, office, Of(office) with { Rules = version });

    /// <inheritdoc cref="HasPolicies"/>
    public void HasUpdates(Company company, OfficeId office, ulong version) => Has(company, office, Of(office) with { Updates = version });

    /// <summary>The office does not take them now.</summary>
    public void Refused(Company company, OfficeId office)
    {
        if (_open.Remove(office))
            Next(company);
    }

    private void Has(Company company, OfficeId office, Adopted adopted)
    {
        _adopted[office] = adopted;
        if (!IsBehind(company, office) && _open.Remove(office))
            Next(company);
    }

    private void Next(Company company)
    {
        while (_open.Count < AtOnce && _waiting.TryDequeue(out var office))
            if (company.Offices.ContainsKey(office.Value) && IsBehind(company, office))
                Hand(company, office);
    }

    private void Hand(Company company, OfficeId id)
    {
        var (office, adopted) = (company.Offices[id.Value], Of(id));
        _open.Add(id);
        _askedAt[id] = _tick;
        if (!(adopted.Policies >= company.Book.Version))
        {
            offices(new OpenOffice(id, office.Title, office.By));
            offices(new AdoptPolicyBook(id, company.Book));
        }

        if (!(adopted.Rules >= company.Rules.Version))
            offices(new AdoptRuleBook(id, company.Rules));
        if (!(adopted.Updates >= company.Updates.Version))
            offices(new AdoptUpdateBook(id, company.Updates));
    }

    private bool IsBehind(Company company, OfficeId office) =>
        !(Of(office) is var has && has.Policies >= company.Book.Version && has.Rules >= company.Rules.Version && has.Updates >= company.Updates.Version);

    private Adopted Of(OfficeId office) => _adopted.GetValueOrDefault(office, new Adopted(null, null, null));

    /// <summary>Versions of the books that the office is known to have; null: not known.</summary>
    private sealed record Adopted(ulong? Policies, ulong? Rules, ulong? Updates);
}
