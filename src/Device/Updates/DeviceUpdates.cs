using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Contracts.Storage;
using Fleet.Device.Installs;
using Fleet.Device.Settings;
using Fleet.Device.Storage;
using Fleet.Device.Sync;
using Fleet.Updates.Content;
using Fleet.Updates.Packages;
using Fleet.Updates.Tuf;
using Fleet.Updates.Tuf.Client;
using Google.Protobuf;
using Microsoft.Extensions.Logging;

namespace Fleet.Device.Updates;

/// <summary>
/// Brings and installs the packages that headquarters wants, one after another, and tells how they stand. Runs beside the device's rounds; a new object on
/// the same storage and directory is a restart, and goes on where the last one was cut.
/// </summary>
public sealed partial class DeviceUpdates : IDisposable
{
    /// <summary>Devices whose window opens at one moment do not all ask at that moment.</summary>
    private static readonly TimeSpan WindowSpread = TimeSpan.FromMinutes(1);

    /// <summary>No timer waits longer; it only looks again.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);

    private readonly DeviceRuntime _device;
    private readonly IDeviceStorage _storage;
    private readonly string _directory;
    private readonly DeviceOptions _options;
    private readonly TimeProvider _clock;
    private readonly ILogger _log;
    private readonly Random _random;
    private readonly IPrograms _programs;
    private readonly AgentSlot? _own;
    private readonly TaskCompletionSource _synced = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly UpdateSources _sources;
    private readonly SourceIncidents _incidents;
    private readonly Backoff _backoff;
    private readonly SemaphoreSlim _poke = new(0, 1);
    private readonly Dictionary<string, Due> _due = [];
    private Tools? _tools;
    private Bringing? _bringing;
    private UpdateState _state;

    /// <param name="storage">The device's.</param>
    /// <param name="directory">For what is no small file: signed metadata, content on its way, and packages where the settings name no other folder for them.</param>
    /// <param name="dial">The network of the distribution points and of headquarters.</param>
    /// <param name="own">Where the agent's own program is updated; null: it is a part of another, which is not.</param>
    /// <exception cref="StorageException">The device's files are damaged.</exception>
    public DeviceUpdates(
        DeviceRuntime device, IDeviceStorage storage, string directory, ByteDialler dial, DeviceOptions options, TimeProvider clock, ILogger log, AgentSlot? own = null, Random? random = null)
        : this(device, storage, directory, dial, options, clock, log, own, random, new Programs(clock))
    {
    }

    internal DeviceUpdates(
        DeviceRuntime device, IDeviceStorage storage, string directory, ByteDialler dial, DeviceOptions options, TimeProvider clock, ILogger log, AgentSlot? own, Random? random,
        IPrograms programs)
    {
        (_device, _storage, _directory, _options, _clock, _log, _own, _programs) = (device, storage, directory, options, clock, log, own, programs);
        _random = random ?? Random.Shared;
        _sources = new UpdateSources(dial, options, clock, _random);
        _incidents = new SourceIncidents(device.RecordHourly, clock);
        _backoff = new Backoff(options.Updates.FirstRetry);
        _state = UpdateState.Load(storage);
        // The first round may be over before this runs.
        device.RoundEnded += Look;
        // Before the device's first report: it must not look as if nothing were installed.
        Tell();
    }

    /// <summary>How the packages stand; immutable, so it may be read from any thread.</summary>
    public UpdateState State => _state;

    /// <summary>The folder of all packages of kind archive.</summary>
    /// <param name="directory">The data directory.</param>
    public static string PackagesIn(string directory, UpdateOptions options) => options.Packages is { Length: > 0 } named ? named : Path.Combine(directory, "packages");

    /// <summary>The folder of what is trusted of vendors, a folder each.</summary>
    /// <param name="directory">The data directory.</param>
    private static string VendorsIn(string directory) => Path.Combine(directory, "updates", "vendors");

    /// <summary>Makes a device forget a vendor: the next first root that headquarters names under that name counts. Nothing may run on the directory.</summary>
    /// <param name="directory">The data directory.</param>
    /// <returns>False: it holds on to no such vendor.</returns>
    /// <exception cref="StorageException">The device's files are damaged, or can't be written.</exception>
    public static bool Forget(string vendor, IDeviceStorage storage, string directory)
    {
        var state = UpdateState.Load(storage);
        if (state.Vendors.FirstOrDefault(v => v.Name == vendor) is not { } pinned)
            return false;
        (state with { Vendors = [.. state.Vendors.Where(v => v != pinned)] }).Save(storage);
        if (Path.Combine(VendorsIn(directory), pinned.FolderName) is var folder && Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
        return true;
    }

    /// <summary>Runs until cancelled. Never throws for what passes.</summary>
    /// <exception cref="RestartException">Another version of the agent's own program has to take over.</exception>
    public async Task Run(CancellationToken cancellation)
    {
        _device.Changed += Poke;
        try
        {
            await EndProbation(cancellation).ConfigureAwait(false);
            while (true)
            {
                var wait = await Turn(cancellation).ConfigureAwait(false);
                using var timer = _clock.CreateTimer(_ => Release(), state: null, wait < LongestWait ? wait : LongestWait, Timeout.InfiniteTimeSpan);
                await _poke.WaitAsync(cancellation).ConfigureAwait(false);
            }
        }
        finally
        {
            _device.Changed -= Poke;
        }
    }

    public void Dispose()
    {
        _device.RoundEnded -= Look;
        _tools?.Bringer.Dispose();
        _sources.Dispose();
        _poke.Dispose();
    }

    /// <summary>Headquarters may want something else: what is just being brought and not wanted any more is broken off.</summary>
    private void Poke()
    {
        if (Volatile.Read(ref _bringing) is { } bringing && !IsWanted(bringing.Wanted))
            bringing.BreakOff();
        Release();
    }

    private void Release()
    {
        lock (_poke)
            if (_poke.CurrentCount == 0)
                _poke.Release();
    }

    // A gateway that can't get through to headquarters is not this program's fault.
    private void Look(RoundEnd end)
    {
        if (end is RoundEnd.Done or RoundEnd.Held)
            _synced.TrySetResult();
    }

    /// <summary>A new version of the agent itself does nothing else before it has shown that it syncs.</summary>
    private async Task EndProbation(CancellationToken cancellation)
    {
        if (_own is not { IsOnProbation: true, IsPassedOver: false })
            return;
        string? why = null;
        try
        {
            await _synced.Task.WaitAsync(_options.Updates.Probation, _clock, cancellation).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            why = $"it did not sync within {DurationText.Of(_options.Updates.Probation)}";
        }

        while (!Conclude(why))
            await Task.Delay(_options.Updates.FirstRetry, _clock, cancellation).ConfigureAwait(false);
        if (why is not null)
            throw new RestartException($"the agent's version {_own.Runs} is given up: {why}");
    }

    private bool Conclude(string? why)
    {
        try
        {
            _own!.Conclude(why);
            return true;
        }
        catch (Exception fault) when (fault is StorageException or IOException or UnauthorizedAccessException)
        {
            LogStorage(fault.Message);
            return false;
        }
    }

    /// <summary>Takes each package as far as it goes now, and returns when to look again.</summary>
    private async Task<TimeSpan> Turn(CancellationToken cancellation)
    {
        try
        {
            foreach (var cut in _state.Packages.Where(p => p.Begun))
                Keep(await OpenTools().Installer.Settle(cut, cancellation).ConfigureAwait(false));
            if (_device.State.Desired is not { } desired)
                return LongestWait;
            var heard = _state.Take(desired, _clock.GetUtcNow(), out var notes);
            // To be told twice is better than not to.
            foreach (var note in notes)
                _device.RecordHourly(note);
            Keep(heard);
            if (_tools is null && !_state.Packages.Any(p => p.IsOpen))
                return LongestWait;
            var tools = OpenTools();
            tools.Bringer.Collect(Open());
            Catalogue? catalogue = null;
            var vendors = new VendorCheck(_state.Vendors, CatalogueOf, _options.Updates.RequireVendor);
            foreach (var package in _state.Packages.Where(p => p.IsOpen && DueIn(p) <= TimeSpan.Zero))
                await Work(package, tools, () => catalogue ??= NewCatalogue(), vendors, cancellation).ConfigureAwait(false);
            tools.Bringer.Collect(Open());
            return _state.Packages.Where(p => p.IsOpen).Select(DueIn).DefaultIfEmpty(LongestWait).Min() is var next && next > TimeSpan.Zero ? next : TimeSpan.Zero;
        }
        catch (Exception fault) when (fault is StorageException or IOException or UnauthorizedAccessException)
        {
            LogStorage(fault.Message);
            return _options.Updates.FirstRetry;
        }
    }

    /// <remarks>What headquarters wants may change meanwhile; then the next turn, which is due at once, begins with that.</remarks>
    private async Task Work(PackageState package, Tools tools, Func<Catalogue> catalogue, VendorCheck vendors, CancellationToken cancellation)
    {
        var wanted = package.Wanted!;
        if (!IsWanted(wanted))
            return;
        if (PackageParameters.Read(wanted, _options.Updates, out var problem) is not { } parameters)
        {
            Keep(package.Failed(problem, _clock.GetUtcNow()));
            return;
        }

        try
        {
            // What was begun had been verified before; it is finished wherever the sources are.
            var manifest = package.Step == PackageStep.Installing ? tools.Bringer.Here(wanted) : null;
            if (manifest is null)
            {
                package = package.Step == PackageStep.Installing ? package.At(PackageStep.Fetching, "", _clock.GetUtcNow()) : package;
                manifest = await Bring(wanted, tools, catalogue, vendors, cancellation).ConfigureAwait(false);
                if (manifest is null || !IsWanted(wanted))
                    return;
                if (OpensAt(parameters.Window) is { } opens)
                {
                    Keep(package.At(PackageStep.Waiting, $"for its maintenance window, which opens {opens:yyyy-MM-dd HH:mm zzz}", _clock.GetUtcNow()) with { Attempts = 0 });
                    _due[package.Name] = new Due(wanted, opens + (WindowSpread * _random.NextDouble()));
                    return;
                }
            }

            Keep(await tools.Installer.Install(package, manifest, parameters, cancellation).ConfigureAwait(false));
        }
        catch (Exception fault) when (fault is NotBroughtException or StorageException or IOException or UnauthorizedAccessException)
        {
            var later = package.NotBrought(fault.Message, _clock.GetUtcNow());
            _due[package.Name] = new Due(wanted, _clock.GetUtcNow() + _backoff.AfterFailures(later.Attempts, _options.Updates.LongestRetry, TimeSpan.Zero, _random));
            LogLater(package.Name, wanted.Version, fault.Message);
            Keep(later);
        }
    }

    /// <returns>Null: headquarters wants something else meanwhile.</returns>
    private async Task<PackageManifest?> Bring(WantedPackage wanted, Tools tools, Func<Catalogue> catalogue, VendorCheck vendors, CancellationToken cancellation)
    {
        using var bringing = new Bringing(wanted, cancellation);
        Volatile.Write(ref _bringing, bringing);
        try
        {
            var installed = Path.Combine(PackagesIn(_directory, _options.Updates), wanted.Name, "current");
            return await tools.Bringer.Bring(wanted, installed, catalogue(), vendors, () => InOrder(content: true), bringing.Stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return null;
        }
        finally
        {
            Volatile.Write(ref _bringing, null);
        }
    }

    private Catalogue NewCatalogue()
    {
        if (_state.Root.IsEmpty)
            throw new NotBroughtException("headquarters named no root of its repository yet");
        var now = _clock.GetUtcNow() + _device.State.ClockBehind;
        var store = new MetadataDirectory(Path.Combine(_directory, "updates", "metadata"));
        try
        {
            TufClient.Begin(store, _state.Root.ToByteArray(), now);
        }
        catch (TufException fault)
        {
            // Nothing was trusted with it yet, so the next one may be.
            Keep(_state with { Root = ByteString.Empty });
            throw new NotBroughtException($"the root of the repository that headquarters named can't be used: {fault.Message}");
        }

        return new Catalogue(InOrder(content: false), vendor: null, store, now, _device.State.UpdateTimestamp, _sources.Order, _incidents, _clock, _random);
    }

    private Catalogue CatalogueOf(PinnedVendor vendor)
    {
        // Whoever captures headquarters must not make a vendor's old lists valid by telling an old time.
        var now = _clock.GetUtcNow() + (_device.State.ClockBehind > TimeSpan.Zero ? _device.State.ClockBehind : TimeSpan.Zero);
        var store = new MetadataDirectory(Path.Combine(VendorsIn(_directory), vendor.FolderName));
        try
        {
            TufClient.Begin(store, vendor.Root.ToByteArray(), now);
        }
        catch (TufException fault)
        {
            throw new NotBroughtException($"the root of vendor {vendor.Name} that headquarters named can't be used: {fault.Message}");
        }

        return new Catalogue(InOrder(content: false), vendor, store, now, floor: 0, _sources.Order, _incidents, _clock, _random);
    }

    private IReadOnlyList<UpdateSource> InOrder(bool content)
    {
        var (identity, desired) = (_device.Identity, _device.State.Desired!);
        var office = desired.OfficeId.Length > 0 ? new OfficeId(desired.OfficeId) : identity.Office;
        return _sources.InOrder(UpdateAddress.Plan(identity, desired, _device.GatewayOnly), identity, office, content);
    }

    private bool IsWanted(WantedPackage package) => _device.State.Desired?.Packages.Contains(package) == true;

    private DateTimeOffset? OpensAt(MaintenanceWindow? window)
    {
        var local = TimeZoneInfo.ConvertTime(_clock.GetUtcNow(), _clock.LocalTimeZone).DateTime;
        if (window is null || window.IsOpen(local))
            return null;
        var opens = window.OpensAfter(local);
        return new DateTimeOffset(opens, _clock.LocalTimeZone.GetUtcOffset(opens));
    }

    private TimeSpan DueIn(PackageState package) =>
        _due.TryGetValue(package.Name, out var due) && due.Wanted.Equals(package.Wanted) ? due.At - _clock.GetUtcNow() : TimeSpan.Zero;

    private IEnumerable<WantedPackage> Open() => _state.Packages.Where(p => p.IsOpen && PackageParameters.Read(p.Wanted!, _options.Updates, out _) is not null).Select(p => p.Wanted!);

    // A device that is never sent a package has no folders for them.
    private Tools OpenTools()
    {
        if (_tools is not null)
            return _tools;
        var updates = Path.Combine(_directory, "updates");
        var content = new BlobStore(Path.Combine(updates, "content"), new BlobStoreOptions(_options.Updates.Quota, _options.Updates.MinFree, BlobStoreOptions.Default.PartsKept), _clock);
        return _tools = new Tools(
            new PackageBringer(content, _options.Updates.DeltaMaxFile, _sources.Order, _incidents, _clock, _log),
            new PackageInstaller(PackagesIn(_directory, _options.Updates), Path.Combine(updates, "unpacked"), content, _programs, _own, Keep, _clock));
    }

    private void Keep(PackageState changed)
    {
        var before = _state.Packages.First(p => p.Name == changed.Name);
        Keep(_state.With(changed));
        if (before.Step == changed.Step)
            return;
        LogStep(changed.Name, changed.Wanted!.Version, changed.Step, changed.Detail);
        if (changed.Step is PackageStep.Installed or PackageStep.Failed or PackageStep.RolledBack)
            _device.Record(new Note($"package-{Word(changed.Step)}", $"{changed.Name} {changed.Wanted.Version}{(changed.Detail.Length > 0 ? $": {changed.Detail}" : "")}"));
    }

    private void Keep(UpdateState state)
    {
        if (state == _state)
            return;
        state.Save(_storage);
        _state = state;
        Tell();
    }

    private void Tell() => _device.Tell([.. _state.Packages.Select(p => p.ToStatus())]);

    private static string Word(PackageStep step) => step switch
    {
        PackageStep.Installed => "installed",
        PackageStep.RolledBack => "rolled-back",
        _ => "failed",
    };

    private sealed record Tools(PackageBringer Bringer, PackageInstaller Installer);

    /// <param name="Wanted">For this it was set; another wish is due at once.</param>
    private sealed record Due(WantedPackage Wanted, DateTimeOffset At);

    private sealed class Bringing(WantedPackage wanted, CancellationToken cancellation) : IDisposable
    {
        private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);

        public WantedPackage Wanted => wanted;

        public CancellationToken Stop => _stop.Token;

        public void BreakOff()
        {
            lock (_stop)
                if (!_over)
                    _stop.Cancel();
        }

        public void Dispose()
        {
            lock (_stop)
                _over = true;
            _stop.Dispose();
        }

        private bool _over;
    }

    [LoggerMessage(LogLevel.Information, "package {Package} {Version}: {Step} {Detail}")]
    private partial void LogStep(string package, string version, PackageStep step, string detail);

    [LoggerMessage(LogLevel.Warning, "package {Package} {Version} can't be brought now: {Why}")]
    private partial void LogLater(string package, string version, string why);

    [LoggerMessage(LogLevel.Error, "packages can't be looked after; trying again later: {Why}")]
    private partial void LogStorage(string why);
}
