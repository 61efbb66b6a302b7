using Cronos;
using Fleet.Contracts;
using Fleet.Headquarters.Company;
using Fleet.Messages.Company;

namespace Fleet.Headquarters.Updates;

/// <summary>What the company decides on the tasks that make distribution points download. Pure.</summary>
internal static class DownloadRules
{
    private const int MostTasks = 50;
    private const int MostSources = 10;
    private const int MostPatterns = 50;
    private const int MostText = 500;
    private const int MostLabels = 50;
    private const int MostLabelText = 128;
    private static readonly TimeSpan MostSpread = TimeSpan.FromDays(1);
    private static readonly IReadOnlyDictionary<string, string> NoLabels = new Dictionary<string, string>();

    /// <summary>All tasks together, in characters: they travel in one message to each distribution point.</summary>
    private const int MostCharacters = 32 * 1024;

    public static CompanyDecision Decide(Company.Company company, PutDownloadTask command, DateTimeOffset now)
    {
        var (task, known) = (command.Task, company.Updates.Tasks);
        if (Problem(task) is { } wrong)
            return Company.Company.Refuse(RefusalCode.Invalid, wrong);
        if (task.Offices.FirstOrDefault(o => !company.Offices.ContainsKey(o.Value)) is { Value: not null } unknown)
            return Company.Company.Refuse(RefusalCode.NotFound, $"the task names office {unknown}, which does not exist");
        var before = known.FirstOrDefault(t => t.Name == task.Name);
        // Who only changes when it runs need not know the password.
        task = task with { Sources = [.. task.Sources.Select(s => s.Password.IsEmpty && s.User.Length > 0 && before?.Sources.FirstOrDefault(b => Apart(b) == Apart(s)) is { } same ? s with { Password = same.Password } : s)] };
        task = task with { RunNumber = before?.RunNumber ?? 0, CancelNumber = before?.CancelNumber ?? 0, Paused = before?.Paused ?? false };
        if (before is not null && Same(before, task))
            return Nothing;
        if (before is null && known.Count >= MostTasks)
            return Company.Company.Refuse(RefusalCode.Busy, $"there are {MostTasks} download tasks, the most that a company has; remove one first");
        var all = known.Where(t => t.Name != task.Name).Append(task).ToList();
        return all.Sum(Length) > MostCharacters
            ? Company.Company.Refuse(RefusalCode.TooLarge, $"all download tasks together would have more than {MostCharacters} characters; name fewer offices, or pick them by label")
            : Changed(company, all, $"download task {task.Name} {(before is null ? "added" : "changed")}", command.By, now);
    }

    public static CompanyDecision Decide(Company.Company company, RemoveDownloadTask command, DateTimeOffset now) => With(company, command.Name, known =>
        Changed(company, company.Updates.Tasks.Where(t => t != known), $"download task {known.Name} removed", command.By, now));

    public static CompanyDecision Decide(Company.Company company, RunDownloadTask command, DateTimeOffset now) => With(company, command.Name, known => known.Paused
        ? Company.Company.Refuse(RefusalCode.Invalid, $"download task {known.Name} is paused; resume it first")
        : Changed(company, known with { RunNumber = company.Updates.Version + 1 }, "told to run", command.By, now));

    public static CompanyDecision Decide(Company.Company company, CancelDownloadTask command, DateTimeOffset now) => With(company, command.Name, known =>
        Changed(company, known with { CancelNumber = company.Updates.Version + 1 }, "cancelled", command.By, now));

    public static CompanyDecision Decide(Company.Company company, PauseDownloadTask command, DateTimeOffset now) => With(company, command.Name, known => known.Paused == command.Paused
        ? Nothing
        : Changed(company, known with { Paused = command.Paused }, command.Paused ? "paused" : "resumed", command.By, now));

    /// <summary>Why a task can't be run; null: it can.</summary>
    public static string? Problem(DownloadTask task)
    {
        if (IdText.Problem(task.Name) is { } misnamed)
            return $"task: {misnamed}";
        if (task.Sources.Count is 0 or > MostSources)
            return $"a task has 1 to {MostSources} sources, tried in order: headquarters, the URL of a copy of its repository, or a folder with one";
        if (task.Sources.Select(Problem).FirstOrDefault(p => p is not null) is { } source)
            return source;
        if (task.Patterns.Count > MostPatterns)
            return $"a task has at most {MostPatterns} patterns of what is mirrored";
        if (task.Patterns.FirstOrDefault(p => p.Length is 0 or > MostText || !p.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '*' or '?')) is { } odd)
            return $"'{odd}' picks no package: a pattern is the name of one, with * and ? for what may be anything";
        if (task.Labels is { } labels && (labels.Count > MostLabels || labels.Any(l => l.Key.Length is 0 or > MostLabelText || l.Value is null || l.Value.Length > MostLabelText)))
            return $"a task picks distribution points by at most {MostLabels} labels, KEY=VALUE, and a key and a value have at most {MostLabelText} characters";
        if (task.Schedule.Length > MostText || (task.Schedule is not ("" or DownloadTask.OnChange) && !CronExpression.TryParse(task.Schedule, out _)))
            return $"'{task.Schedule}' is no schedule: a cron expression of five fields such as '0 2 * * *', or {DownloadTask.OnChange}";
        if (task.TimeZone.Length is 0 or > MostText || !TimeZoneInfo.TryFindSystemTimeZoneById(task.TimeZone, out var zone) || !zone.HasIanaId)
            return $"'{task.TimeZone}' is no time zone of the IANA database, such as Europe/London or UTC";
        if (task.Spread < TimeSpan.Zero || task.Spread > MostSpread)
            return "a task is spread over at most a day";
        if (task.Budget.FirstOrDefault(b => b.From is < 0 or > 23 || b.BytesPerSecond < 0) is { } impossible)
            return $"the uplink can't have {impossible.BytesPerSecond} bytes a second from hour {impossible.From} on: hours are 0 to 23, and 0 bytes a second is no limit";
        return task.Budget.DistinctBy(b => b.From).Count() < task.Budget.Count ? "the uplink has two limits from the same hour on" : null;
    }

    /// <summary>Whether a distribution point runs a task.</summary>
    /// <param name="labels">Of the node's own device.</param>
    public static bool IsFor(DownloadTask task, OfficeId office, IReadOnlyDictionary<string, string> labels) =>
        (task.Offices.Count == 0 || task.Offices.Contains(office)) && (task.Labels ?? NoLabels).All(l => labels.TryGetValue(l.Key, out var value) && value == l.Value);

    /// <summary>Whether a task is what somebody asked for; when it ran and whether it is paused was not his to say.</summary>
    public static bool Says(DownloadTask task, DownloadTask asked) => Same(
        task with { RunNumber = asked.RunNumber, CancelNumber = asked.CancelNumber, Paused = asked.Paused, Sources = [.. task.Sources.Select(Apart)] }, asked with { Sources = [.. asked.Sources.Select(Apart)] });

    private static CompanyDecision Nothing => new([], new CompanyAccepted());

    // But for its password: whether one was kept is in no answer, and each sealing is another.
    private static UpdateSource Apart(UpdateSource source) => source with { Password = default };

    private static string? Problem(UpdateSource source) => source.Kind switch
    {
        not UpdateSourceKind.Vendor when source.Proxy.Length + source.User.Length + source.Password.Length + source.Pin.Length > 0 => "proxy, user, password and pin are for sources with a URL",
        _ when source.Location.Length > MostText => $"a source has at most {MostText} characters",
        UpdateSourceKind.Headquarters => source.Location.Length == 0 ? null : "headquarters is one place",
        UpdateSourceKind.Folder => IsAbsolute(source.Location) ? null : $"the folder '{source.Location}' must be a whole path, on the node that reads it",
        UpdateSourceKind.Vendor => UrlProblem(source),
        _ => $"there is no source of kind {(int)source.Kind}",
    };

    private static string? UrlProblem(UpdateSource source)
    {
        if (!Uri.TryCreate(source.Location, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https") || url.Host.Length == 0)
            return $"'{source.Location}' is no source: headquarters, a URL that begins with https:// or http://, or the whole path of a folder";
        if (url.UserInfo.Length > 0)
            return "a source's URL must not hold a user or a password: everybody who may list tasks would see them";
        if (url.Query.Length > 0 || url.Fragment.Length > 0)
            return "a source's URL must end with a path: files are asked for below it";
        if (url.Scheme == "http" && source.User.Length + source.Pin.Length > 0)
            return $"'{source.Location}' must begin with https:// where a user is named or a key is pinned";
        if (source.User.Length > MostText || source.User.Any(c => char.IsControl(c) || c == ':') || (source.User.Length == 0 && !source.Password.IsEmpty))
            return "a source's user is a name without ':', and a password needs one";
        if (source.Pin.Length > 0 && (source.Pin.Length != 64 || !source.Pin.All(char.IsAsciiHexDigitLower)))
            return "a pin is the SHA-256 of the server's public key, 64 lower-case hexadecimal digits";
        return source.Proxy.Length > 0 && (source.Proxy.Length > MostText || !Uri.TryCreate(source.Proxy, UriKind.Absolute, out var proxy) || proxy.Scheme != "http" || proxy.UserInfo.Length > 0)
            ? $"'{source.Proxy}' is no proxy: http://HOST:PORT, without a user"
            : null;
    }

    // The node that reads it may run on Windows.
    private static bool IsAbsolute(string path) =>
        !path.Any(char.IsControl) && (path.StartsWith('/') || path.StartsWith(@"\\", StringComparison.Ordinal) || (path is [var drive, ':', '\\' or '/', ..] && char.IsAsciiLetter(drive)));

    private static CompanyDecision With(Company.Company company, string name, Func<DownloadTask, CompanyDecision> decide) =>
        company.Updates.Tasks.FirstOrDefault(t => t.Name == name) is { } known
            ? decide(known)
            : Company.Company.Refuse(RefusalCode.NotFound, $"there is no download task '{name}'{NearMiss.Hint(name, company.Updates.Tasks.Select(t => t.Name))}");

    private static CompanyDecision Changed(Company.Company company, DownloadTask task, string what, string by, DateTimeOffset now) =>
        Changed(company, company.Updates.Tasks.Select(t => t.Name == task.Name ? task : t), $"download task {task.Name} {what}", by, now);

    private static CompanyDecision Changed(Company.Company company, IEnumerable<DownloadTask> tasks, string what, string by, DateTimeOffset now) =>
        company.Change(company.Updates with { Tasks = [.. tasks.OrderBy(t => t.Name, StringComparer.Ordinal)] }, what, by, now);

    private static int Length(DownloadTask task) =>
        task.Offices.Sum(o => o.Value.Length) + (task.Labels ?? NoLabels).Sum(l => l.Key.Length + l.Value.Length) + task.Sources.Sum(s => s.Location.Length + s.Proxy.Length + s.User.Length + s.Password.Length + s.Pin.Length) + task.Patterns.Sum(p => p.Length) + task.Name.Length + task.Schedule.Length + task.TimeZone.Length;

    // Record equality does not look inside collections.
    private static bool Same(DownloadTask one, DownloadTask other) =>
        one with { Offices = other.Offices, Labels = other.Labels, Sources = other.Sources, Patterns = other.Patterns, Budget = other.Budget } == other
        && one.Offices.SequenceEqual(other.Offices) && (one.Labels ?? NoLabels).ToHashSet().SetEquals(other.Labels ?? NoLabels) && one.Sources.SequenceEqual(other.Sources) && one.Patterns.SequenceEqual(other.Patterns) && one.Budget.SequenceEqual(other.Budget);
}
