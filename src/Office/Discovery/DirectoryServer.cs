using Fleet.Messages.Link;

namespace Fleet.Office.Discovery;

/// <summary>A directory to ask, its password opened. Lives for one run, in memory alone.</summary>
/// <param name="Password">Null: an anonymous bind.</param>
public sealed record DirectoryServer(DirectorySource Source, string? Password)
{
    /// <summary>Without the password: records print what they hold.</summary>
    public override string ToString() => $"{Source.Host}:{Source.Port}";
}
