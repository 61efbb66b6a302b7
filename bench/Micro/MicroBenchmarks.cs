using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace Fleet.Micro;

/// <summary>Runs the micro-benchmarks, short ones, in this process: what they measure is compiled once and nothing is built on the way.</summary>
internal static class MicroBenchmarks
{
    private static readonly Type[] All = [typeof(EnvelopeBenchmarks), typeof(SerializerBenchmarks), typeof(PresenceBenchmarks), typeof(TufBenchmarks)];

    /// <exception cref="InvalidOperationException">One of them failed.</exception>
    public static IReadOnlyList<MicroFigure> Run()
    {
        var artifacts = Directory.CreateTempSubdirectory("fleet-micro-");
        try
        {
            // Packages that were built for debugging are refused otherwise; ours are not, and theirs are what the product runs on.
            var config = ManualConfig.CreateEmpty().AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance)).AddDiagnoser(MemoryDiagnoser.Default)
                .AddLogger(NullLogger.Instance).WithArtifactsPath(artifacts.FullName).WithOptions(ConfigOptions.DisableOptimizationsValidator | ConfigOptions.DisableLogFile);
            return [.. All.SelectMany(type => BenchmarkRunner.Run(type, config).Reports).Select(report => new MicroFigure(
                report.BenchmarkCase.Descriptor.WorkloadMethod.Name,
                (report.ResultStatistics ?? throw new InvalidOperationException($"{report.BenchmarkCase.DisplayInfo} failed")).Mean,
                report.ResultStatistics.StandardDeviation,
                report.GcStats.GetBytesAllocatedPerOperation(report.BenchmarkCase) ?? 0))];
        }
        finally
        {
            artifacts.Delete(recursive: true);
        }
    }
}

/// <param name="Bytes">Allocated by each.</param>
internal sealed record MicroFigure(string Name, double Nanoseconds, double Deviation, long Bytes);
