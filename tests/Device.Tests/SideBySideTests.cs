namespace Fleet.Device.Tests;

public sealed class SideBySideTests
{
    [Fact]
    public async Task The_fault_of_one_part_ends_the_others_and_is_what_is_thrown()
    {
        var running = SideBySide.Run([Forever, _ => Task.FromException(new InvalidOperationException("broke")), _ => Task.CompletedTask], CancellationToken.None);

        var fault = await Assert.ThrowsAsync<InvalidOperationException>(() => running.WaitAsync(TimeSpan.FromSeconds(10)));
        Assert.Equal("broke", fault.Message);
    }

    [Fact]
    public async Task Cancelling_ends_all_parts()
    {
        using var stop = new CancellationTokenSource();
        var running = SideBySide.Run([Forever, Forever], stop.Token);

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running.WaitAsync(TimeSpan.FromSeconds(10)));
    }

    private static Task Forever(CancellationToken stop) => new TaskCompletionSource().Task.WaitAsync(stop);
}
