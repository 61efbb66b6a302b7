using Fleet.Backups;
using Fleet.Contracts.Api;
using Fleet.Headquarters.Backups;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Fleet.Headquarters.Api;

/// <summary><c>/api/v1/backups</c>.</summary>
internal static class BackupEndpoints
{
    private const string FileType = "application/octet-stream";

    public static void MapBackups(this IEndpointRouteBuilder api)
    {
        api.MapGet("/backups", ListBackups).WithTags("Fleet").WithSummary("The backups that headquarters makes by itself, the newest first, and whether one is missed.");
        api.MapPost("/backups", Create).WithTags("Fleet").WithSummary("Makes a backup of headquarters and answers with it. An answer that is cut is no backup: its end is missing.")
            .Produces(StatusCodes.Status200OK, contentType: FileType).ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status503ServiceUnavailable);
    }

    private static Ok<BackupsResource> ListBackups(ScheduledBackups scheduled)
    {
        var stored = scheduled.Stored();
        return TypedResults.Ok(new BackupsResource(
            scheduled.Options.AreMade ? scheduled.Options.Folder : null, scheduled.Next(stored), scheduled.Problem(stored), [.. stored.Select(b => new StoredBackupResource(b.Name, b.Length, b.MadeAt))]));
    }

    private static async Task Create(NewBackup wanted, HttpContext http, BackupMaker backups, CancellationToken cancellation)
    {
        var refusal = Problem(wanted);
        if (refusal is null)
        {
            http.Response.ContentType = FileType;
            // It is compressed and encrypted piece by piece, on a thread of its own.
            http.Features.GetRequiredFeature<IHttpBodyControlFeature>().AllowSynchronousIO = true;
            refusal = await backups.Make(http.Response.Body, wanted.Passphrase, !wanted.WithoutContent, cancellation);
        }

        if (refusal is not null)
            await refusal.Problem().ExecuteAsync(http);
    }

    private static Refusal? Problem(NewBackup wanted) => wanted switch
    {
        { Passphrase: null, Plain: false } => Refusal.Invalid("a backup holds headquarters' keys: name a passphrase for it, or say 'plain'"),
        { Passphrase: not null, Plain: true } => Refusal.Invalid("a backup is encrypted with a passphrase or plain, not both"),
        { Passphrase.Length: < BackupSeal.LeastPassphrase } => Refusal.Invalid($"the passphrase of a backup has at least {BackupSeal.LeastPassphrase} characters"),
        _ => null,
    };
}
