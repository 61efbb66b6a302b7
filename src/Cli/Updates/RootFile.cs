using Fleet.Cli.Output;
using Fleet.Updates.Tuf.Repository;

namespace Fleet.Cli.Updates;

/// <summary>The next root on its way between headquarters and those who sign it.</summary>
internal static class RootFile
{
    private const int MaxBytes = 1024 * 1024;

    /// <exception cref="CommandFailure">It can't be read, or is none.</exception>
    public static byte[] Read(string path)
    {
        var document = Bytes(path);
        try
        {
            MetadataDocument.ReadRoot(document);
            return document;
        }
        catch (FormatException wrong)
        {
            throw new CommandFailure($"{path} is no root of an update repository: {wrong.Message}");
        }
    }

    public static byte[] Bytes(string path)
    {
        try
        {
            return new FileInfo(path).Length <= MaxBytes ? File.ReadAllBytes(path) : throw new CommandFailure($"{path} is larger than {MaxBytes} bytes");
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure($"{path} can't be read: {fault.Message}");
        }
    }

    public static void Write(string path, byte[] content)
    {
        try
        {
            File.WriteAllBytes(path, content);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure($"{path} can't be written: {fault.Message}");
        }
    }

    /// <summary>What is signed: whoever signs it must see that.</summary>
    public static void Told(Display display, string path, byte[] document, string next)
    {
        var root = MetadataDocument.ReadRoot(document);
        var told = new RootFileResource(path, root.Version, root.Expires, root.Roles.ToDictionary(r => r.Key, IReadOnlyList<string> (r) => [.. r.Value.Keys.Keys.Order(StringComparer.Ordinal)]), MetadataDocument.SignersOf(document));
        display.Show(told, UpdateJson.Default.RootFileResource, () =>
        {
            display.Facts(
            [
                ("file", path),
                ("root", $"version {told.Version}, until {Words.At(told.Expires)}"),
                ("signed by", Words.Many(told.SignedBy)),
                ("next", next),
            ]);
            display.Section("It trusts", ["ROLE", "KEYS"], told.Trusts.OrderBy(t => t.Key, StringComparer.Ordinal).Select(IReadOnlyList<string> (t) => [t.Key, Words.Many(t.Value)]));
        });
    }
}

/// <summary>What <c>fleet update root export</c> and <c>sign</c> print as JSON.</summary>
internal sealed record RootFileResource(string File, long Version, DateTimeOffset Expires, IReadOnlyDictionary<string, IReadOnlyList<string>> Trusts, IReadOnlyList<string> SignedBy);
