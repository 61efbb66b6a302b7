using System.Globalization;
using Fleet.Backups;
using Fleet.Contracts.Storage;
using Fleet.Headquarters.Monitoring;

namespace Fleet.Headquarters.Backups;

/// <summary>
/// Makes backups by <c>fleet.backups</c>, on the oldest headquarters node, checks each, and takes away those that are too many or too old. What is due is told by
/// what lies in the folder: a backup that was missed is made up for, and who takes over goes on. Thread-safe.
/// </summary>
/// <param name="isMine">Whether this node does it.</param>
public sealed partial class ScheduledBackups(BackupOptions options, BackupMaker maker, Func<bool> isMine, HeadquartersMeter meter, TimeProvider clock, ILogger<ScheduledBackups> log) : IAsyncDisposable
{
    private const string Before = "fleet-";
    private const string Behind = ".backup";
    private const string Time = "yyyyMMdd-HHmmss";

    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(20);

    /// <summary>After one that failed.</summary>
    private static readonly TimeSpan AgainAfter = TimeSpan.FromMinutes(10);

    /// <summary>One that is not there so long after it was due is missed.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromHours(1);

    private readonly CancellationTokenSource _stopping = new();
    private readonly DateTimeOffset _began = clock.GetUtcNow();
    private Task _running = Task.CompletedTask;
    private DateTimeOffset _notBefore;
    private volatile string? _failure;

    public BackupOptions Options => options;

    public void Start()
    {
        if (options.AreMade)
            _running = Run();
    }

    /// <summary>What lies in the folder, the newest first.</summary>
    public IReadOnlyList<StoredBackup> Stored() => !options.AreMade || !Directory.Exists(options.Folder) ? []
        : [.. new DirectoryInfo(options.Folder).EnumerateFiles(Before + "*" + Behind).Select(Read).OfType<StoredBackup>().OrderByDescending(b => b.MadeAt)];

    /// <summary>When the next is made; null: none by itself.</summary>
    public DateTimeOffset? Next(IReadOnlyList<StoredBackup> stored) => !options.AreMade ? null : stored is [var newest, ..] ? options.DueAfter(newest.MadeAt) : _began;

    /// <summary>What is wrong; null: nothing.</summary>
    public string? Problem(IReadOnlyList<StoredBackup> stored) => _failure
        ?? (Next(stored) is { } due && clock.GetUtcNow() > due + Patience ? string.Create(CultureInfo.InvariantCulture, $"the backup that was due at {due:u} is not there; the log of the oldest headquarters node says why") : null);

    /// <summary>Makes one where one is due.</summary>
    /// <returns>Whether it made one.</returns>
    public async Task<bool> MakeDue(CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        if (!isMine())
        {
            meter.NewestBackup = null;
            return false;
        }

        try
        {
            var stored = Stored();
            meter.NewestBackup = stored is [var newest, ..] ? newest.MadeAt : _began;
            if (Next(stored) is not { } due || now < due || now < _notBefore)
                return false;
            var made = await Make(now, cancellation);
            meter.NewestBackup = now;
            TakeAway(now);
            _failure = null;
            LogMade(made);
            return true;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or BackupException or StorageException or System.Data.Common.DbException)
        {
            meter.BackupFailed();
            _notBefore = now + AgainAfter;
            _failure = $"the backup of {now.ToString("u", CultureInfo.InvariantCulture)} failed: {fault.Message}";
            LogFailed(options.Folder, fault.Message, AgainAfter);
            return false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _running;
        _stopping.Dispose();
    }

    private async Task Run()
    {
        using var timer = new PeriodicTimer(LookEvery, clock);
        try
        {
            do
                await Task.Run(() => MakeDue(_stopping.Token), _stopping.Token);
            while (await timer.WaitForNextTickAsync(_stopping.Token));
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
    }

    // Under its name it is there only when it is whole and was read again.
    private async Task<string> Make(DateTimeOffset now, CancellationToken cancellation)
    {
        Directory.CreateDirectory(options.Folder);
        var path = Path.Combine(options.Folder, $"{Before}{now.UtcDateTime.ToString(Time, CultureInfo.InvariantCulture)}{Behind}");
        var part = path + DurableFile.NewSuffix;
        try
        {
            var secret = options.PassphraseFile.Length > 0 ? BackupSeal.ReadPassphrase(options.PassphraseFile) : null;
            var access = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
                access.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            await using (var file = new FileStream(part, access))
            {
                if (await maker.Make(file, secret, options.WithContent, cancellation) is { } refusal)
                    throw new BackupException(refusal.Detail);
                file.Flush(flushToDisk: true);
            }

            using (var made = BackupReader.Open(part))
            {
                made.CheckPassphrase(secret);
                made.CheckWhole();
            }

            DurableFile.Move(part, path);
            return path;
        }
        finally
        {
            File.Delete(part);
        }
    }

    private void TakeAway(DateTimeOffset now)
    {
        foreach (var old in options.Surplus(Stored(), now).ToList())
            File.Delete(Path.Combine(options.Folder, old.Name));
    }

    // Other files are somebody's own.
    private static StoredBackup? Read(FileInfo file) =>
        DateTime.TryParseExact(file.Name[Before.Length..^Behind.Length], Time, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var made)
            ? new StoredBackup(file.Name, file.Length, new DateTimeOffset(made)) : null;

    [LoggerMessage(LogLevel.Information, "A backup was made by itself, and checked: {File}")]
    private partial void LogMade(string file);

    [LoggerMessage(LogLevel.Error, "The backup that was due can't be made in {Folder}: {Reason}. It is tried again after {Wait}")]
    private partial void LogFailed(string folder, string reason, TimeSpan wait);
}
