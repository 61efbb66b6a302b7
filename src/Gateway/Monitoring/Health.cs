using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Fleet.Gateway.Monitoring;

/// <summary>How one thing stands that a program needs to serve.</summary>
public enum HealthState
{
    Fine = 1,

    /// <summary>It serves, but not all of it, or not for long.</summary>
    Degraded = 2,

    Failed = 3,
}

/// <param name="Why">For people; empty where all is well.</param>
public readonly record struct Health(HealthState State, string Why)
{
    public static Health Fine { get; } = new(HealthState.Fine, "");

    public static Health Degraded(string why) => new(HealthState.Degraded, why);

    public static Health Failed(string why) => new(HealthState.Failed, why);

    /// <summary>Fine, or failed with what is said.</summary>
    public static Health Unless(string? problem) => problem is null ? Fine : Failed(problem);
}

/// <summary>One thing that is looked at when somebody asks how the program is.</summary>
/// <param name="Look">Ends in time by itself; from any thread.</param>
public sealed record HealthCheck(string Name, Func<CancellationToken, Task<Health>> Look)
{
    /// <summary>A look that takes no time.</summary>
    public HealthCheck(string name, Func<Health> look)
        : this(name, _ => Task.FromResult(look()))
    {
    }
}

/// <summary>
/// Answers <c>/health/…</c>: <c>{"status":"fine","checks":[{"name":"journal","status":"failed","why":"…"}]}</c>, 503 where something failed, else 200.
/// </summary>
internal static class HealthAnswer
{
    public static async Task Write(HttpContext http, IReadOnlyList<HealthCheck> checks)
    {
        var seen = await Task.WhenAll(checks.Select(async c => (c.Name, Health: await Look(c, http.RequestAborted))));
        var worst = seen.Select(s => s.Health.State).DefaultIfEmpty(HealthState.Fine).Max();
        http.Response.StatusCode = worst == HealthState.Failed ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status200OK;
        http.Response.ContentType = "application/json";
        http.Response.Headers.CacheControl = "no-store";
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("status", Name(worst));
            json.WriteStartArray("checks");
            foreach (var (name, health) in seen)
            {
                json.WriteStartObject();
                json.WriteString("name", name);
                json.WriteString("status", Name(health.State));
                if (health.Why.Length > 0)
                    json.WriteString("why", health.Why);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        await http.Response.Body.WriteAsync(buffer.GetBuffer().AsMemory(0, (int)buffer.Length), http.RequestAborted);
    }

    // Whoever asks wants to know what is wrong, whatever it is: a look that throws is an answer as well.
    private static async Task<Health> Look(HealthCheck check, CancellationToken cancellation)
    {
        try
        {
            return await check.Look(cancellation);
        }
        catch (Exception fault) when (fault is not OperationCanceledException)
        {
            return Health.Failed(fault.GetBaseException().Message);
        }
    }

    private static string Name(HealthState state) => state switch
    {
        HealthState.Fine => "fine",
        HealthState.Degraded => "degraded",
        _ => "failed",
    };
}
