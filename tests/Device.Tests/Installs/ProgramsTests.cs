using Fleet.Device.Installs;

namespace Fleet.Device.Tests.Installs;

public sealed class ProgramsTests
{
    private static readonly Programs Own = new(TimeProvider.System);

    [Fact]
    public async Task What_a_program_says_and_how_it_ends_is_told()
    {
        var end = await Run("echo one; echo two >&2; exit 7", TimeSpan.FromSeconds(20));

        Assert.Equal((7, "one\n"), (end.Code, end.Output));
        Assert.Matches("^ended with 7: (one|two)$", end.ToString());
    }

    [Fact]
    public async Task One_that_asks_gets_no_answer_and_one_that_takes_too_long_is_ended()
    {
        var asked = await Run("read answer || echo nobody", TimeSpan.FromSeconds(20));
        var endless = await Run("sleep 600", TimeSpan.FromMilliseconds(100));

        Assert.Equal((0, "nobody"), (asked.Code, asked.LastWords));
        Assert.Equal((null, "did not end in time"), (endless.Code, endless.ToString()));
    }

    [Fact]
    public async Task A_service_that_it_leaves_running_holds_nobody_up()
    {
        var end = await Run("sleep 30 & echo started $!", TimeSpan.FromSeconds(20));

        Assert.True(end.IsGood);
        using var left = System.Diagnostics.Process.GetProcessById(int.Parse(end.LastWords.Split(' ')[1]));
        left.Kill();
    }

    private static Task<ProgramEnd> Run(string command, TimeSpan within) =>
        Own.Run(new ProgramStart("/bin/sh", ["-c", command], Path.GetTempPath(), new Dictionary<string, string>(), within), CancellationToken.None);
}
