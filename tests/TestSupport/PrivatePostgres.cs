using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using Npgsql;

namespace Fleet.TestSupport;

/// <summary>
/// A PostgreSQL server of a test's or a benchmark's own, from the system's package: fresh, on a free port of loopback, with a password. It can be stopped
/// and started again, and ends with whoever made it, even where that one is killed.
/// </summary>
public sealed class PrivatePostgres : IAsyncDisposable
{
    public const string User = "fleet";

    /// <summary>PostgreSQL refuses to run as root; the package brings this user.</summary>
    private const string System = "postgres";

    /// <summary>What the shell around the server is told where its data are needed again.</summary>
    private const string Keep = "keep";

    private static readonly Lazy<Task<PrivatePostgres>> OfThisProcess = new(() => Start());
    private static int _databases;

    private readonly string _directory;
    private readonly bool _durable;
    private readonly int _connections;
    private Process? _server;

    private readonly PostgresPlace? _place;

    private PrivatePostgres(string directory, bool durable, PostgresPlace? place, int connections) =>
        (_directory, _durable, _place, _connections, Port) = (directory, durable, place, connections, FreePorts.One());

    public int Port { get; }

    public string Password { get; } = Convert.ToHexString(RandomNumberGenerator.GetBytes(12));

    /// <summary>The one server that all tests of an assembly share, each with databases of its own. Ends with the process.</summary>
    public static Task<PrivatePostgres> Shared => OfThisProcess.Value;

    private static string? Programs => Directory.Exists("/usr/lib/postgresql")
        ? Directory.GetDirectories("/usr/lib/postgresql").Select(d => Path.Combine(d, "bin")).Where(d => File.Exists(Path.Combine(d, "initdb"))).Order().LastOrDefault()
        : null;

    private static bool IsRoot => Environment.IsPrivilegedProcess;

    private string Data => Path.Combine(_directory, "data");

    /// <summary>Where this process reaches it, in whichever network it is.</summary>
    private string Sockets => Path.Combine(_directory, "sockets");

    private string Log => Path.Combine(_directory, "log");

    /// <summary>Says what this machine lacks; null: nothing.</summary>
    public static string? Unable() => OperatingSystem.IsLinux() && Programs is not null ? null : "needs PostgreSQL (Debian and Ubuntu: apt-get install postgresql)";

    /// <param name="place">Null: this machine, on loopback.</param>
    /// <param name="durable">Whether what is committed survives a power failure, as in a company; tests are faster without.</param>
    /// <param name="connections">That it takes at once.</param>
    /// <param name="directory">Where its own is made, which every user must be able to enter; null: where temporary ones are.</param>
    public static async Task<PrivatePostgres> Start(bool durable = false, PostgresPlace? place = null, int connections = 200, string? directory = null)
    {
        if (Unable() is { } lacks)
            throw new InvalidOperationException(lacks);
        var server = new PrivatePostgres(directory is null ? Directory.CreateTempSubdirectory("fleet-postgres-").FullName : Directory.CreateDirectory(Path.Combine(directory, "postgres")).FullName, durable, place, connections);
        try
        {
            await server.Initialize().ConfigureAwait(false);
            await server.Run().ConfigureAwait(false);
            return server;
        }
        catch
        {
            await server.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>A connection string to the database, as an administrator would write it.</summary>
    public string ConnectionString(string database) =>
        new NpgsqlConnectionStringBuilder { Host = Host, Port = Port, Username = User, Password = Password, Database = database }.ToString();

    private string Host => _place?.Address.ToString() ?? "127.0.0.1";

    /// <summary>Makes an empty database and gives its connection string.</summary>
    public async Task<string> NewDatabase()
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"fleet_{Interlocked.Increment(ref _databases)}");
        await Execute("postgres", $"CREATE DATABASE {name}").ConfigureAwait(false);
        return ConnectionString(name);
    }

    /// <summary>Runs one statement; gives its first value.</summary>
    public async Task<object?> Execute(string database, string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(ConnectionString(database)) { Pooling = false, Host = Sockets }.ToString());
        await connection.OpenAsync().ConfigureAwait(false);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync().ConfigureAwait(false);
    }

    /// <summary>Processor time of the server so far, of all its processes, also those that have ended.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            var all = Directory.GetDirectories("/proc").Select(d => Path.Combine(d, "stat")).Where(File.Exists).Select(StatOf).OfType<ProcessStat>().ToLookup(p => p.Parent);
            TimeSpan Below(int parent) => all[parent].Aggregate(TimeSpan.Zero, (sum, p) => sum + p.Processor + Below(p.Id));
            return _server is { } server ? Below(server.Id) : TimeSpan.Zero;
        }
    }

    /// <summary>Whether it is there to be asked.</summary>
    public async Task<bool> Runs()
    {
        try
        {
            return await Answers().ConfigureAwait(false);
        }
        catch (NpgsqlException)
        {
            return false;
        }
    }

    /// <summary>Stops it as an administrator's restart does: open transactions end, connections break.</summary>
    public async Task Stop()
    {
        if (_server is not { } server)
            return;
        await server.StandardInput.WriteLineAsync(Keep).ConfigureAwait(false);
        await Ended(server).ConfigureAwait(false);
    }

    /// <summary>Starts it, at first or again, on the same port with the same data.</summary>
    public async Task Run()
    {
        var safety = _durable ? "" : "-c fsync=off -c synchronous_commit=off -c full_page_writes=off";
        // The shell waits at its input, which ends with this process, however that ends; then it stops the server, by its id, and clears up.
        var start = new ProcessStartInfo("/bin/sh")
        {
            RedirectStandardInput = true,
            ArgumentList =
            {
                "-c",
                $"""
                {_place?.Within}{AsUser}{Programs}/postgres -D {Data} -c listen_addresses={Host} -c port={Port} -c unix_socket_directories={Sockets} -c max_connections={_connections} {safety} >>{Log} 2>&1 </dev/null &
                server=$!
                read -r wish
                kill -INT $server
                wait $server
                [ "$wish" = {Keep} ] || rm -rf {_directory}
                """,
            },
        };
        _server = Process.Start(start)!;
        await Until.True(Answers, $"PostgreSQL answers; its log: {Log}").ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is { } server)
            await Ended(server).ConfigureAwait(false);
        else
            Directory.Delete(_directory, recursive: true);
    }

    private async Task Ended(Process server)
    {
        server.StandardInput.Close();
        await server.WaitForExitAsync().ConfigureAwait(false);
        server.Dispose();
        _server = null;
    }

    // Without a terminal of its own, so that Ctrl-C is for whoever runs the tests.
    private static string AsUser => IsRoot ? $"setpriv --reuid={System} --regid={System} --clear-groups " : "";

    private async Task Initialize()
    {
        var secret = Path.Combine(_directory, "password");
        await File.WriteAllTextAsync(secret, Password).ConfigureAwait(false);
        Directory.CreateDirectory(Sockets);
        if (IsRoot)
            await Shell($"chown -R {System} {_directory}").ConfigureAwait(false);
        await Shell($"{AsUser}{Programs}/initdb -D {Data} -U {User} --pwfile={secret} --auth=scram-sha-256 -E UTF8 --locale=C.UTF-8 --no-sync >{Log} 2>&1").ConfigureAwait(false);
        if (_place is not null)
            await File.AppendAllTextAsync(Path.Combine(Data, "pg_hba.conf"), "host all all all scram-sha-256\n").ConfigureAwait(false);
    }

    private async Task Shell(string command)
    {
        using var process = Process.Start(new ProcessStartInfo("/bin/sh") { ArgumentList = { "-c", command }, WorkingDirectory = _directory })!;
        await process.WaitForExitAsync().ConfigureAwait(false);
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"'{command}' failed: {(File.Exists(Log) ? await File.ReadAllTextAsync(Log).ConfigureAwait(false) : "")}");
    }

    // proc(5): behind the name in brackets come state and parent; from the 12th on processor time, its own and that of children that have ended, in hundredths of a second.
    private static ProcessStat? StatOf(string file)
    {
        try
        {
            var stat = File.ReadAllText(file);
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return new ProcessStat(int.Parse(stat.Split(' ')[0], CultureInfo.InvariantCulture), int.Parse(fields[1], CultureInfo.InvariantCulture),
                TimeSpan.FromMilliseconds(10 * fields[11..15].Sum(t => long.Parse(t, CultureInfo.InvariantCulture))));
        }
        catch (IOException)
        {
            // It has just ended.
            return null;
        }
    }

    private sealed record ProcessStat(int Id, int Parent, TimeSpan Processor);

    private async Task<bool> Answers()
    {
        try
        {
            await Execute("postgres", "SELECT 1").ConfigureAwait(false);
            return true;
        }
        catch (NpgsqlException) when (_server is { HasExited: false })
        {
            return false;
        }
    }
}

/// <summary>Where a server runs that is not on this machine's loopback.</summary>
/// <param name="Within">What runs a command there, with a space behind it.</param>
/// <param name="Address">At which it listens.</param>
public sealed record PostgresPlace(string Within, IPAddress Address);
