using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Text.Json.Serialization;
using Fleet.Contracts.Api;
using Fleet.Contracts.Identity;
using Fleet.Gateway.Service;
using Fleet.Headquarters.Api;
using Fleet.Headquarters.Backups;
using Fleet.Headquarters.Cluster;
using Fleet.Headquarters.Console;
using Fleet.Headquarters.Discovery;
using Fleet.Headquarters.Identity;
using Fleet.Headquarters.Links;
using Fleet.Headquarters.ReadModel;
using Fleet.Headquarters.Storage;
using Fleet.Headquarters.Updates;
using Fleet.Messages.Admission;
using Fleet.Messages.Transport;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using BadHttpRequestException = Microsoft.AspNetCore.Http.BadHttpRequestException;

namespace Fleet.Headquarters.Web;

/// <summary>What the faces show and whom they ask.</summary>
/// <param name="Dial">Reaches machines that wait to be enrolled.</param>
/// <param name="KeysDirectory">Where the keys of console sessions are kept.</param>
/// <param name="Discovery">What an office polls that has no schedule of its own.</param>
/// <param name="SecretsKey">Headquarters' own public key: what operators type in confidence is sealed with it.</param>
/// <param name="Network">Null: the machine's own sockets.</param>
public sealed record WebParts(
    WebOptions Options,
    Owners Owners,
    ClusterView Cluster,
    ClusterInvitations Invitations,
    ClusterOptions ClusterOptions,
    EnrolmentDial Dial,
    ReadModelStore ReadModel,
    TenantRepository Updates,
    VendorMirrors Vendors,
    BackupMaker Backups,
    AdminCredentials Credentials,
    ShownCertificate Certificate,
    DiscoveryOptions Discovery,
    byte[] SecretsKey,
    string KeysDirectory,
    string Version,
    TimeProvider Clock,
    ILoggerFactory Logging,
    IByteNetwork? Network = null)
{
    /// <summary>The backups that headquarters makes by itself.</summary>
    public required ScheduledBackups Scheduled { get; init; }

    /// <summary>What headquarters keeps.</summary>
    public required StorageView Storage { get; init; }

    /// <summary>Whether lists are put off.</summary>
    public Overload Overload { get; init; } = Overload.None;
}

/// <summary>The one HTTPS port for people and their programs: console, REST API, OpenAPI document. Listens from <see cref="Start"/> until disposed.</summary>
public sealed class WebFace : IAsyncDisposable
{
    private const long MaxBodyBytes = 1024 * 1024;
    private static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(10);

    private readonly WebApplication _host;
    private readonly CancellationTokenSource _stopping;

    private WebFace(WebApplication host, CancellationTokenSource stopping, IPEndPoint local) => (_host, _stopping, Local) = (host, stopping, local);

    /// <summary>Where it listens; the port is the one chosen where the options say 0.</summary>
    public IPEndPoint Local { get; }

    /// <exception cref="IOException">The port is in use or may not be used; the message names the setting.</exception>
    public static async Task<WebFace> Start(WebParts parts, CancellationToken cancellation = default)
    {
        var stopping = new CancellationTokenSource();
        // Empty: no environment variables, no files, no console of ASP.NET's own decide anything here.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = typeof(WebFace).Assembly.GetName().Name });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => Listen(kestrel, parts));
        AddServices(builder.Services, parts, stopping.Token);
        if (parts.Network is { } network)
            builder.Services.AddSingleton<IConnectionListenerFactory>(new ByteNetworkTransport(network));
        var host = builder.Build();
        Map(host, parts.Overload);
        var at = new IPEndPoint(parts.Options.Bind, parts.Options.Port);
        return new WebFace(host, stopping, await host.Open(at, "the console", "fleet.web", cancellation));
    }

    public async ValueTask DisposeAsync()
    {
        // First the endless answers, or the stop would wait for them.
        await _stopping.CancelAsync();
        await _host.Close();
        _stopping.Dispose();
    }

    private static void AddServices(IServiceCollection services, WebParts parts, CancellationToken stopping)
    {
        services.AddSingleton(parts.Logging);
        services.AddLogging();
        services.AddSingleton(parts.Clock);
        services.AddSingleton(parts.Owners);
        services.AddSingleton(parts.Cluster);
        services.AddSingleton(parts.Invitations);
        services.AddSingleton(parts.ClusterOptions);
        services.AddSingleton(parts.Dial);
        services.AddSingleton(parts.ReadModel);
        services.AddSingleton(parts.Updates);
        services.AddSingleton(parts.Vendors);
        services.AddSingleton(parts.Backups);
        services.AddSingleton(parts.Scheduled);
        services.AddSingleton(parts.Storage);
        services.AddSingleton(parts.Credentials);
        services.AddSingleton(new ReadModelQueries(parts.ReadModel, parts.Clock));
        services.AddSingleton(new NetworkQueries(parts.ReadModel));
        services.AddSingleton(new AptQueries(parts.ReadModel));
        services.AddSingleton(new DownloadQueries(parts.ReadModel));
        services.AddSingleton(new VendorQueries(parts.ReadModel));
        services.AddSingleton(new RolloutQueries(parts.ReadModel));
        services.AddSingleton(parts.Discovery);
        services.AddSingleton(new Secrets(parts.SecretsKey));
        services.AddSingleton(new Settled(parts.ReadModel.Changes, parts.Options.SettleTimeout, parts.Clock));
        services.AddSingleton(new ProgramFacts(parts.Version, parts.Clock.GetUtcNow(), parts.Certificate.Authority.NotAfter.ToUniversalTime(), stopping));
        services.AddRouting();
        // Bodies that can't be read are told as what they are, not as an empty 400.
        services.Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true);
        services.AddProblemDetails(problems => problems.CustomizeProblemDetails = ApiProblems.Explain);
        services.AddRazorComponents();
        services.AddOpenApi("v1", ApiDocument.Describe);
        services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull;
            json.SerializerOptions.NumberHandling = JsonNumberHandling.Strict;
            json.SerializerOptions.TypeInfoResolverChain.Insert(0, ApiJson.Default);
        });
        services.AddAdminAuthentication(parts.Options, parts.Credentials, parts.KeysDirectory);
    }

    private static void Map(WebApplication host, Overload overload)
    {
        host.UseExceptionHandler(new ExceptionHandlerOptions
        {
            StatusCodeSelector = ApiProblems.StatusOf,
            SuppressDiagnosticsCallback = handled => handled.Exception is BadHttpRequestException,
        });
        host.UseStatusCodePages();
        host.UseMissingPage();
        host.UseConsoleHeaders();
        host.UseAuthentication();
        host.UseAuthorization();
        // Behind the login: who does not belong here learns nothing of how headquarters is.
        host.UsePuttingOff(overload);
        host.MapOpenApi("/openapi/{documentName}.json");
        var api = host.MapGroup("/api/v1").RequireAuthorization(policy => policy.AddAuthenticationSchemes(AdminAuthentication.Api).RequireAuthenticatedUser());
        api.MapOffices();
        api.MapTokens();
        api.MapIncidents();
        api.MapNodes();
        api.MapDevices();
        api.MapPolicies();
        api.MapPolls();
        api.MapDiscovered();
        api.MapRules();
        api.MapUpdates();
        api.MapApt();
        api.MapVendors();
        api.MapDownloads();
        api.MapRepository();
        api.MapRollouts();
        api.MapCluster();
        api.MapBackups();
        api.MapStorage();
        api.MapFleet();
        host.MapConsole();
    }

    private static void Listen(KestrelServerOptions kestrel, WebParts parts)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = MaxBodyBytes;
        kestrel.Limits.MaxConcurrentConnections = 1000;
        kestrel.Listen(new IPEndPoint(parts.Options.Bind, parts.Options.Port), listen =>
        {
            listen.Protocols = HttpProtocols.Http1AndHttp2;
            listen.UseHttps(new TlsHandshakeCallbackOptions
            {
                HandshakeTimeout = HandshakeTimeout,
                OnConnection = _ => ValueTask.FromResult(new SslServerAuthenticationOptions
                {
                    ServerCertificateContext = parts.Certificate.Context(),
                    EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                    ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
                }),
            });
        });
    }
}
