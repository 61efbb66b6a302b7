using System.Globalization;
using System.Text.RegularExpressions;
using Fleet.Micro;

namespace Fleet.Bench;

/// <summary>The smallest parts of what headquarters, nodes and devices do all the time, one by one, by BenchmarkDotNet.</summary>
internal static partial class Micro
{
    public static Benchmark Benchmark { get; } = new("micro", "envelopes, serializer, presence and TUF verification by BenchmarkDotNet", Run);

    private static async Task<IReadOnlyDictionary<string, double>> Run(BenchOptions options, Action<string> step, CancellationToken stop)
    {
        var measured = await Task.Run(MicroBenchmarks.Run, stop).WaitAsync(stop).ConfigureAwait(false);
        foreach (var figure in measured)
            step(string.Create(CultureInfo.InvariantCulture, $"{figure.Name,-26} {figure.Nanoseconds / 1000,12:0.00} µs  ± {figure.Deviation / 1000,-10:0.00} {figure.Bytes,12:#,0} bytes allocated"));
        return measured.SelectMany(f => new[] { KeyValuePair.Create($"{NameOf(f)}_us", Math.Round(f.Nanoseconds / 1000, 2)), KeyValuePair.Create($"{NameOf(f)}_bytes", (double)f.Bytes) }).ToDictionary();
    }

    private static string NameOf(MicroFigure figure) => WordStart().Replace(figure.Name, "_$0").ToLowerInvariant();

    [GeneratedRegex("(?<!^)[A-Z]|(?<=[a-z])[0-9]")]
    private static partial Regex WordStart();
}
