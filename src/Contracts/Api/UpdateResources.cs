namespace Fleet.Contracts.Api;

/// <summary>A version of a package that devices may install.</summary>
/// <param name="Kind">How it is installed: <c>archive</c>, <c>deb</c>, <c>msi</c> or <c>script</c>.</param>
/// <param name="Files">How many.</param>
/// <param name="Length">Bytes of all files.</param>
/// <param name="Manifest">SHA-256 of its manifest, which names the files; as signed.</param>
public sealed record UpdateResource(string Name, string Version, string Kind, int Files, long Length, DateTimeOffset PublishedAt, string Manifest);

/// <summary>A version of a package with its files.</summary>
public sealed record UpdateDetailResource(UpdateResource Update, IReadOnlyList<UpdateFileResource> Files);

/// <param name="Path">Below the package's folder, with <c>/</c> between.</param>
/// <param name="Mode">Permission bits as on Unix, in octal: <c>644</c>.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Sha256">Of its content, in lower-case hexadecimal.</param>
public sealed record UpdateFileResource(string Path, string Mode, long Length, string Sha256);

/// <summary>POST /api/v1/updates: a version of a package over content that headquarters has.</summary>
/// <param name="Kind"><c>archive</c>, <c>deb</c>, <c>msi</c> or <c>script</c>.</param>
public sealed record NewUpdate(string Name, string Version, string Kind, IReadOnlyList<NewUpdateFile> Files);

/// <inheritdoc cref="UpdateFileResource"/>
public sealed record NewUpdateFile(string Path, string Mode, string Sha256);

/// <summary>The answer to a publication.</summary>
/// <param name="Changed">False when the same was published before.</param>
public sealed record UpdatePublished(UpdateResource Update, bool Changed);

/// <summary>Content that headquarters does not have.</summary>
/// <param name="Have">Bytes from its beginning that are there from a transfer that was cut.</param>
public sealed record MissingContent(string Sha256, long Have);
