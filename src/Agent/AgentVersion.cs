namespace Fleet.Agent;

/// <summary>The version this program was built as.</summary>
internal static class AgentVersion
{
    public static string Text { get; } = typeof(AgentVersion).Assembly.GetName().Version?.ToString(fieldCount: 3) ?? "0.0.0";
}
