using System.Security.Claims;
using System.Text.Encodings.Web;
using Fleet.Headquarters.Api;
using Fleet.Headquarters.Identity;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Options;

namespace Fleet.Headquarters.Web;

/// <summary>Who may use the faces: programs send the administrator token's secret with each call, browsers show it once and get a cookie.</summary>
internal static class AdminAuthentication
{
    public const string Api = "Bearer";
    public const string Console = CookieAuthenticationDefaults.AuthenticationScheme;
    public const string LoginPath = "/login";

    private const string StampClaim = "stamp";

    public static void AddAdminAuthentication(this IServiceCollection services, WebOptions options, AdminCredentials credentials, string keysDirectory)
    {
        services.AddDataProtection().SetApplicationName("fleet").PersistKeysToFileSystem(new DirectoryInfo(keysDirectory));
        services.AddAuthentication()
            .AddScheme<AuthenticationSchemeOptions, BearerHandler>(Api, null)
            .AddCookie(Console, cookie =>
            {
                cookie.LoginPath = LoginPath;
                cookie.Cookie.Name = "__Host-fleet";
                cookie.Cookie.HttpOnly = true;
                cookie.Cookie.SecurePolicy = CookieSecurePolicy.Always;
                cookie.Cookie.SameSite = SameSiteMode.Strict;
                cookie.ExpireTimeSpan = options.Session;
                cookie.SlidingExpiration = true;
                cookie.Events.OnValidatePrincipal = context =>
                {
                    // The administrator token was replaced: who logged in with the old one is out.
                    if (context.Principal?.FindFirstValue(StampClaim) != credentials.Stamp)
                        context.RejectPrincipal();
                    return Task.CompletedTask;
                };
            });
        services.AddAuthorization();
    }

    public static ClaimsPrincipal Administrator(string scheme, AdminCredentials credentials) =>
        new(new ClaimsIdentity([new Claim(ClaimTypes.Name, Owners.Administrator), new Claim(StampClaim, credentials.Stamp)], scheme));

    private sealed class BearerHandler(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logging, UrlEncoder encoder, AdminCredentials credentials)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, logging, encoder)
    {
        private const string Prefix = "Bearer ";

        protected override Task<AuthenticateResult> HandleAuthenticateAsync()
        {
            var header = Request.Headers.Authorization.ToString();
            if (!header.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase))
                return Task.FromResult(AuthenticateResult.NoResult());
            return Task.FromResult(credentials.Knows(header[Prefix.Length..].Trim())
                ? AuthenticateResult.Success(new AuthenticationTicket(Administrator(Scheme.Name, credentials), Scheme.Name))
                : AuthenticateResult.Fail("unknown token"));
        }

        protected override Task HandleChallengeAsync(AuthenticationProperties properties)
        {
            Response.Headers.WWWAuthenticate = Api;
            return TypedResults.Problem(
                detail: "show the administrator token's secret as 'Authorization: Bearer …'",
                statusCode: StatusCodes.Status401Unauthorized,
                title: "Not known").ExecuteAsync(Context);
        }
    }
}
