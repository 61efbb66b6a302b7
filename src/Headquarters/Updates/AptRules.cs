using Fleet.Contracts;
using Fleet.Headquarters.Company;
using Fleet.Messages.Company;

namespace Fleet.Headquarters.Updates;

/// <summary>What the company decides on APT repositories. Pure; whether a keyring has a key that may sign is found out before, because it takes its time.</summary>
internal static class AptRules
{
    /// <summary>All keyrings together: they travel in one message to each distribution point.</summary>
    public const int MostKeyringBytes = 64 * 1024;

    private const int MostRepositories = 50;
    private const int MostSuites = 50;
    private const int MostName = 63;
    private const int MostUrl = 500;
    private const int MostSuite = 100;

    public static CompanyDecision Decide(Company.Company company, PutAptRepository command, DateTimeOffset now)
    {
        var (repository, known) = (command.Repository, company.Updates.Apt);
        if (Problem(repository) is { } wrong)
            return Company.Company.Refuse(RefusalCode.Invalid, wrong);
        if (known.FirstOrDefault(r => r.Name == repository.Name) is { } before)
            return Same(before, repository) ? new CompanyDecision([], new CompanyAccepted()) : Put(known.Select(r => r.Name == repository.Name ? repository : r), "changed");
        if (known.Count >= MostRepositories)
            return Company.Company.Refuse(RefusalCode.Busy, $"there are {MostRepositories} APT repositories, the most that a company has; remove one first");
        return Put(known.Append(repository), "added");

        CompanyDecision Put(IEnumerable<AptRepository> repositories, string what)
        {
            var all = repositories.OrderBy(r => r.Name, StringComparer.Ordinal).ToList();
            return all.Sum(r => r.Keyring.Length) > MostKeyringBytes
                ? Company.Company.Refuse(RefusalCode.TooLarge, $"all keyrings together would have more than {MostKeyringBytes} bytes; give each repository the keys alone that sign it")
                : Changed(company, all, $"APT repository {repository.Name} {what}", command.By, now);
        }
    }

    public static CompanyDecision Decide(Company.Company company, RemoveAptRepository command, DateTimeOffset now) =>
        company.Updates.Apt.Any(r => r.Name == command.Name)
            ? Changed(company, [.. company.Updates.Apt.Where(r => r.Name != command.Name)], $"APT repository {command.Name} removed", command.By, now)
            : Company.Company.Refuse(RefusalCode.NotFound, $"there is no APT repository '{command.Name}'{NearMiss.Hint(command.Name, company.Updates.Apt.Select(r => r.Name))}");

    /// <summary>Why a repository can't be passed on; null: it can.</summary>
    public static string? Problem(AptRepository repository)
    {
        if (repository.Name.Length is 0 or > MostName || !repository.Name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-') || repository.Name.StartsWith('-'))
            return $"a name has 1 to {MostName} lower-case letters, digits and dashes, not '{repository.Name}': it is a part of the address that devices use";
        if (repository.Url.Length > MostUrl || !Uri.TryCreate(repository.Url, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https") || url.Host.Length == 0)
            return $"the URL must be http:// or https:// with a host, as in a line of sources.list, not '{repository.Url}'";
        if (url.UserInfo.Length > 0)
            return "the URL must not hold a user or a password: everybody who may list repositories would see them";
        if (url.Query.Length > 0 || url.Fragment.Length > 0)
            return "the URL must end with a path: files are asked for below it";
        if (repository.Suites.Count > MostSuites)
            return $"at most {MostSuites} suites are named; name none to pass on any";
        if (repository.Suites.FirstOrDefault(s => s.Length is 0 or > MostSuite || s.Any(c => char.IsControl(c) || c is ' ' or '\\') || s.Split('/').Contains("..")) is { } odd)
            return $"'{odd}' is no suite; it stands behind the URL in a line of sources.list, such as bookworm";
        return repository.Keyring.Length is 0 or > MostKeyringBytes ? $"a keyring has 1 to {MostKeyringBytes} bytes, not {repository.Keyring.Length}" : null;
    }

    private static CompanyDecision Changed(Company.Company company, IReadOnlyList<AptRepository> apt, string what, string by, DateTimeOffset now) =>
        company.Change(company.Updates with { Apt = apt }, what, by, now);

    // Record equality does not look inside collections.
    private static bool Same(AptRepository one, AptRepository other) => one.Url == other.Url && one.Keyring.Span.SequenceEqual(other.Keyring.Span) && one.Suites.SequenceEqual(other.Suites);
}
