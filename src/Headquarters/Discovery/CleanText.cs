namespace Fleet.Headquarters.Discovery;

/// <summary>Text that strangers on an office's network wrote, as it may be kept and shown.</summary>
internal static class CleanText
{
    /// <summary>Its first characters, without control characters, lone halves of surrogate pairs and blanks around it.</summary>
    /// <param name="most">Longest result, in characters.</param>
    public static string Of(string text, int most) => new string([.. text.Take(most).Where(c => !char.IsControl(c) && !char.IsSurrogate(c))]).Trim();
}
