using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Fleet.NatLab.Fleets;
using Fleet.NatLab.Topologies;
using Fleet.Swarm.Reports;
using Fleet.TestSupport;

namespace Fleet.Bench;

/// <summary>
/// A MeshCentral server on this machine with its own agents, from the npm package of that name; it is killed (SIGKILL) and started again on its files. When an agent came back is what the
/// server itself says of it (<c>agct</c>). Server and agents are as they come, but for what would reach outside this machine.
/// </summary>
internal sealed class MeshCentral : IDisposable
{
    public const string Version = "1.1.55";

    private const string Ready = "HTTPS server running on";
    private const string User = "bench";

    /// <summary>So many agents start at once, and so many of them are told that they are enrolled before the next do.</summary>
    private const int StartsTogether = 20;

    private static readonly TimeSpan InstallPatience = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan StartPatience = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan BackPatience = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(30);

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("fleet-bench-mesh-");
    private readonly List<LabProcess> _agents = [];
    private readonly string _password = Guid.NewGuid().ToString();
    private readonly int _port = FreePorts.One();
    private LabProcess? _server;

    private MeshCentral()
    {
    }

    private static string Package { get; } = Path.Combine(Programs.Artifacts, "meshcentral");

    private static string Module { get; } = Path.Combine(Package, "node_modules", "meshcentral");

    /// <summary>Says what this machine lacks; null: nothing.</summary>
    public static string? Unable() =>
        !OperatingSystem.IsLinux() || RuntimeInformation.OSArchitecture != Architecture.X64 ? "needs Linux on x86-64"
        : DebianPackages.Missing("npm", "curl") is { } missing ? $"needs {missing} (Debian: apt-get install {missing})"
        : null;

    /// <returns>Seconds after its new start at which half, nine of ten and all of the agents were back, and its memory with all of them.</returns>
    /// <exception cref="LabException">It did not start, or agents stayed away.</exception>
    public static async Task<(double Half, double Most, double Last, double Megabytes)> Restart(int agents, Action<string> step, CancellationToken stop)
    {
        if (!Directory.Exists(Module))
        {
            step($"MeshCentral {Version} is installed from npm");
            await Output("npm", ["npm", "install", $"meshcentral@{Version}", "--prefix", Package, "--no-audit", "--no-fund"], InstallPatience).ConfigureAwait(false);
        }

        using var mesh = new MeshCentral();
        await mesh.Begin(stop).ConfigureAwait(false);
        await mesh.StartAgents(agents, stop).ConfigureAwait(false);
        await Task.Delay(Rest, stop).ConfigureAwait(false);
        var megabytes = ProcessFigures.Of(mesh._server!.Id).ResidentMegabytes;
        step(string.Create(CultureInfo.InvariantCulture, $"MeshCentral has {agents} agents and takes {megabytes} MB"));

        mesh._server.Kill();
        var began = DateTimeOffset.UtcNow;
        await mesh.StartServer().ConfigureAwait(false);
        var back = await mesh.Connected(agents, began, stop).ConfigureAwait(false);
        double After(double share) => Math.Round((back[(int)Math.Ceiling(share * agents) - 1] - began).TotalSeconds, 1);
        return (After(0.5), After(0.9), After(1), megabytes);
    }

    public void Dispose()
    {
        _agents.ForEach(a => a.Dispose());
        _server?.Dispose();
        _directory.Delete(recursive: true);
    }

    private static async Task<string> Output(string what, IReadOnlyList<string> command, TimeSpan within)
    {
        var (code, output, errors) = await LabProcess.Run(what, command, within).ConfigureAwait(false);
        return code == 0 ? output : throw new LabException($"{what} ended with {code}: {output}\n{errors}");
    }

    private async Task Begin(CancellationToken stop)
    {
        Directory.CreateDirectory(PathOf("data"));
        var config = new
        {
            settings = new { cert = "127.0.0.1", port = _port, portBind = "127.0.0.1", redirPort = 0, mpsPort = 0, WANonly = true, exactPorts = true, selfUpdate = false, noAgentUpdate = 1, agentTimeStampServer = false, datapath = PathOf("data"), filespath = PathOf("files") },
        };
        await File.WriteAllTextAsync(Path.Combine(PathOf("data"), "config.json"), JsonSerializer.Serialize(config), stop).ConfigureAwait(false);
        await Output("meshcentral", Program("--createaccount", User, "--pass", _password, "--email", "bench@example.org"), StartPatience).ConfigureAwait(false);
        await StartServer().ConfigureAwait(false);
    }

    // Without "--launch" it starts itself once more, and a kill would meet the wrong one of the two; with it, it ends when its standard input does.
    private async Task StartServer() => _server = await LabProcess.Start(
        "meshcentral", ["sh", "-c", "test -p \"$0\" || mkfifo \"$0\"; exec \"$@\" <>\"$0\"", PathOf("input"), .. Program("--launch", "1")], Ready, StartPatience).ConfigureAwait(false);

    private async Task StartAgents(int count, CancellationToken stop)
    {
        // "ok mesh//ID", and in an agent's settings the ID alone, without what names its domain.
        var group = (await Control("AddDeviceGroup", "--name", "bench").ConfigureAwait(false)).Trim()["ok mesh//".Length..];
        var settings = await Output("curl", ["curl", "-sSk", $"https://127.0.0.1:{_port}/meshsettings?id={Uri.EscapeDataString(group)}"], StartPatience).ConfigureAwait(false);
        for (var started = 0; started < count;)
        {
            for (var together = 0; together < StartsTogether && started < count; together++, started++)
                _agents.Add(await StartAgent(started, settings, stop).ConfigureAwait(false));
            await Connected(started, DateTimeOffset.MinValue, stop).ConfigureAwait(false);
        }
    }

    /// <summary>Each agent has its own folder with its program, its settings, and who it is: it makes that itself.</summary>
    private async Task<LabProcess> StartAgent(int number, string settings, CancellationToken stop)
    {
        var folder = Directory.CreateDirectory(PathOf(string.Create(CultureInfo.InvariantCulture, $"agent-{number}"))).FullName;
        var program = Path.Combine(folder, "meshagent");
        File.Copy(Path.Combine(Module, "agents", "meshagent_x86-64_nokvm"), program);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await File.WriteAllTextAsync(Path.Combine(folder, "meshagent.msh"), settings, stop).ConfigureAwait(false);
        return LabProcess.Launch($"meshagent-{number}", ["env", "-C", folder, program]);
    }

    /// <summary>Waits until so many agents are connected that came after a time.</summary>
    /// <returns>When each came, earliest first.</returns>
    private async Task<IReadOnlyList<DateTimeOffset>> Connected(int count, DateTimeOffset after, CancellationToken stop)
    {
        var (waited, came) = (Stopwatch.StartNew(), new List<DateTimeOffset>());
        while (waited.Elapsed < BackPatience)
        {
            using var devices = JsonDocument.Parse(await Control("ListDevices", "--json").ConfigureAwait(false));
            came = [.. devices.RootElement.EnumerateArray()
                .Select(d => d.TryGetProperty("agct", out var at) ? DateTimeOffset.FromUnixTimeMilliseconds(at.GetInt64()) : DateTimeOffset.MinValue)
                .Where(at => at > after).Order()];
            if (came.Count >= count)
                return came;
            await Task.Delay(TimeSpan.FromSeconds(1), stop).ConfigureAwait(false);
        }

        throw new LabException($"{came.Count} of {count} MeshCentral agents are connected after {BackPatience.TotalMinutes:0} minutes");
    }

    // To a file: it ends before a pipe has taken a long answer (Node writes to pipes when it comes to it).
    private async Task<string> Control(params string[] words)
    {
        var answer = PathOf("answer");
        await Output("meshctrl", ["sh", "-c", "exec \"$@\" > \"$0\"", answer, "node", Path.Combine(Module, "meshctrl.js"), .. words, "--url", $"wss://127.0.0.1:{_port}", "--loginuser", User, "--loginpass", _password], StartPatience).ConfigureAwait(false);
        return await File.ReadAllTextAsync(answer).ConfigureAwait(false);
    }

    private string[] Program(params string[] words) => ["node", Module, "--datapath", PathOf("data"), .. words];

    private string PathOf(string name) => Path.Combine(_directory.FullName, name);
}
