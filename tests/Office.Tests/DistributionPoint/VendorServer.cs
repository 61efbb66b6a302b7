using System.Text;
using Fleet.Contracts;
using Fleet.Contracts.Identity;
using Fleet.TestSupport;
using Microsoft.AspNetCore.Hosting;

namespace Fleet.Office.Tests.DistributionPoint;

/// <summary>A vendor's server with a copy of a repository, under a certificate that no machine trusts by itself, for one user.</summary>
internal sealed class VendorServer : IAsyncDisposable
{
    private readonly FolderServer _files;

    private VendorServer(FolderServer files, string pin) => (_files, Pin) = (files, pin);

    public const string User = "shop";
    public const string Password = "open sesame";

    public string Url => _files.Url;

    /// <summary>SHA-256 of its public key.</summary>
    public string Pin { get; }

    public static async Task<VendorServer> Start(TestAuthority authority, string folder)
    {
        var certificate = authority.Issue(PeerIdentity.Of(new DeviceId("vendor")));
        var knows = $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"{User}:{Password}"))}";
        return new VendorServer(await FolderServer.Start(folder, listen => listen.UseHttps(certificate), knows), Convert.ToHexStringLower(PeerTrust.PinOf(certificate)));
    }

    public ValueTask DisposeAsync() => _files.DisposeAsync();
}
