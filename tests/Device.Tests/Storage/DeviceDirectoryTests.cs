using Fleet.Contracts.Storage;
using Fleet.Device.Storage;

namespace Fleet.Device.Tests.Storage;

public sealed class DeviceDirectoryTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("fleet-device-").FullName;

    private string Data => Path.Combine(_root, "data");

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void Files_are_the_owners_alone_and_come_back()
    {
        using (var directory = DeviceDirectory.Open(Data))
        {
            directory.Replace("key.bin", [1, 2, 3]);
            directory.Append("log.bin", [4]);
            directory.Append("log.bin", [5]);
        }

        using var again = DeviceDirectory.Open(Data);
        Assert.Equal([1, 2, 3], again.Read("key.bin"));
        Assert.Equal([4, 5], again.Read("log.bin"));
        Assert.Null(again.Read("none.bin"));
        if (!OperatingSystem.IsWindows())
            foreach (var name in (string[])["key.bin", "log.bin", "fleet-data.json"])
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(Data, name)));
    }

    [Fact]
    public void A_second_process_is_refused_but_may_look()
    {
        using var held = DeviceDirectory.Open(Data);
        held.Replace("key.bin", [1]);

        Assert.Contains("in use", Assert.Throws<StorageException>(() => DeviceDirectory.Open(Data)).Message);
        using var look = DeviceDirectory.Look(Data);
        Assert.Equal([1], look.Read("key.bin"));
    }

    [Fact]
    public void A_file_is_told_to_be_one()
    {
        File.WriteAllText(Data, "x");

        Assert.Contains("is a file", Assert.Throws<StorageException>(() => DeviceDirectory.Open(Data)).Message);
        Assert.Equal("x", File.ReadAllText(Data));
    }

    [Fact]
    public void A_mistyped_path_is_not_filled_by_a_program_that_needs_an_enrolled_device()
    {
        Assert.Contains("enrol first", Assert.Throws<StorageException>(() => DeviceDirectory.Open(Data, mayMake: false)).Message);
        Assert.False(Directory.Exists(Data));
    }

    [Fact]
    public void A_directory_that_others_could_enter_is_closed_to_them()
    {
        if (OperatingSystem.IsWindows())
            return;
        Directory.CreateDirectory(Data, (UnixFileMode)0b111_101_101);

        using var directory = DeviceDirectory.Open(Data);

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Data));
    }

    [Fact]
    public void A_directory_with_other_things_in_it_is_refused_and_left_alone()
    {
        Directory.CreateDirectory(Data);
        File.WriteAllText(Path.Combine(Data, "photo.jpg"), "x");

        Assert.Contains("not empty", Assert.Throws<StorageException>(() => DeviceDirectory.Open(Data)).Message);
        Assert.Equal(["photo.jpg"], Directory.EnumerateFileSystemEntries(Data).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData("{\"kind\":\"office\",\"format\":1,\"id\":\"x\"}", "kind 'office'")]
    [InlineData("{\"kind\":\"agent\",\"format\":99,\"id\":\"x\"}", "newer version")]
    [InlineData("{\"kind\":", "damaged")]
    [InlineData("{}", "damaged")]
    public void A_foreign_newer_or_damaged_directory_is_refused(string marker, string why)
    {
        Directory.CreateDirectory(Data);
        File.WriteAllText(Path.Combine(Data, "fleet-data.json"), marker);

        Assert.Contains(why, Assert.Throws<StorageException>(() => DeviceDirectory.Open(Data)).Message);
        Assert.Equal(marker, File.ReadAllText(Path.Combine(Data, "fleet-data.json")));
    }
}
