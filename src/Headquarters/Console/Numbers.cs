using System.Globalization;

namespace Fleet.Headquarters.Console;

/// <summary>Numbers as pages show them.</summary>
internal static class Numbers
{
    /// <summary>With its thousands apart: 100,000.</summary>
    public static string Grouped(this int number) => number.ToString("N0", CultureInfo.InvariantCulture);
}
