using Fleet.NatLab.Fleets;
using Fleet.NatLab.Topologies;

namespace Fleet.NatLab.Apt;

/// <summary>The system's own <c>apt-get</c> on a device's machine, with lists, cache and installed packages of its own: this machine's stay as they are.</summary>
internal sealed class AptMachine
{
    private readonly ProcessFleet _lab;
    private readonly TopologyDevice _device;
    private readonly string _directory;

    /// <param name="url">Of the repository, as the device reaches it.</param>
    /// <param name="keyring">Public keys that the device trusts for it.</param>
    public AptMachine(ProcessFleet lab, TopologyDevice device, string url, string keyring)
    {
        (_lab, _device, _directory) = (lab, device, lab.ScratchOf($"apt-{device.Name}"));
        foreach (var folder in new[] { "none", "log", "state/lists/partial", "cache/archives/partial", "root/var/log", "root/var/lib/dpkg/info", "root/var/lib/dpkg/updates", "root/var/lib/dpkg/triggers" })
            Directory.CreateDirectory(Path.Combine(_directory, folder));
        File.WriteAllText(Path.Combine(_directory, "root/var/lib/dpkg/status"), "");
        File.WriteAllText(Path.Combine(_directory, "sources.list"), $"deb [signed-by={keyring}] {url} {SignedRepository.Suite} main\n");
        File.WriteAllText(Path.Combine(_directory, "apt.conf"), $$"""
            Dir::Etc::main "/dev/null";
            Dir::Etc::parts "{{_directory}}/none";
            Dir::Etc::sourcelist "{{_directory}}/sources.list";
            Dir::Etc::sourceparts "{{_directory}}/none";
            Dir::Etc::trustedparts "{{_directory}}/none";
            Dir::Etc::preferencesparts "{{_directory}}/none";
            Dir::State "{{_directory}}/state";
            Dir::State::status "{{_directory}}/root/var/lib/dpkg/status";
            Dir::Cache "{{_directory}}/cache";
            Dir::Log "{{_directory}}/log";
            DPkg::Options { "--root={{_directory}}/root"; };
            APT::Sandbox::User "root";
            APT::Get::Assume-Yes "true";
            Acquire::Languages "none";

            """);
    }

    public string Name => _device.Name;

    /// <summary>The version that is installed; null: none.</summary>
    public string? Installed => Path.Combine(_directory, "root/usr/share", SignedRepository.Package, "version") is var file && File.Exists(file) ? File.ReadAllText(file) : null;

    public Task Update() => Run("update", "--error-on=any");

    public Task Install() => Run("install", SignedRepository.Package);

    /// <summary>Forgets the package files that it has, and takes them anew.</summary>
    public async Task TakeAgain()
    {
        await Run("clean").ConfigureAwait(false);
        await Run("install", "--reinstall", SignedRepository.Package).ConfigureAwait(false);
    }

    private async Task Run(params string[] arguments)
    {
        var (code, output, errors) = await _lab.RunAt(_device, ["apt-get", .. arguments], new Dictionary<string, string> { ["APT_CONFIG"] = Path.Combine(_directory, "apt.conf"), ["LC_ALL"] = "C.UTF-8", ["DEBIAN_FRONTEND"] = "noninteractive" }).ConfigureAwait(false);
        if (code != 0)
            throw new LabException($"apt-get {string.Join(' ', arguments)} on {Name} failed ({code}):\n{output}\n{errors}");
    }
}
