using Akka.Configuration;
using Cronos;
using Fleet.Backups;
using Fleet.Messages.Settings;

namespace Fleet.Headquarters.Backups;

/// <summary>Block <c>fleet.backups</c>: backups that headquarters makes by itself.</summary>
/// <param name="Folder">Where they lie; empty: it makes none.</param>
/// <param name="Schedule">When, in <paramref name="Zone"/>.</param>
/// <param name="PassphraseFile">Read at each backup; empty: they are not encrypted.</param>
/// <param name="WithContent">With the files of packages.</param>
/// <param name="Count">More than these go, the oldest first.</param>
/// <param name="Age">What is older goes; the newest never does.</param>
public sealed record BackupOptions(string Folder, CronExpression Schedule, TimeZoneInfo Zone, string PassphraseFile, bool WithContent, int Count, TimeSpan Age)
{
    public bool AreMade => Folder.Length > 0;

    public static BackupOptions From(Config fleet, Problems problems)
    {
        var (folder, passphrase, plain) = (problems.Optional(fleet, "backups.folder"), problems.Optional(fleet, "backups.passphrase-file"), problems.Switch(fleet, "backups.plain"));
        var (schedule, zone) = (problems.Text(fleet, "backups.schedule"), problems.Text(fleet, "backups.time-zone"));
        if (!CronExpression.TryParse(schedule, out var cron) && !problems.Told("backups.schedule"))
            problems.Add("fleet.backups.schedule", $"must be five fields of cron, such as \"0 2 * * *\", not '{schedule}'");
        if (!TimeZoneInfo.TryFindSystemTimeZoneById(zone, out var place) && !problems.Told("backups.time-zone"))
            problems.Add("fleet.backups.time-zone", $"is not known on this machine: '{zone}'");
        if (folder.Length > 0 && passphrase.Length > 0 == plain)
            problems.Add("fleet.backups.passphrase-file", "names a file with a passphrase, which encrypts backups, or fleet.backups.plain is on: they hold headquarters' private keys");
        if (folder.Length > 0 && passphrase.Length > 0 && PassphraseProblem(passphrase) is { } problem)
            problems.Add("fleet.backups.passphrase-file", problem);
        return new BackupOptions(
            folder, cron ?? CronExpression.Daily, place ?? TimeZoneInfo.Utc, passphrase, problems.Switch(fleet, "backups.with-content"),
            problems.Number(fleet, "backups.count", 1, 100_000), problems.Positive(fleet, "backups.age"));
    }

    /// <summary>When the backup behind one that was made then is due.</summary>
    public DateTimeOffset? DueAfter(DateTimeOffset made) => Schedule.GetNextOccurrence(made, Zone);

    /// <summary>Those that are too many or too old. The newest is never among them.</summary>
    public IEnumerable<StoredBackup> Surplus(IEnumerable<StoredBackup> stored, DateTimeOffset now) =>
        stored.OrderByDescending(b => b.MadeAt).Select((backup, place) => (backup, place)).Where(b => b.place > 0 && (b.place >= Count || b.backup.MadeAt < now - Age)).Select(b => b.backup);

    private static string? PassphraseProblem(string file)
    {
        try
        {
            return BackupSeal.ReadPassphrase(file).Length < BackupSeal.LeastPassphrase ? $"holds fewer than {BackupSeal.LeastPassphrase} characters" : null;
        }
        catch (BackupException wrong)
        {
            return wrong.Message;
        }
    }
}

/// <summary>A backup that headquarters made by itself.</summary>
/// <param name="Name">Of the file, in the folder.</param>
public sealed record StoredBackup(string Name, long Length, DateTimeOffset MadeAt);
