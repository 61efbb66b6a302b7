using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Serialization.Metadata;
using Akka.Actor;
using Fleet.Contracts;
using Fleet.Contracts.Api;
using Fleet.Contracts.Identity;
using Fleet.Contracts.Storage;
using Fleet.Headquarters.Api;
using Fleet.Headquarters.Backups;
using Fleet.Headquarters.Cluster;
using Fleet.Headquarters.Identity;
using Fleet.Headquarters.Links;
using Fleet.Headquarters.Monitoring;
using Fleet.Headquarters.ReadModel;
using Fleet.Headquarters.Storage;
using Fleet.Headquarters.Updates;
using Fleet.Headquarters.Web;
using Fleet.Messages.Transport;
using Microsoft.Extensions.Logging.Abstractions;

namespace Fleet.Headquarters.Tests.Web;

/// <summary>Console and REST API over real twins, at a port of their own.</summary>
public sealed class TestFaces : IAsyncLifetime
{
    /// <summary>Bytes of content that may be uploaded.</summary>
    public const int Quota = 1_000_000;

    private readonly string _directory = Directory.CreateTempSubdirectory("fleet-faces-").FullName;
    private DataDirectory? _data;
    private WebFace? _face;
    private TenantRepository? _updates;
    private VendorMirrors? _vendors;

    internal TestCompany Company { get; private set; } = null!;

    internal TenantRepository Updates => _updates!;

    internal VendorMirrors Vendors => _vendors!;

    public AdminToken Token { get; private set; } = null!;

    public Uri Address => new($"https://127.0.0.1:{_face!.Local.Port}");

    /// <summary>Calls as the administrator.</summary>
    public HttpClient Api { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Company = await TestCompany.Start();
        _data = DataDirectory.Open(_directory, "headquarters");
        var credentials = AdminCredentials.OpenOrCreate(_data, PeerTrust.PinOf(Company.Authority.Authority));
        Assert.True(AdminToken.TryParse(File.ReadAllText(_data.PathOf(AdminCredentials.TokenFile)), out var token, out _));
        Token = token!;
        _updates = await TenantRepository.Open(_data.PathOf("updates"), HeadquartersOptions.Load(null, [$"updates.quota={Quota}"]).Updates, Company.Authority, TimeProvider.System, NullLoggerFactory.Instance);
        _vendors = await VendorMirrors.Open(
            _data.PathOf("vendors"), Updates, new VendorQueries(Company.Store).All, HeadquartersOptions.Load(null, []).Updates, TimeProvider.System, NullLoggerFactory.Instance);
        _face = await Start(Company, Company.Cluster.Company, Updates, Vendors, credentials, _data.PathOf("keys"), TimeSpan.FromSeconds(10));
        Api = Client(Address, token!.Bearer);
    }

    public async Task DisposeAsync()
    {
        Api.Dispose();
        await _face!.DisposeAsync();
        await _vendors!.DisposeAsync();
        await _updates!.DisposeAsync();
        _data!.Dispose();
        await Company.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    /// <summary>The faces of a company whose own actor is <paramref name="company"/>.</summary>
    internal static Task<WebFace> Start(TestCompany twins, IActorRef company, TenantRepository updates, VendorMirrors vendors, AdminCredentials credentials, string keys, TimeSpan askTimeout) =>
        WebFace.Start(new WebParts(
            new WebOptions(IPAddress.Loopback, Port: 0, "localhost", askTimeout, SettleTimeout: TimeSpan.FromSeconds(5), Session: TimeSpan.FromHours(1)),
            new Owners(company, twins.Cluster.Offices, askTimeout),
            twins.Cluster.View,
            new ClusterInvitations(keys, twins.Authority, TimeProvider.System, NullLogger<ClusterInvitations>.Instance),
            ClusterOptions.Alone,
            new EnrolmentDial(new TcpNetwork(), "127.0.0.1:1", TimeSpan.FromSeconds(5), TimeProvider.System),
            twins.Store,
            updates,
            vendors,
            Maker(twins, updates, keys),
            credentials,
            new ShownCertificate(twins.Authority.Own, twins.Authority.Authority),
            TestOffices.Options.Discovery,
            twins.Authority.EnvelopePublicKey,
            keys,
            "1.2.3",
            TimeProvider.System,
            NullLoggerFactory.Instance)
        {
            Scheduled = new ScheduledBackups(HeadquartersOptions.Load(null, []).Backups, Maker(twins, updates, keys), () => true, HeadquartersMeter.Unheard, TimeProvider.System, NullLogger<ScheduledBackups>.Instance),
            Storage = new StorageView(StorageProvider.Sqlite, twins.Journal, twins.Store, twins.Cluster.ReadModelWriter, askTimeout),
            Overload = twins.Overload,
        });

    private static BackupMaker Maker(TestCompany twins, TenantRepository updates, string keys) =>
        new(Path.GetDirectoryName(keys)!, StorageProvider.Sqlite, twins.Journal, updates, null, "1.2.3", TimeProvider.System, NullLogger<BackupMaker>.Instance);

    public static HttpClient Client(Uri address, string? bearer)
    {
        var client = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            SslOptions = { RemoteCertificateValidationCallback = (_, _, _, _) => true },
        })
        { BaseAddress = address };
        if (bearer is not null)
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", bearer);
        return client;
    }

    /// <summary>Sends the login form.</summary>
    public static Task<HttpResponseMessage> LogIn(HttpClient client, string token, string query = "") =>
        client.PostAsync("/login" + query, new FormUrlEncodedContent([new("token", token)]));

    public async Task<T> Get<T>(string path, JsonTypeInfo<T> type) => (await Api.GetFromJsonAsync(path, type))!;

    public async Task<T> Post<TBody, T>(string path, TBody body, JsonTypeInfo<TBody> sent, JsonTypeInfo<T> answer)
    {
        using var response = await Api.PostAsJsonAsync(path, body, sent);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
        return (await response.Content.ReadFromJsonAsync(answer))!;
    }

    public Task<OfficeResource> AddOffice(string id, string? title = null) =>
        Post("/api/v1/offices", new NewOffice(id, title), ApiJson.Default.NewOffice, ApiJson.Default.OfficeResource);

    /// <summary>What was refused, and with which status.</summary>
    public static async Task<(HttpStatusCode Status, string? Code, string Detail)> Problem(HttpResponseMessage response)
    {
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        var problem = await response.Content.ReadFromJsonAsync(ApiJson.Default.ProblemResource);
        return (response.StatusCode, problem!.Code, problem.Detail ?? "");
    }
}
