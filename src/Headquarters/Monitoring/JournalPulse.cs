namespace Fleet.Headquarters.Monitoring;

/// <summary>Whether the journal worked when it was last needed. A twin that recovers reads it, so that a quiet headquarters notices as well that it is back. For several threads.</summary>
public sealed class JournalPulse
{
    private volatile string? _problem;

    /// <summary>Why it failed the last time; null: it worked, or was not needed yet.</summary>
    public string? Problem => _problem;

    public void Worked() => _problem = null;

    public void Failed(string why) => _problem = why;
}
