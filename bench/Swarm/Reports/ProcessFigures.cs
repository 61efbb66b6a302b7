using System.Diagnostics;

namespace Fleet.Swarm.Reports;

/// <summary>What a process of this machine takes.</summary>
/// <param name="ResidentMegabytes">0: it does not run.</param>
/// <param name="Processor">Processor time since it started.</param>
public readonly record struct ProcessFigures(double ResidentMegabytes, TimeSpan Processor)
{
    private const double Megabyte = 1024 * 1024;

    /// <param name="process">Its id; null: none is looked at.</param>
    public static ProcessFigures Of(int? process)
    {
        if (process is not { } id)
            return default;
        try
        {
            using var found = Process.GetProcessById(id);
            return new ProcessFigures(Math.Round(found.WorkingSet64 / Megabyte, 1), found.TotalProcessorTime);
        }
        catch (Exception gone) when (gone is ArgumentException or InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return default;
        }
    }
}
