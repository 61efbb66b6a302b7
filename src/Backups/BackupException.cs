namespace Fleet.Backups;

/// <summary>A file is no backup that can be used; the message says why and what to do.</summary>
public sealed class BackupException(string message) : Exception(message);
