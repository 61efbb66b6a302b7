namespace Fleet.Contracts.Api;

/// <summary>What an operator writes: settings for the devices that the selector picks. PUT /api/v1/policies/{name}, and the policy files of the CLI.</summary>
/// <param name="Name">The policy's name; in a PUT it may be left to the address.</param>
/// <param name="Offices">Offices it applies to; absent or empty = all.</param>
/// <param name="Labels">Labels that a device must all have, with these values; absent or empty = any device.</param>
/// <param name="Priority">Where policies set the same key, the higher priority wins; equal ones go by name.</param>
/// <param name="Settings">Keys and values, both texts.</param>
public sealed record PolicyContent(
    string? Name = null,
    IReadOnlyList<string>? Offices = null,
    IReadOnlyDictionary<string, string>? Labels = null,
    int Priority = 0,
    IReadOnlyDictionary<string, string>? Settings = null);

/// <summary>A policy in the REST API.</summary>
public sealed record PolicyResource(
    string Name,
    ulong Version,
    IReadOnlyList<string> Offices,
    IReadOnlyDictionary<string, string> Labels,
    int Priority,
    IReadOnlyDictionary<string, string> Settings,
    DateTimeOffset AppliedAt,
    string AppliedBy);

/// <summary>The answer to a PUT.</summary>
/// <param name="Changed">False when the policy was the same as before.</param>
public sealed record PolicyChanged(string Name, ulong Version, bool Changed);
