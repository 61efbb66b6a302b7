using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Fleet.TestSupport;

namespace Fleet.Office.Tests.Discovery.Directories;

/// <summary>OpenLDAP's own server from the system's package, with a directory, a CA and ports of its own. It serves <c>dc=office,dc=test</c>.</summary>
internal sealed class PrivateSlapd : IDisposable
{
    public const string Base = "dc=office,dc=test";
    public const string User = "cn=admin,dc=office,dc=test";
    public const string Password = "correct horse";

    private readonly TempDirectory _files = new();
    private readonly Process _server;

    private PrivateSlapd(string entries, DateTimeOffset certificateUntil)
    {
        (Port, TlsPort) = (FreePorts.One(), FreePorts.One());
        Authority = WriteCertificates(certificateUntil);
        Directory.CreateDirectory(_files.Of("db"));
        File.WriteAllText(_files.Of("computers.schema"), Schema);
        File.WriteAllText(_files.Of("slapd.conf"), $"""
            include /etc/ldap/schema/core.schema
            include {_files.Of("computers.schema")}
            modulepath /usr/lib/ldap
            moduleload back_mdb
            TLSCertificateFile {_files.Of("server.pem")}
            TLSCertificateKeyFile {_files.Of("server.key")}
            sizelimit 400
            database mdb
            suffix {Base}
            rootdn {User}
            rootpw "{Password}"
            directory {_files.Of("db")}
            """);
        File.WriteAllText(_files.Of("entries.ldif"), entries);
        using (var load = Process.Start(Program("slapadd"), ["-q", "-f", _files.Of("slapd.conf"), "-l", _files.Of("entries.ldif")]))
        {
            load.WaitForExit();
            Assert.Equal(0, load.ExitCode);
        }

        // With a debug level, though none, it stays in the foreground and ends with us.
        _server = Process.Start(Program("slapd"), ["-f", _files.Of("slapd.conf"), "-h", $"ldap://127.0.0.1:{Port} ldaps://127.0.0.1:{TlsPort}", "-d", "0"]);
    }

    public int Port { get; }

    public int TlsPort { get; }

    /// <summary>The CA's certificate, DER.</summary>
    public byte[] Authority { get; }

    public static async Task<PrivateSlapd> Start(string entries, DateTimeOffset? certificateUntil = null)
    {
        Skip.IfNot(OperatingSystem.IsLinux() && File.Exists(Program("slapd")), "needs slapd (Debian and Ubuntu: apt-get install slapd)");
        var server = new PrivateSlapd(entries, certificateUntil ?? DateTimeOffset.UtcNow.AddDays(2));
        try
        {
            await Until.True(() => Opens(server.TlsPort), "slapd listens");
            return server;
        }
        catch
        {
            server.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        _server.Kill();
        _server.WaitForExit();
        _server.Dispose();
        _files.Dispose();
    }

    private byte[] WriteCertificates(DateTimeOffset until)
    {
        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=office CA", authorityKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        using var authority = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-30), DateTimeOffset.UtcNow.AddDays(30));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var server = new CertificateRequest("CN=dc1", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        server.CertificateExtensions.Add(names.Build());
        using var certificate = server.Create(authority, DateTimeOffset.UtcNow.AddDays(-20), until, [1, 2, 3, 4]);
        File.WriteAllText(_files.Of("server.pem"), certificate.ExportCertificatePem());
        File.WriteAllText(_files.Of("server.key"), key.ExportPkcs8PrivateKeyPem());
        return authority.RawData;
    }

    private static string Program(string name) => $"/usr/sbin/{name}";

    private static async Task<bool> Opens(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>As much of Active Directory's schema as a poll reads; the numbers are Microsoft's.</summary>
    private const string Schema = """
        attributetype ( 1.2.840.113556.1.4.619 NAME 'dNSHostName' EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
        attributetype ( 1.2.840.113556.1.4.363 NAME 'operatingSystem' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
        attributetype ( 1.2.840.113556.1.4.364 NAME 'operatingSystemVersion' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
        attributetype ( 1.2.840.113556.1.4.2 NAME 'objectGUID' EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
        attributetype ( 1.2.840.113556.1.4.782 NAME 'objectCategory' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
        objectclass ( 1.2.840.113556.1.3.30 NAME 'computer' SUP top STRUCTURAL MUST cn MAY ( dNSHostName $ operatingSystem $ operatingSystemVersion $ objectGUID $ objectCategory ) )
        """;
}
