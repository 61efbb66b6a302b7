using Fleet.Device.Inventory;

namespace Fleet.Device.Tests.Inventory;

public sealed class LocalMachineTests
{
    [Fact]
    public void The_machine_is_read_from_itself()
    {
        var inventory = new LocalMachine("1.2.3").Inventory();

        Assert.Equal(Environment.MachineName, inventory.HostName);
        Assert.Equal("1.2.3", inventory.AgentVersion);
        Assert.NotEmpty(inventory.OsName);
        Assert.NotEmpty(inventory.Kernel);
        Assert.True(inventory.MemoryBytes > 64 * 1024 * 1024);
        Assert.Equal(Environment.ProcessorCount, inventory.CpuCores);
        Assert.True(inventory.BootedAt.ToDateTimeOffset() < DateTimeOffset.UtcNow);
        Assert.NotEmpty(inventory.Disks);
    }

    [Fact]
    public void An_idle_machine_reads_the_same_twice()
    {
        var machine = new LocalMachine("1.2.3");

        Assert.Equal(machine.Inventory(), machine.Inventory());
    }

    [Fact]
    public void An_os_release_file_is_read()
    {
        var (name, version) = OperatingSystemFacts.ReadOsRelease(["PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"", "NAME=\"Debian GNU/Linux\"", "VERSION_ID=\"12\"", "# x"]);

        Assert.Equal(("Debian GNU/Linux", "12"), (name, version));
    }

    [Fact]
    public void The_fingerprint_tells_a_copy_with_another_network_card_apart()
    {
        Assert.Equal(MachineFingerprint.Of("id", ["a", "b"]), MachineFingerprint.Of("id", ["b", "a"]));
        Assert.NotEqual(MachineFingerprint.Of("id", ["a", "b"]), MachineFingerprint.Of("id", ["a", "c"]));
        Assert.NotEqual(MachineFingerprint.Of("id", ["a"]), MachineFingerprint.Of("other", ["a"]));
    }
}
