namespace Fleet.Headquarters.ReadModel;

/// <summary>What the node that writes the read model anew notes for all others (<see cref="ReadModelStore.Note"/>).</summary>
internal static class RebuildFacts
{
    /// <summary>The row of the journal that it is at; absent: none is under way.</summary>
    public const string Reached = "rebuild";

    /// <summary>The one that it goes to.</summary>
    public const string End = "rebuild-end";

    /// <summary>When the last one was through, in Unix milliseconds.</summary>
    public const string Done = "rebuilt-at";
}
