using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Fleet.NatLab.Kernel;

namespace Fleet.NatLab.Apt;

/// <summary>A vendor's APT repository with one package, made by Debian's own tools: <c>dpkg-deb</c> packs, <c>gpg</c> signs.</summary>
internal sealed class SignedRepository : IDisposable
{
    public const string Package = "fleet-hello";
    public const string Suite = "stable";
    private const int PayloadBytes = 400_000;

    private readonly string _directory;
    private readonly string _architecture = Shell.Run("dpkg", "--print-architecture").Trim();

    /// <param name="directory">Not too deep below the root: gpg's agent listens on a socket in it.</param>
    public SignedRepository(string directory)
    {
        _directory = directory;
        Directory.CreateDirectory(Home);
        Shell.Run("chmod", "700", Home);
        foreach (var who in new[] { Vendor, Stranger })
            Gpg("--passphrase", "", "--quick-generate-key", who, "ed25519", "sign", "never");
        Gpg("--armor", "--output", Keyring, "--export", Vendor);
    }

    private static string Vendor => "vendor@lab.example";

    private static string Stranger => "stranger@lab.example";

    private string Home => Path.Combine(_directory, "keys");

    /// <summary>What the vendor's server shows.</summary>
    public string Files => Path.Combine(_directory, "www");

    /// <summary>The vendor's public key.</summary>
    public string Keyring => Path.Combine(_directory, "vendor.asc");

    private string SuiteDirectory => Path.Combine(Files, "debian", "dists", Suite);

    private string InRelease => Path.Combine(SuiteDirectory, "InRelease");

    /// <summary>Says what this machine lacks; null: nothing.</summary>
    public static string? Unable() =>
        new[] { "/usr/bin/apt-get", "/usr/bin/dpkg-deb", "/usr/bin/gpg" }.FirstOrDefault(p => !File.Exists(p)) is { } missing ? $"{missing} is missing (Debian and Ubuntu: apt-get install gpg)" : null;

    /// <summary>Publishes a version of the package under a new release.</summary>
    /// <returns>SHA-256 and length of the package's file.</returns>
    public (string Sha256, long Length) Publish(string version)
    {
        var deb = Pack(version);
        var content = File.ReadAllBytes(deb);
        var list = Encoding.UTF8.GetBytes($"""
            {Shell.Run("dpkg-deb", "--field", deb).TrimEnd()}
            Filename: pool/{Path.GetFileName(deb)}
            Size: {content.Length}
            SHA256: {Hash(content)}


            """);
        var indexes = new Dictionary<string, byte[]> { [$"main/binary-{_architecture}/Packages"] = list, [$"main/binary-{_architecture}/Packages.gz"] = Packed(list) };
        foreach (var (path, index) in indexes)
        {
            Write(Path.Combine(SuiteDirectory, path), index);
            Write(Path.Combine(SuiteDirectory, Path.GetDirectoryName(path)!, "by-hash", "SHA256", Hash(index)), index);
        }

        Write(Path.Combine(SuiteDirectory, "Release"), Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"""
            Origin: Lab
            Suite: {Suite}
            Codename: {Suite}
            Architectures: {_architecture}
            Components: main
            Date: {DateTimeOffset.UtcNow:ddd, dd MMM yyyy HH:mm:ss} UTC
            Acquire-By-Hash: yes
            SHA256:
            {string.Join('\n', indexes.Select(i => $" {Hash(i.Value)} {i.Value.Length} {i.Key}"))}

            """)));
        SignBy(Vendor);
        return (Hash(content), content.Length);
    }

    /// <summary>The same release, signed by somebody else.</summary>
    public void SignByStranger() => SignBy(Stranger);

    /// <summary>The signed release as it is.</summary>
    public byte[] Signed() => File.ReadAllBytes(InRelease);

    /// <summary>Shows a release of another time.</summary>
    public void Show(byte[] signed) => Write(InRelease, signed);

    public void Dispose() => Shell.Try("gpgconf", ["--homedir", Home, "--kill", "all"]);

    private void SignBy(string who)
    {
        var made = InRelease + ".new";
        File.Delete(made);
        Gpg("--local-user", who, "--output", made, "--clearsign", Path.Combine(SuiteDirectory, "Release"));
        File.Move(made, InRelease, overwrite: true);
    }

    private string Pack(string version)
    {
        var tree = Path.Combine(_directory, $"{Package}-{version}");
        Write(Path.Combine(tree, "DEBIAN", "control"), Encoding.UTF8.GetBytes($"Package: {Package}\nVersion: {version}\nArchitecture: all\nMaintainer: {Vendor}\nDescription: says hello\n"));
        Write(Path.Combine(tree, "usr", "share", Package, "version"), Encoding.UTF8.GetBytes(version));
        Write(Path.Combine(tree, "usr", "share", Package, "payload"), RandomNumberGenerator.GetBytes(PayloadBytes));
        var deb = Path.Combine(Files, "debian", "pool", $"{Package}_{version}_all.deb");
        Directory.CreateDirectory(Path.GetDirectoryName(deb)!);
        Shell.Run("dpkg-deb", "--root-owner-group", "--build", tree, deb);
        return deb;
    }

    private void Gpg(params string[] arguments) => Shell.Run("gpg", ["--homedir", Home, "--batch", "--quiet", "--pinentry-mode", "loopback", .. arguments]);

    private static void Write(string file, byte[] content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllBytes(file, content);
    }

    private static byte[] Packed(byte[] content)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal))
            gzip.Write(content);
        return packed.ToArray();
    }

    private static string Hash(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));
}
