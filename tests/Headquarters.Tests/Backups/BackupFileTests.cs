using System.Text;
using Fleet.Backups;

namespace Fleet.Headquarters.Tests.Backups;

public sealed class BackupFileTests : IDisposable
{
    private const string Passphrase = "correct horse battery";

    private static readonly byte[] Large = new byte[700_000];

    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("fleet-backup-file-");

    static BackupFileTests() => Random.Shared.NextBytes(Large);

    private string File => Path.Combine(_root.FullName, "fleet.backup");

    public void Dispose() => _root.Delete(recursive: true);

    [Theory, InlineData(null), InlineData(Passphrase)]
    public void What_was_put_in_comes_out(string? passphrase)
    {
        Write(passphrase);
        using var backup = BackupReader.Open(File);
        Dictionary<string, byte[]> found = [];

        backup.CheckWhole();
        var manifest = backup.Read(passphrase, (name, content) =>
        {
            using var copy = new MemoryStream();
            content.CopyTo(copy);
            found[name] = copy.ToArray();
        });

        Assert.Equal(["journal", "identity/key", "empty"], manifest.Entries.Select(e => e.Name));
        Assert.Equal(Large, found["journal"]);
        Assert.Equal("secret", Encoding.UTF8.GetString(found["identity/key"]));
        Assert.Empty(found["empty"]);
        Assert.Equal(("1.2.3", passphrase is not null), (backup.Header.Version, backup.Header.Seal is not null));
    }

    [Fact]
    public void Of_what_is_encrypted_nothing_can_be_read()
    {
        Write(Passphrase);

        Assert.Equal(-1, System.IO.File.ReadAllBytes(File).AsSpan().IndexOf("secret"u8));
        Assert.Equal(-1, System.IO.File.ReadAllBytes(File).AsSpan().IndexOf("identity"u8));
        Assert.Contains("passphrase", Refused(b => b.CheckPassphrase("another passphrase")), StringComparison.Ordinal);
        Assert.Contains("passphrase", Refused(b => b.Read("another passphrase", (_, _) => { })), StringComparison.Ordinal);
        Assert.Contains("--passphrase-file", Refused(b => b.Read(null, (_, _) => { })), StringComparison.Ordinal);
    }

    [Theory, InlineData(null), InlineData(Passphrase)]
    public void A_byte_that_was_changed_anywhere_and_a_missing_end_are_found_without_the_passphrase(string? passphrase)
    {
        Write(passphrase);
        var whole = System.IO.File.ReadAllBytes(File);
        foreach (var at in Enumerable.Range(0, 40).Select(i => (int)((long)i * (whole.Length - 1) / 39)))
        {
            var changed = whole.ToArray();
            changed[at] ^= 1;
            System.IO.File.WriteAllBytes(File, changed);
            Assert.NotEqual("", Refused(b => b.CheckWhole()));
        }

        foreach (var length in (int[])[0, 5, 11, 60, whole.Length / 2, whole.Length - 33, whole.Length - 1])
        {
            System.IO.File.WriteAllBytes(File, whole[..length]);
            Assert.Contains(length < 12 ? "no backup" : "cut short", Refused(b => b.CheckWhole()), StringComparison.Ordinal);
        }

        System.IO.File.WriteAllBytes(File, [.. whole, 0]);
        Assert.Contains("damaged", Refused(b => b.CheckWhole()), StringComparison.Ordinal);
    }

    [Fact]
    public void A_newer_format_is_told_with_what_to_do()
    {
        Write(null);
        var newer = Encoding.Latin1.GetString(System.IO.File.ReadAllBytes(File)).Replace("\"format\":1", "\"format\":9", StringComparison.Ordinal);
        System.IO.File.WriteAllBytes(File, Encoding.Latin1.GetBytes(newer));

        Assert.Contains("format 9, of Fleet 1.2.3", Refused(b => b.CheckWhole()), StringComparison.Ordinal);
    }

    private string Refused(Action<BackupReader> use) => Assert.Throws<BackupException>(() =>
    {
        using var backup = BackupReader.Open(File);
        use(backup);
    }).Message;

    private void Write(string? passphrase)
    {
        using var file = System.IO.File.Create(File);
        using var writer = new BackupWriter(file, "1.2.3", DateTimeOffset.UnixEpoch, passphrase);
        writer.Add("journal", Large);
        writer.Add("identity/key", "secret"u8.ToArray());
        writer.Add("empty", ReadOnlyMemory<byte>.Empty);
        writer.Finish(new BackupManifest("1.2.3", DateTimeOffset.UnixEpoch, "sqlite", 1, 0, 0, 0, 0, "", [], WithContent: true, [], []));
    }
}
