namespace Fleet.Cli.Tests;

/// <summary>A terminal without a person, with a home of its own.</summary>
internal sealed class TestTerminal : IDisposable
{
    private readonly Dictionary<string, string> _environment = [];

    public string Home { get; } = Directory.CreateTempSubdirectory("fleet-cli-").FullName;

    public string Config => Path.Combine(Home, "config");

    public TestTerminal With(string variable, string value)
    {
        _environment[variable] = value;
        return this;
    }

    /// <summary>Runs <c>fleet</c>.</summary>
    public async Task<Ran> Run(params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await FleetCli.Run(args, Terminal(output, error));
        return new Ran(code, output.ToString(), error.ToString());
    }

    /// <summary>A terminal that writes there; by default to nowhere.</summary>
    public Terminal Terminal(TextWriter? output = null, TextWriter? error = null) =>
        new(output ?? TextWriter.Null, error ?? TextWriter.Null, TextReader.Null, _environment.GetValueOrDefault, Config, IsInteractive: false, TimeProvider.System);

    public void Dispose() => Directory.Delete(Home, recursive: true);
}

/// <summary>What a run of <c>fleet</c> left.</summary>
internal sealed record Ran(int Code, string Out, string Error)
{
    /// <summary>The run must have done what it should.</summary>
    public Ran Done()
    {
        Assert.True(Code == ExitCode.Done, $"exit code {Code}\n{Out}\n{Error}");
        return this;
    }

    public System.Text.Json.JsonElement Json()
    {
        using var document = System.Text.Json.JsonDocument.Parse(Done().Out);
        return document.RootElement.Clone();
    }
}
