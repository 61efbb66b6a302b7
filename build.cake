// The build: Restore → Build → Format → Test, Publish, and the lab's own programs. Started by build.sh and build.ps1.

using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Xml.Linq;

const string Configuration = "Release";
var target = Argument("target", "Test");
Verdict verdict = null;
var artifacts = MakeAbsolute(Directory("./artifacts"));
var rid = RuntimeInformation.RuntimeIdentifier switch
{
    var r when r.StartsWith("win", StringComparison.Ordinal) => "win-",
    var r when r.StartsWith("osx", StringComparison.Ordinal) => "osx-",
    _ => "linux-",
} + RuntimeInformation.OSArchitecture.ToString().ToLowerInvariant();

Task("Restore").Does(() => Dotnet("restore Fleet.sln"));

Task("Build").IsDependentOn("Restore").Does(() => Dotnet($"build Fleet.sln --no-restore -c {Configuration}"));

// White space here; code style is an error of the compiler's (EnforceCodeStyleInBuild), so it is not checked twice.
Task("Format").Does(() => Dotnet("format whitespace --folder --verify-no-changes --exclude artifacts .git"));

Task("Test").IsDependentOn("System").IsDependentOn("Build").IsDependentOn("Format").Does(() =>
{
    var results = artifacts.Combine("test-results");
    CleanDirectory(results);
    var failedRuns = new ConcurrentBag<string>();
    var projects = GetFiles("./tests/*.Tests/*.Tests.csproj").Select(p => p.GetFilenameWithoutExtension().ToString()).Order().ToList();
    // Two at a time: most tests wait for one another's messages, not for the processor. One after another from a common list, the longest first: split beforehand, one side waited two minutes for the other.
    string[] longest = ["Headquarters.Tests", "NatLab.Tests", "Cli.Tests", "Office.Tests"];
    var queue = Partitioner.Create(projects.OrderBy(p => longest.Contains(p) ? Array.IndexOf(longest, p) : longest.Length), EnumerablePartitionerOptions.NoBuffering);
    System.Threading.Tasks.Parallel.ForEach(queue, new System.Threading.Tasks.ParallelOptions { MaxDegreeOfParallelism = 2 }, project =>
    {
        var assembly = $"tests/{project}/bin/{Configuration}/net10.0/Fleet.{project}.dll";
        var started = Stopwatch.StartNew();
        var (code, output) = Capture("dotnet", $"test {assembly} --logger trx;LogFileName={project}.trx --results-directory {results} --blame-hang-timeout 5m");
        var summary = $"  {project}: {(code == 0 ? "passed" : "FAILED")} in {started.Elapsed.TotalSeconds:0} s";
        Information(code == 0 ? summary : $"{summary}\n{output}");
        if (code != 0)
            failedRuns.Add(project);
    });
    Summarize(results, projects, failedRuns);
});

// What the tests, the lab and the native agent need of the machine.
Task("System").Does(() => Install(
    new("nft", "nftables"), new("ip", "iproute2"), new("conntrack", "conntrack"), new("sysctl", "procps"), new("gcc", "gcc"), new("gpg", "gpg"), new("/usr/include/zlib.h", "zlib1g-dev"),
    new("slapd", "slapd", "slapd.service"), new("sshd", "openssh-server", "ssh.service ssh.socket"), new("avahi-daemon", "avahi-daemon", "avahi-daemon.service avahi-daemon.socket"),
    new("pg_ctlcluster", "postgresql", "postgresql.service"), new("promtool", "prometheus", "prometheus.service")));

// The programs of others that benchmarks compare with.
Task("Peers").Does(() => Install(
    new("nmap", "nmap"), new("fping", "fping"), new("arp-scan", "arp-scan"), new("nats-server", "nats-server", "nats-server.service"), new("mosquitto", "mosquitto", "mosquitto.service"),
    new("rsync", "rsync", "rsync.service"), new("zsync", "zsync"), new("nginx", "nginx", "nginx.service"), new("squid", "squid", "squid.service"), new("apt-cacher-ng", "apt-cacher-ng", "apt-cacher-ng.service"),
    new("curl", "curl"), new("zabbix_server", "zabbix-server-pgsql", "zabbix-server.service"), new("npm", "npm")));

Task("Publish").IsDependentOn("System").IsDependentOn("Restore").Does(() =>
{
    PublishManaged("src/Headquarters", "headquarters");
    PublishManaged("src/Office", "office");
    PublishManaged("src/Cli", "fleet");
    PublishAgent();
});

Task("Lab").IsDependentOn("Publish").Does(() => PublishManaged("tests/NatLab", "natlab"));

Task("Bench").IsDependentOn("Peers").IsDependentOn("Lab").Does(() => PublishManaged("bench/Bench", "bench"));

Task("Swarm").IsDependentOn("Publish").Does(() => PublishManaged("bench/Swarm", "swarm"));

RunTarget(target);

// Behind Cake's own report, so that it is the last line.
if (verdict is not null)
    Console.WriteLine(verdict.Line);
if (verdict is { Good: false })
    Environment.Exit(1);

void PublishManaged(string project, string name) =>
    Dotnet($"publish {project} --no-restore -c {Configuration} -o {artifacts}/{name}");

// Installs what is missing, where this is Debian or a kin of it and the user is root; else says what is missing.
void Install(params Need[] needs)
{
    var missing = OperatingSystem.IsLinux() ? needs.Where(n => !OnPath(n.Command)).ToList() : [];
    if (missing.Count == 0)
        return;
    var what = string.Join(' ', missing.Select(n => n.Package));
    if (Environment.UserName != "root" || !OnPath("apt-get"))
    {
        Warning($"Missing on this machine: {what}. Install them (as root: apt-get install {what}); what needs them is skipped.");
        return;
    }

    Information($"Installing {what}");
    Environment.SetEnvironmentVariable("DEBIAN_FRONTEND", "noninteractive");
    Capture("apt-get", "-qq update");
    // Tests run servers of their own; none is to be started for this machine because it came with a package, neither now (Debian policy 9.3.3, policy-rc.d) nor at the next boot.
    const string policy = "/usr/sbin/policy-rc.d";
    var ours = !System.IO.File.Exists(policy);
    try
    {
        if (ours)
        {
            System.IO.File.WriteAllText(policy, "#!/bin/sh\nexit 101\n");
            Capture("chmod", $"+x {policy}");
        }

        var (code, output) = Capture("apt-get", $"-qq -y install --no-install-recommends {what}");
        if (code != 0)
            Warning($"apt-get could not install {what}; what needs them is skipped.\n{output}");
    }
    finally
    {
        if (ours)
            System.IO.File.Delete(policy);
    }

    if (OnPath("systemctl") && string.Join(' ', missing.Select(n => n.Services).OfType<string>()) is { Length: > 0 } services)
        Capture("systemctl", $"disable {services}");
}

// Native: one file without a runtime. Where no C linker is to be had the agent runs on the shared runtime, and the build says so.
void PublishAgent()
{
    var linker = new[] { "clang", "gcc" }.FirstOrDefault(OnPath);
    var native = !OperatingSystem.IsLinux() || (linker is not null && System.IO.File.Exists("/usr/include/zlib.h"));
    if (!native)
        Warning("No C compiler with zlib's headers (Debian and Ubuntu: apt-get install gcc zlib1g-dev): the agent is published for the shared .NET runtime, not native, and office nodes get none to set up.");
    var how = native ? $"-r {rid} {(linker == "gcc" ? "-p:CppCompilerAndLinker=gcc" : "")}" : "-p:PublishAot=false --no-self-contained";
    Dotnet($"publish src/Agent -c {Configuration} {how} -o {artifacts}/agent");
    // Where an office node looks for the agents that it sets up over SSH; on a device there may be no .NET.
    if (native && OperatingSystem.IsLinux())
    {
        EnsureDirectoryExists($"{artifacts}/office/agents");
        CopyFile($"{artifacts}/agent/agent", $"{artifacts}/office/agents/agent-{rid}");
    }
}

void Dotnet(string arguments)
{
    var started = Stopwatch.StartNew();
    var (code, output) = Capture("dotnet", $"{arguments} {(arguments.StartsWith("format", StringComparison.Ordinal) ? "" : "-v q --nologo")}");
    if (code != 0)
        throw new CakeException($"dotnet {arguments} failed:\n{output}");
    Information($"  dotnet {string.Join(' ', arguments.Split(' ').Take(2))}: {started.Elapsed.TotalSeconds:0} s");
}

(int Code, string Output) Capture(string program, string arguments)
{
    using var process = new Process { StartInfo = new(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true } };
    var output = new System.Text.StringBuilder();
    void Take(object _, DataReceivedEventArgs line)
    {
        lock (output)
            output.AppendLine(line.Data);
    }

    process.OutputDataReceived += Take;
    process.ErrorDataReceived += Take;
    process.Start();
    process.BeginOutputReadLine();
    process.BeginErrorReadLine();
    process.WaitForExit();
    return (process.ExitCode, output.ToString());
}

bool OnPath(string command) =>
    (Environment.GetEnvironmentVariable("PATH") ?? "").Split(System.IO.Path.PathSeparator).Append("/usr/sbin").Any(d => System.IO.File.Exists(System.IO.Path.Combine(d, command)));

// Adds up the result files; a run that died without one counts as one failure.
void Summarize(DirectoryPath results, List<string> projects, ConcurrentBag<string> failedRuns)
{
    var (passed, failed, skipped) = (0, 0, 0);
    foreach (var project in projects)
    {
        var file = System.IO.Path.Combine(results.FullPath, project + ".trx");
        if (!System.IO.File.Exists(file))
        {
            failed++;
            continue;
        }

        var tests = XDocument.Load(file).Descendants().Where(e => e.Name.LocalName == "UnitTestResult").ToList();
        string Outcome(XElement test) => (string)test.Attribute("outcome");
        string Message(XElement test) => test.Descendants().FirstOrDefault(e => e.Name.LocalName is "Message" or "StdOut")?.Value.Trim() ?? "no reason given";
        foreach (var test in tests.Where(t => Outcome(t) == "NotExecuted"))
            Information($"  skipped: {(string)test.Attribute("testName")}: {Message(test)}");
        var failures = tests.Where(t => Outcome(t) is not ("Passed" or "NotExecuted")).ToList();
        foreach (var test in failures)
            Information($"  FAILED: {(string)test.Attribute("testName")}: {Message(test)}");
        passed += tests.Count(t => Outcome(t) == "Passed");
        skipped += tests.Count(t => Outcome(t) == "NotExecuted");
        // A run that fails without a failed test (a crashed process, say) is a failure all the same.
        failed += Math.Max(failures.Count, failedRuns.Contains(project) ? 1 : 0);
    }

    // No test at all is no success.
    verdict = new Verdict($"{passed} passed, {failed} failed, {skipped} skipped", failed == 0 && passed > 0);
}

record Verdict(string Line, bool Good);

// Something of the system's: a command on the path, or a file; the package it comes with; the services that the package would start.
record Need(string Command, string Package, string Services = null);
