using System.Data.Common;
using System.Text.Json;
using Fleet.Contracts;
using Fleet.Headquarters.ReadModel;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Fleet.Headquarters.Api;

/// <summary>Refusals as problem details (RFC 9457): <c>code</c> is the name of the <see cref="RefusalCode"/>, <c>type</c> a URN with it.</summary>
internal static class ApiProblems
{
    private const string CodeField = "code";

    public static ProblemHttpResult Problem(this Refusal refusal) => TypedResults.Problem(
        detail: refusal.Detail,
        statusCode: StatusOf(refusal.Code),
        title: Title(refusal.Code),
        type: $"urn:fleet:refusal:{JsonNamingPolicy.KebabCaseLower.ConvertName(refusal.Code.ToString())}",
        extensions: [new KeyValuePair<string, object?>(CodeField, refusal.Code.ToString())]);

    public static int StatusOf(Exception fault) => fault switch
    {
        BadHttpRequestException bad => bad.StatusCode,
        DbException => StatusCodes.Status503ServiceUnavailable,
        _ => StatusCodes.Status500InternalServerError,
    };

    /// <summary>Says what is wrong with a request that could not be read, or that can't be answered for now.</summary>
    public static void Explain(ProblemDetailsContext context)
    {
        if (context.Exception is DbException fault)
        {
            context.ProblemDetails.Detail = $"headquarters' database can't be read now: {context.HttpContext.RequestServices.GetRequiredService<ReadModelStore>().Say(fault)}";
            context.ProblemDetails.Extensions[CodeField] = nameof(RefusalCode.Busy);
        }

        if (context.Exception is not BadHttpRequestException bad)
            return;
        context.ProblemDetails.Detail = bad.InnerException is JsonException json ? $"the body is not the JSON that is wanted here: {json.Message}" : bad.Message;
        context.ProblemDetails.Extensions[CodeField] = nameof(RefusalCode.Invalid);
    }

    private static int StatusOf(RefusalCode code) => code switch
    {
        RefusalCode.NotFound => StatusCodes.Status404NotFound,
        RefusalCode.Invalid => StatusCodes.Status400BadRequest,
        RefusalCode.NotAllowed => StatusCodes.Status403Forbidden,
        RefusalCode.Busy or RefusalCode.HeadquartersUnreachable => StatusCodes.Status503ServiceUnavailable,
        RefusalCode.TooLarge => StatusCodes.Status413PayloadTooLarge,
        _ => StatusCodes.Status409Conflict,
    };

    private static string Title(RefusalCode code)
    {
        var words = JsonNamingPolicy.KebabCaseLower.ConvertName(code.ToString()).Replace('-', ' ');
        return char.ToUpperInvariant(words[0]) + words[1..];
    }
}
