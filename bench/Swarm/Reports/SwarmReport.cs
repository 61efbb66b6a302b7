using System.Text.Json;
using Fleet.NatLab.Topologies;

namespace Fleet.Swarm.Reports;

/// <summary>A run, for people and for programs.</summary>
/// <param name="Machine">On which swarm and, usually, headquarters ran: processors, memory, system.</param>
internal sealed record SwarmReport(string Scenario, DateTimeOffset At, string Machine, int Offices, long Devices, IReadOnlyList<PhaseFigures> Phases, IReadOnlyList<Sample> Samples)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    public static string ThisMachine { get; } =
        $"{Environment.ProcessorCount} processors, {GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 30} GiB, {System.Runtime.InteropServices.RuntimeInformation.OSDescription}";

    public string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <exception cref="LabException">A file can't be written.</exception>
    public void Write(string? jsonFile, string? htmlFile)
    {
        try
        {
            if (jsonFile is not null)
                File.WriteAllText(jsonFile, ToJson());
            if (htmlFile is not null)
                File.WriteAllText(htmlFile, HtmlReport.Of(this));
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new LabException($"the report can't be written: {fault.Message}");
        }
    }
}
