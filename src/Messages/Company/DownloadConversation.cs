using MessagePack;

namespace Fleet.Messages.Company;

// The tasks that make distribution points download updates; they stand in the book of updates.

/// <summary>Adds the task, or changes the one of that name, which keeps its numbers and stays paused if it was.</summary>
[MessagePackObject]
public sealed record PutDownloadTask([property: Key(0)] DownloadTask Task, [property: Key(1)] string By) : ICompanyCommand;

[MessagePackObject]
public sealed record RemoveDownloadTask([property: Key(0)] string Name, [property: Key(1)] string By) : ICompanyCommand;

/// <summary>Makes the task run now.</summary>
[MessagePackObject]
public sealed record RunDownloadTask([property: Key(0)] string Name, [property: Key(1)] string By) : ICompanyCommand;

/// <summary>Ends the runs of the task that are under way; the next is begun as scheduled.</summary>
[MessagePackObject]
public sealed record CancelDownloadTask([property: Key(0)] string Name, [property: Key(1)] string By) : ICompanyCommand;

/// <param name="Paused">False: it goes on.</param>
[MessagePackObject]
public sealed record PauseDownloadTask([property: Key(0)] string Name, [property: Key(1)] bool Paused, [property: Key(2)] string By) : ICompanyCommand;
