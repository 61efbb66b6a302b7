using System.Security.Cryptography;
using System.Text;
using Fleet.Updates.Tuf.Repository;
using Spectre.Console;

namespace Fleet.Cli.Updates;

/// <summary>Private keys are kept in encrypted PEM files; the password is asked for, or comes from the environment.</summary>
internal static class KeyFile
{
    public const string Variable = "FLEET_KEY_PASSWORD";

    private const int LeastPassword = 8;

    /// <exception cref="CommandFailure">It can't be read, or the password is wrong.</exception>
    public static SigningKey Open(Terminal terminal, string path)
    {
        var pem = Encoding.UTF8.GetString(RootFile.Bytes(path));
        try
        {
            return SigningKey.FromPem(pem, terminal.Variable(Variable) ?? Ask(terminal, $"Password of {path}:"));
        }
        catch (CryptographicException wrong)
        {
            throw new CommandFailure($"{path} can't be opened: {wrong.Message}");
        }
    }

    public static string NewPassword(Terminal terminal)
    {
        var password = terminal.Variable(Variable) ?? Ask(terminal, "Password for the new key:");
        if (password.Length < LeastPassword)
            throw new CommandFailure($"the password of a key has at least {LeastPassword} characters");
        if (terminal.Variable(Variable) is null && Ask(terminal, "The same again:") != password)
            throw new CommandFailure("the two passwords differ; nothing was written");
        return password;
    }

    /// <summary>For its owner alone, and never over another.</summary>
    public static void Write(string path, string pem)
    {
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            using var file = new FileStream(path, options);
            file.Write(Encoding.UTF8.GetBytes(pem));
            file.Flush(flushToDisk: true);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure($"{path} can't be written: {fault.Message}");
        }
    }

    private static string Ask(Terminal terminal, string question) => terminal.IsInteractive
        ? terminal.Drawing().Prompt(new TextPrompt<string>(question).Secret())
        : throw new CommandFailure($"nobody is there to type the password; put it into {Variable}");
}
