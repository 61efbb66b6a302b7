using Fleet.Headquarters.Web;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Fleet.Headquarters.Api;

/// <summary>What the OpenAPI document says beside what the endpoints say themselves.</summary>
internal static class ApiDocument
{
    private const string ProblemType = "application/problem+json";

    public static void Describe(OpenApiOptions options)
    {
        options.AddDocumentTransformer((document, _, _) =>
        {
            document.Info = new OpenApiInfo
            {
                Title = "Fleet",
                Version = "v1",
                Description = "Steers offices, their nodes and devices. Lists come in pages: ask again with 'after' set to the page's 'next' until there is none. "
                    + "Refusals are problem details (RFC 9457); their 'code' is stable.",
            };
            document.Components ??= new OpenApiComponents();
            document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>
            {
                [AdminAuthentication.Api] = new OpenApiSecurityScheme
                {
                    Type = SecuritySchemeType.Http,
                    Scheme = "bearer",
                    Description = "The secret part of the administrator token: what stands between its two dots.",
                },
            };
            document.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(AdminAuthentication.Api, document)] = [] }];
            return Task.CompletedTask;
        });
        options.AddOperationTransformer((operation, _, _) =>
        {
            operation.Responses ??= [];
            operation.Responses["default"] = new OpenApiResponse
            {
                Description = "Refused; 'code' and 'detail' say why.",
                Content = new Dictionary<string, OpenApiMediaType> { [ProblemType] = new OpenApiMediaType() },
            };
            return Task.CompletedTask;
        });
    }
}
