using System.Diagnostics;
using System.Globalization;
using Fleet.Contracts;
using Fleet.Headquarters.ReadModel;
using Fleet.Headquarters.Storage;
using Fleet.Messages.Transport;
using Fleet.NatLab.Fleets;
using Fleet.NatLab.Kernel;
using Fleet.NatLab.Topologies;
using Fleet.Swarm;
using Fleet.TestSupport;

namespace Fleet.Bench;

/// <summary>
/// Lists of a large fleet, asked of the published headquarters by its API as console and command line ask, one after the other, while devices report and are seen.
/// The read model is filled and changed by another process, as another headquarters node does it.
/// </summary>
internal static class Lists
{
    /// <summary>Thirty times what a fleet of 100,000 of which one in a hundred changes a minute reports.</summary>
    private const int ChangesPerSecond = 500;

    private const int ChangedTogether = 50;

    /// <summary>Requests of each kind: so many, or what fits into the time, but never fewer than the least.</summary>
    private const int Most = 100;

    private const int Least = 10;
    private const int WarmUp = 3;
    private static readonly TimeSpan TimeEach = TimeSpan.FromSeconds(8);

    public static Benchmark Benchmark { get; } = new("lists", "list queries over 100,000 devices in 1,000 offices while rows change, on SQLite and PostgreSQL", Run, []);

    /// <summary>What is asked; the number makes one of a kind differ from the next.</summary>
    private static IReadOnlyList<(string Name, Func<int, MadeUpReadModel, string> Path)> Queries { get; } =
    [
        ("devices, by name", (_, _) => "devices"),
        ("devices, by name, descending", (_, _) => "devices?sort=-name"),
        ("devices, 500 a page", (n, _) => $"devices?page-size=500&after={n * 500}"),
        ("devices, page in the middle", (n, m) => $"devices?after={(m.Devices / 2) + (n * 50)}"),
        ("devices, last page", (n, m) => $"devices?after={m.Devices - 50 - n}"),
        ("devices of an office", (n, m) => $"devices?office={MadeUpReadModel.Office(n * 7 % m.Offices)}"),
        ("devices, by office", (_, _) => "devices?sort=office"),
        ("devices, by office, page in the middle", (n, m) => $"devices?sort=office&after={(m.Devices / 2) + (n * 50)}"),
        ("devices, by last sync", (_, _) => "devices?sort=last-sync"),
        ("devices, by last sync, descending", (_, _) => "devices?sort=-last-sync"),
        ("devices, by report, descending", (_, _) => "devices?sort=-reported-at"),
        ("devices, by enrolment, descending", (_, _) => "devices?sort=-enrolled-at"),
        ("devices online", (_, _) => "devices?presence=online"),
        ("devices online, page in the middle", (n, m) => $"devices?presence=online&after={(m.Devices / 2) + (n * 50)}"),
        ("devices offline", (_, _) => "devices?presence=offline"),
        ("devices of unknown presence", (_, _) => "devices?presence=unknown"),
        ("devices offline in an office", (n, m) => $"devices?presence=offline&office={MadeUpReadModel.Office(n * 7 % m.Offices)}"),
        ("devices not seen for long", (_, _) => "devices?seen-before=2026-10-27T00:00:00Z"),
        ("devices not converged", (_, _) => "devices?converged=false"),
        ("devices cloned", (_, _) => "devices?cloned=true"),
        ("devices with a label that 1 % have", (_, _) => "devices?label=ring%3Dcanary"),
        ("devices with two labels", (_, _) => "devices?label=ring%3Drest&label=kind%3Dtill"),
        ("devices with a package", (_, _) => "devices?package=tills"),
        ("devices with a version that 5 % have", (_, _) => "devices?package=tills%3D1.4.0"),
        ("devices, part of a name", (n, m) => $"devices?text={MadeUpReadModel.Name(n * 997 % m.Devices)[5..]}"),
        ("a device", (n, m) => $"devices/{MadeUpReadModel.Device(n * 997 % m.Devices)}"),
        ("history of a device", (n, m) => $"devices/{MadeUpReadModel.Device(n * 997 % m.Devices)}/events"),
        ("history of an office", (n, m) => $"offices/{MadeUpReadModel.Office(n * 7 % m.Offices)}/events"),
        ("history of a node", (n, m) => $"nodes/{MadeUpReadModel.Node(n * 7 % m.Offices)}/events"),
        ("offices", (_, _) => "offices"),
        ("offices, last page", (_, m) => $"offices?after={m.Offices - 50}"),
        ("offices, part of a title", (n, _) => $"offices?text=branch%20{n}"),
        ("nodes", (_, _) => "nodes?page-size=500"),
        ("nodes that are down", (_, _) => "nodes?down=true"),
        ("incidents", (_, _) => "incidents"),
        ("status", (_, _) => "status"),
    ];

    private static async Task<IReadOnlyDictionary<string, object>> Run(BenchOptions options, Action<string> step, CancellationToken stop)
    {
        var (offices, devices) = (options.Offices ?? 1000, options.Devices ?? 100_000);
        var scratch = Leftovers.MakeScratch();
        try
        {
            var file = Path.Combine(scratch.FullName, "sqlite");
            var sqlite = await Measure("SQLite", file, [], () => Task.FromResult(ReadModelStore.Sqlite(Path.Combine(file, "read-model.db"))), () => TimeSpan.Zero, offices, devices, step, stop).ConfigureAwait(false);
            Measured? postgres = null;
            if (PrivatePostgres.Unable() is { } lacks)
            {
                step($"PostgreSQL is left out: {lacks}");
            }
            else
            {
                await using var server = await PrivatePostgres.Start(durable: true).ConfigureAwait(false);
                var database = await server.NewDatabase().ConfigureAwait(false);
                var storage = StorageOptions.Sqlite with { Provider = StorageProvider.PostgreSql, ConnectionString = database };
                postgres = await Measure("PostgreSQL", Path.Combine(scratch.FullName, "postgresql"), ["storage.provider=postgresql", $"storage.connection-string=\"{database}\""],
                    () => ReadModelStore.PostgreSql(new PostgresDatabase(storage), cancellation: stop), () => server.ProcessorTime, offices, devices, step, stop).ConfigureAwait(false);
            }

            step($"{"ms at half and at 99 of 100, of processor",-42} {"SQLite",23}  {(postgres is null ? "" : "PostgreSQL"),23}");
            foreach (var (name, _) in Queries)
                step($"{name,-42} {sqlite.Shown(name),23}  {postgres?.Shown(name),23}");
            var figures = new Dictionary<string, object> { ["rows"] = (double)devices, ["offices"] = (double)offices };
            sqlite.Fill(figures, "sqlite");
            postgres?.Fill(figures, "postgres");
            return figures;
        }
        finally
        {
            scratch.Delete(recursive: true);
        }
    }

    /// <param name="database">Processor time of a database that is a process of its own.</param>
    private static async Task<Measured> Measure(
        string storage, string data, IReadOnlyList<string> settings, Func<Task<ReadModelStore>> open, Func<TimeSpan> database, int offices, int devices, Action<string> step, CancellationToken stop)
    {
        // Putting lists off must not be what is measured.
        await using var headquarters = HeadquartersProcess.At(data, ["overload.put-off=off", .. settings]);
        await headquarters.Start().ConfigureAwait(false);
        await using var store = await open().ConfigureAwait(false);
        var (model, filling) = (new MadeUpReadModel(store, offices, devices / offices), Stopwatch.StartNew());
        await Task.Run(model.Fill, stop).ConfigureAwait(false);
        step($"{storage}: {model.Devices} devices in {offices} offices are written after {filling.Elapsed.TotalSeconds:0} s");

        if (!AdminToken.TryParse(await File.ReadAllTextAsync(headquarters.TokenFile, stop).ConfigureAwait(false), out var token, out var problem))
            throw new LabException(problem);
        using var api = PinnedApi.Client(new TcpNetwork(), [headquarters.Address.Api], token);
        using var done = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var changing = Task.Run(() => KeepChanging(model, done.Token), CancellationToken.None);
        using var process = Process.GetProcessById(headquarters.ProcessId!.Value);
        TimeSpan Used()
        {
            process.Refresh();
            return process.TotalProcessorTime + database();
        }

        var took = new Dictionary<string, Requests>();
        foreach (var (name, path) in Queries)
            took[name] = await Ask(api, n => path(n, model), Used, stop).ConfigureAwait(false);
        await done.CancelAsync().ConfigureAwait(false);
        return new Measured(took, await changing.ConfigureAwait(false));
    }

    private static async Task<Requests> Ask(HttpClient api, Func<int, string> path, Func<TimeSpan> used, CancellationToken stop)
    {
        for (var n = 0; n < WarmUp; n++)
            await Get(api, path(n), stop).ConfigureAwait(false);
        var (took, asking, before) = (new List<double>(), Stopwatch.StartNew(), used());
        while (took.Count < Least || (took.Count < Most && asking.Elapsed < TimeEach))
        {
            var began = Stopwatch.GetTimestamp();
            await Get(api, path(WarmUp + took.Count), stop).ConfigureAwait(false);
            took.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }

        took.Sort();
        return new Requests(took, (used() - before).TotalMilliseconds / took.Count);
    }

    private static async Task Get(HttpClient api, string path, CancellationToken stop)
    {
        try
        {
            using var answer = await api.GetAsync(new Uri($"api/v1/{path}", UriKind.Relative), stop).ConfigureAwait(false);
            var content = await answer.Content.ReadAsStringAsync(stop).ConfigureAwait(false);
            if (!answer.IsSuccessStatusCode)
                throw new LabException($"{path}: {answer.StatusCode} {content}");
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw new LabException($"{path}: no answer within {api.Timeout.TotalSeconds:0} s");
        }
    }

    /// <returns>How many rows a second.</returns>
    private static async Task<double> KeepChanging(MadeUpReadModel model, CancellationToken stop)
    {
        var (random, changed, lasting) = (new Random(1), 0L, Stopwatch.StartNew());
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds((double)ChangedTogether / ChangesPerSecond));
        try
        {
            while (await timer.WaitForNextTickAsync(stop).ConfigureAwait(false))
            {
                model.Change(ChangedTogether, random);
                changed += ChangedTogether;
            }
        }
        catch (OperationCanceledException)
        {
            // Enough.
        }

        return changed / lasting.Elapsed.TotalSeconds;
    }

    /// <param name="Took">Milliseconds of each, sorted.</param>
    /// <param name="Processor">Milliseconds of processor time of headquarters and its database for each, with what they do for the changes meanwhile.</param>
    private sealed record Requests(List<double> Took, double Processor)
    {
        public double At(double part) => Took[(int)Math.Ceiling(Took.Count * part) - 1];
    }

    /// <param name="Changes">Devices that reported and were seen meanwhile, a second.</param>
    private sealed record Measured(IReadOnlyDictionary<string, Requests> Kinds, double Changes)
    {
        public string Shown(string query) => string.Create(CultureInfo.InvariantCulture, $"{Kinds[query].At(0.5):0.0} {Kinds[query].At(0.99),7:0.0} {Kinds[query].Processor,7:0.0}");

        public void Fill(Dictionary<string, object> figures, string storage)
        {
            var slowest = Kinds.MaxBy(k => k.Value.At(0.99));
            figures[$"p50_ms_{storage}"] = Math.Round(Kinds.Values.Select(k => k.At(0.5)).Order().ElementAt(Kinds.Count / 2), 1);
            figures[$"p99_ms_{storage}"] = Math.Round(slowest.Value.At(0.99), 1);
            figures[$"slowest_{storage}"] = slowest.Key;
            figures[$"processor_ms_{storage}"] = Math.Round(Kinds.Values.Average(k => k.Processor), 1);
            figures[$"changes_per_s_{storage}"] = Math.Round(Changes);
        }
    }
}
