using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Fleet.Headquarters.Identity;

/// <summary>
/// What makes this headquarters itself, in <c>DIR/identity/</c>: the CA and the envelope key. Made once, all or nothing; lost, every office and
/// agent has to enrol anew, so a damaged directory is refused and never quietly replaced.
/// </summary>
internal sealed class IdentityFiles
{
    private const string AuthorityKeyFile = "authority.key";
    private const string AuthorityFile = "authority.crt";
    private const string EnvelopeKeyFile = "envelope.key";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private static readonly TimeSpan AuthorityLifetime = TimeSpan.FromDays(20 * 365);

    private IdentityFiles(X509Certificate2 authority, ECDsa authorityKey, ECDiffieHellman envelopeKey) =>
        (Authority, AuthorityKey, EnvelopeKey) = (authority, authorityKey, envelopeKey);

    /// <summary>The CA's certificate, without its key.</summary>
    public X509Certificate2 Authority { get; }

    public ECDsa AuthorityKey { get; }

    public ECDiffieHellman EnvelopeKey { get; }

    /// <exception cref="IdentityException">The files are damaged, foreign, readable by others or can't be read; the message says what to do.</exception>
    public static IdentityFiles OpenOrCreate(string dataDirectory, TimeProvider clock)
    {
        var directory = Path.Combine(dataDirectory, "identity");
        try
        {
            if (!Directory.Exists(directory) || !Directory.EnumerateFileSystemEntries(directory).Any())
                Create(directory, clock);
            return Open(directory);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new IdentityException($"{directory} can't be used: {fault.Message}");
        }
    }

    private static void Create(string directory, TimeProvider clock)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var envelope = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Fleet authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: true, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        var now = clock.GetUtcNow();
        // Days, not minutes: an office whose clock is off must still find its CA valid.
        using var authority = request.CreateSelfSigned(now.AddDays(-7), now + AuthorityLifetime);

        // Written beside and then renamed: a crash in the middle leaves no half identity.
        var fresh = directory + ".new";
        if (Directory.Exists(fresh))
            Directory.Delete(fresh, recursive: true);
        Directory.CreateDirectory(fresh);
        Write(Path.Combine(fresh, AuthorityKeyFile), key.ExportPkcs8PrivateKeyPem());
        Write(Path.Combine(fresh, EnvelopeKeyFile), envelope.ExportPkcs8PrivateKeyPem());
        Write(Path.Combine(fresh, AuthorityFile), authority.ExportCertificatePem());
        if (Directory.Exists(directory))
            Directory.Delete(directory);
        Directory.Move(fresh, directory);
    }

    private static IdentityFiles Open(string directory)
    {
        var key = Import(directory, AuthorityKeyFile, pem =>
        {
            var read = ECDsa.Create();
            read.ImportFromPem(pem);
            return read;
        });
        var envelope = Import(directory, EnvelopeKeyFile, pem =>
        {
            var read = ECDiffieHellman.Create();
            read.ImportFromPem(pem);
            return read;
        });
        var authority = Import(directory, AuthorityFile, pem => X509Certificate2.CreateFromPem(pem));
        if (!authority.PublicKey.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(key.ExportSubjectPublicKeyInfo()))
            throw new IdentityException($"{directory}: {AuthorityFile} and {AuthorityKeyFile} are not of one CA; restore both from one backup");
        return new IdentityFiles(authority, key, envelope);
    }

    private static T Import<T>(string directory, string name, Func<string, T> import)
    {
        var path = Path.Combine(directory, name);
        if (!File.Exists(path))
            throw new IdentityException($"{path} is missing; restore the directory from a backup (a new identity would make every office and agent enrol anew)");
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & ~OwnerOnly) != 0 && path.EndsWith(".key", StringComparison.Ordinal))
            throw new IdentityException($"{path} can be read by others; run: chmod 600 {path}");
        try
        {
            return import(File.ReadAllText(path));
        }
        catch (Exception damaged) when (damaged is CryptographicException or ArgumentException)
        {
            throw new IdentityException($"{path} is damaged or no file of Fleet ({damaged.Message}); restore the directory from a backup");
        }
    }

    private static void Write(string path, string text)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = OwnerOnly;
        using var file = new FileStream(path, options);
        file.Write(System.Text.Encoding.ASCII.GetBytes(text));
        file.Flush(flushToDisk: true);
    }
}

/// <summary>Headquarters' identity can't be used; the message names the file and what to do.</summary>
public sealed class IdentityException(string message) : Exception(message);
