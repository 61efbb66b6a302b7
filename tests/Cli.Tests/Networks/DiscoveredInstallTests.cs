using Fleet.Contracts.Api;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Fleet.Cli.Tests.Networks;

public sealed class DiscoveredInstallTests : IDisposable
{
    private const string Key = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk=\n-----END OPENSSH PRIVATE KEY-----";

    private static readonly DiscoveredResource Till =
        new("n-1", "till-9", "leeds", "", "", "", [], [], [], "", DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, "gw1.leeds", "ip-range", ["ip-range"], false, null);

    private readonly TestTerminal _terminal = new();

    public void Dispose() => _terminal.Dispose();

    [Fact]
    public async Task Secrets_are_read_from_files_as_they_stand_there()
    {
        NewInstall? wanted = null;
        await using var api = await FakeApi.Start(host =>
        {
            host.MapGet("/api/v1/discovered/n-1", () => Till);
            host.MapPost("/api/v1/discovered/n-1/install", (NewInstall install) =>
            {
                wanted = install;
                return TypedResults.Accepted("", new InstallResource("i-1", "leeds", "n-1", "till-9", "gw1.leeds", "192.168.1.20", 22, "installed", null, "", "", "d-1", DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch));
            });
        });

        (await _terminal.Run("discovered", "install", "n-1", "--user", "admin", "--password", await Kept("password", "# --port 1\n"), "--key", await Kept("key", Key), "--url", api.Url,
            "--token", await Kept("token", FakeApi.Token.ToText()))).Done();

        Assert.Equal(("admin", "# --port 1", Key, 22), (wanted!.User, wanted.Password, wanted.PrivateKey, wanted.Port));
    }

    private async Task<string> Kept(string name, string text)
    {
        var file = Path.Combine(_terminal.Home, name);
        await File.WriteAllTextAsync(file, text);
        return "@" + file;
    }
}
