using System.Text.Json;
using System.Text.Json.Serialization;

namespace Fleet.Cli.Connection;

/// <summary>What <c>fleet login</c> keeps (mode 0600).</summary>
internal sealed record LoginFile(string Url, string Token)
{
    private const string Name = "login.json";

    public static LoginFile? Load(string directory)
    {
        var path = Path.Combine(directory, Name);
        try
        {
            return File.Exists(path) ? JsonSerializer.Deserialize(File.ReadAllBytes(path), LoginJson.Default.LoginFile) : null;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new CommandFailure($"{path} can't be read ({fault.Message}); run 'fleet login' again");
        }
    }

    public string Save(string directory)
    {
        var path = Path.Combine(directory, Name);
        try
        {
            Directory.CreateDirectory(directory);
            Contracts.Storage.DurableFile.Replace(path, JsonSerializer.SerializeToUtf8Bytes(this, LoginJson.Default.LoginFile));
            return path;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure($"{path} can't be written: {fault.Message}");
        }
    }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, WriteIndented = true)]
[JsonSerializable(typeof(LoginFile))]
internal sealed partial class LoginJson : JsonSerializerContext;
