using Fleet.Contracts;
using Fleet.Headquarters.Api;
using Fleet.Headquarters.Console.Pages;
using Fleet.Messages.Admission;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;

namespace Fleet.Headquarters.Web;

/// <summary>Lists wait while headquarters is overloaded: 503 with <c>Retry-After</c>. What an administrator decides, one thing by its name, the status and the incidents do not.</summary>
internal static class PuttingOff
{
    private static readonly PathString Api = "/api/v1";

    public static void UsePuttingOff(this IApplicationBuilder host, Overload overload) => host.Use(async (http, next) =>
    {
        if (!IsList(http.Request.Method, http.Request.Path) || overload.PutOff(Deferrable.Lists) is not { } wait)
        {
            await next(http);
            return;
        }

        var seconds = (int)Math.Ceiling(wait.TotalSeconds);
        http.Response.Headers[HeaderNames.RetryAfter] = seconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        var why = $"headquarters is overloaded: {overload.Why}. Lists wait so that offices and devices need not; try again in {seconds} s";
        IResult answer = http.Request.Path.StartsWithSegments(Api)
            ? new Refusal(RefusalCode.Busy, why).Problem()
            : new RazorComponentResult<BusyPage>(new Dictionary<string, object?> { [nameof(BusyPage.Why)] = $"{char.ToUpperInvariant(why[0])}{why[1..]}." })
            {
                StatusCode = StatusCodes.Status503ServiceUnavailable,
            };
        await answer.ExecuteAsync(http);
    });

    internal static bool IsList(string method, PathString path)
    {
        if (!HttpMethods.IsGet(method))
            return false;
        if (!path.StartsWithSegments(Api, out var below))
            return path.Value is "/" or "/discovered" or "/rollouts";
        var what = (below.Value ?? "").Trim('/');
        return what.Length > 0 && !what.Contains('/', StringComparison.Ordinal) && what is not ("status" or "incidents");
    }
}
