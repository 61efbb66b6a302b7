namespace Fleet.Contracts.Api;

/// <summary>An office in the REST API.</summary>
public sealed record OfficeResource(string Id, string Title, DateTimeOffset OpenedAt, int Nodes, int LinkedNodes, int Devices);

/// <summary>POST /api/v1/offices.</summary>
/// <param name="Title">What people call it; the id when absent.</param>
public sealed record NewOffice(string Id, string? Title = null);
