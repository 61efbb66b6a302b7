using System.Reflection;
using System.Text.Json;
using Fleet.Contracts.Api;
using Fleet.Headquarters.Web;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Fleet.Headquarters.Api;

/// <summary>What the OpenAPI document says beside what the endpoints say themselves.</summary>
internal static class ApiDocument
{
    private const string ProblemType = "application/problem+json";

    public static void Describe(OpenApiOptions options) => options
        .AddDocumentTransformer((document, _, _) =>
        {
            DescribeAll(document);
            return Task.CompletedTask;
        })
        .AddOperationTransformer(async (operation, context, cancellation) =>
        {
            var problem = await context.GetOrCreateSchemaAsync(typeof(ProblemResource), null, cancellation);
            context.Document!.AddComponent(nameof(ProblemResource), problem);
            DescribeOperation(operation, context);
        });

    private static void DescribeAll(OpenApiDocument document)
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
        foreach (var schema in (document.Components.Schemas ?? new Dictionary<string, IOpenApiSchema>()).Values)
            LeaveOutNulls(schema);
    }

    private static void DescribeOperation(OpenApiOperation operation, OpenApiOperationTransformerContext context)
    {
        // Generated clients name their methods by it: devicesList, tokensCreate.
        var handler = context.Description.ActionDescriptor.EndpointMetadata.OfType<MethodInfo>().Single();
        operation.OperationId = JsonNamingPolicy.CamelCase.ConvertName(operation.Tags!.Single().Name + handler.Name);
        operation.Responses ??= [];
        operation.Responses["default"] = new OpenApiResponse
        {
            Description = "Refused; 'code' and 'detail' say why.",
            Content = new Dictionary<string, OpenApiMediaType>
            {
                [ProblemType] = new OpenApiMediaType { Schema = new OpenApiSchemaReference(nameof(ProblemResource), context.Document) },
            },
        };
    }

    // What has no value is absent (ApiJson), so it can't be required.
    private static void LeaveOutNulls(IOpenApiSchema schema)
    {
        foreach (var (name, property) in schema.Properties ?? new Dictionary<string, IOpenApiSchema>())
        {
            if (MayBeNull(property) || (property.OneOf ?? []).Any(MayBeNull))
                schema.Required?.Remove(name);
        }
    }

    private static bool MayBeNull(IOpenApiSchema schema) => schema.Type?.HasFlag(JsonSchemaType.Null) ?? false;
}
