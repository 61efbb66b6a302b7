using System.Diagnostics;
using System.Globalization;
using System.Net;
using Fleet.Contracts;
using Fleet.Contracts.Api;
using Fleet.Messages.Transport;
using Fleet.NatLab.Fleets;
using Fleet.NatLab.Topologies;
using Fleet.TestSupport;

namespace Fleet.Swarm;

/// <summary>Where a headquarters is reached, and the process that it is, where it runs on this machine.</summary>
/// <param name="Api">host:port of its web face.</param>
/// <param name="Agents">host:port where nodes enrol.</param>
/// <param name="Links">host:port of its links.</param>
public sealed record HeadquartersAddress(string Api, string Agents, string Links)
{
    public static HeadquartersAddress Usual(string host) => new($"{host}:8443", $"{host}:13000", $"{host}:13001");
}

/// <summary>The published headquarters on this machine, on ports of its own and a data directory that outlives it.</summary>
public sealed class HeadquartersProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartPatience = TimeSpan.FromMinutes(10);

    private readonly IReadOnlyList<string> _settings;
    private LabProcess? _process;

    private HeadquartersProcess(string data, HeadquartersAddress address, IReadOnlyList<string> settings) => (Data, Address, _settings) = (data, address, settings);

    public string Data { get; }

    public HeadquartersAddress Address { get; }

    /// <summary>Its process; null while it does not run.</summary>
    public int? ProcessId => _process?.Id;

    public string TokenFile => Path.Combine(Data, "admin.token");

    /// <summary>Chooses ports, the same ones for the same data; <see cref="Start"/> starts it.</summary>
    /// <param name="settings">Beside those of its ports, as <c>--set</c> takes them.</param>
    /// <exception cref="LabException">It is not published.</exception>
    public static HeadquartersProcess At(string data, IReadOnlyList<string> settings)
    {
        if (!File.Exists(Programs.Headquarters))
            throw new LabException($"{Programs.Headquarters} is missing: run ./build.sh publish");
        var ports = Ports(data);
        string Here(int port) => string.Create(CultureInfo.InvariantCulture, $"{IPAddress.Loopback}:{port}");
        return new HeadquartersProcess(data, new HeadquartersAddress(Here(ports[2]), Here(ports[0]), Here(ports[1])),
        [
            $"gateway.port={ports[0]}", $"links.port={ports[1]}", $"web.port={ports[2]}", $"cluster.port={ports[3]}", $"push.port={ports[4]}", $"updates.port={ports[5]}", "metrics.port=0",
            $"offices.headquarters-addresses=[\"{Here(ports[0])}\"]", $"offices.headquarters-push-addresses=[\"{Here(ports[4])}\"]", $"offices.headquarters-update-addresses=[\"{Here(ports[5])}\"]",
            .. settings,
        ]);
    }

    // Other ports would be other addresses in the document of every device of a fleet that is kept.
    private static int[] Ports(string data)
    {
        var kept = data + ".ports";
        if (File.Exists(kept))
            return [.. File.ReadAllLines(kept).Select(p => int.Parse(p, CultureInfo.InvariantCulture))];
        var ports = FreePorts.Take(6);
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(kept))!);
        File.WriteAllLines(kept, ports.Select(p => p.ToString(CultureInfo.InvariantCulture)));
        return ports;
    }

    /// <exception cref="LabException">It ended, or did not get ready.</exception>
    public async Task Start()
    {
        Directory.CreateDirectory(Data);
        _process = await LabProcess.Start("headquarters", [Programs.Headquarters, "run", "--data", Data, .. _settings.SelectMany(s => new[] { "--set", s })], "headquarters is ready", StartPatience).ConfigureAwait(false);
    }

    /// <summary>kill -9.</summary>
    public void Kill()
    {
        _process?.Dispose();
        _process = null;
    }

    /// <summary>The last it said, for when something went wrong.</summary>
    public string Tail() => _process?.Tail() ?? "";

    public ValueTask DisposeAsync()
    {
        Kill();
        return ValueTask.CompletedTask;
    }
}

/// <summary>An operator of the headquarters under load.</summary>
public sealed class SwarmOperator : IDisposable
{
    private const string AlreadyThere = "already-exists";

    private static readonly TimeSpan BusyWait = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan BusyPatience = TimeSpan.FromMinutes(5);

    private readonly HttpClient _api;

    /// <exception cref="LabException">The token is none.</exception>
    public SwarmOperator(string address, string token)
    {
        if (!AdminToken.TryParse(token, out var admin, out var problem))
            throw new LabException(problem);
        _api = PinnedApi.Client(new TcpNetwork(), [address], admin);
        (Does, Sees) = (new ApiOperator(() => _api), new FleetReader(_api));
    }

    public ApiOperator Does { get; }

    public FleetReader Sees { get; }

    /// <summary>Makes a request; one that headquarters is too busy for is made again.</summary>
    /// <exception cref="LabException">Headquarters refuses it for long.</exception>
    public async Task Ask(Func<Task> request, CancellationToken stop)
    {
        var (waited, again) = (Stopwatch.StartNew(), false);
        while (true)
            try
            {
                await request().ConfigureAwait(false);
                return;
            }
            catch (LabException refused) when (again && refused.Message.Contains(AlreadyThere, StringComparison.Ordinal))
            {
                // The request before was late, not lost.
                return;
            }
            catch (LabException) when (waited.Elapsed < BusyPatience)
            {
                again = true;
                await Task.Delay(BusyWait, stop).ConfigureAwait(false);
            }
    }

    /// <summary>Devices keep a line open from now on.</summary>
    public Task WantLines(CancellationToken stop) =>
        Ask(() => Does.ApplyPolicy(new PolicyContent("swarm", Settings: new Dictionary<string, string> { ["agent.connection"] = "always" })), stop);

    public void Dispose() => _api.Dispose();
}
