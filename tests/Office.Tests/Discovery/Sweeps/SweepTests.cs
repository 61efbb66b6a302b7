using System.Net;
using Fleet.Messages.Networks;
using Fleet.Office.Discovery.Sweeps;

namespace Fleet.Office.Tests.Discovery.Sweeps;

public sealed class SweepTests
{
    [Fact]
    public void Who_answered_is_not_asked_again()
    {
        var sweep = Of("10.0.0.1-10.0.0.4", passes: 2);

        var first = Pass(sweep);
        sweep.Take(IPAddress.Parse("10.0.0.2"));
        var second = Pass(sweep);

        Assert.Equal(["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"], first);
        Assert.Equal(["10.0.0.1", "10.0.0.3", "10.0.0.4"], second);
        Assert.Equal((4, 4), (sweep.Done, sweep.Total));
    }

    [Fact]
    public void An_answer_counts_once_and_one_from_outside_does_not()
    {
        var sweep = Of("10.0.0.1-10.0.0.4", passes: 2);

        Assert.True(sweep.Take(IPAddress.Parse("10.0.0.2")));
        Assert.False(sweep.Take(IPAddress.Parse("10.0.0.2")));
        Assert.False(sweep.Take(IPAddress.Parse("10.0.0.5")));
        Assert.False(sweep.Take(IPAddress.Parse("2001:db8::1")));
        Assert.Equal(1, sweep.Done);
    }

    [Fact]
    public void Done_never_passes_the_total_whenever_answers_come()
    {
        var sweep = Of("10.0.0.1-10.0.0.4", passes: 2);
        Pass(sweep);

        sweep.Next();
        sweep.Next();
        sweep.Take(IPAddress.Parse("10.0.0.1"));
        sweep.Take(IPAddress.Parse("10.0.0.4"));
        Assert.Equal(3, sweep.Done);
        Pass(sweep);
        sweep.Take(IPAddress.Parse("10.0.0.3"));

        Assert.Equal(4, sweep.Done);
    }

    private static Sweep Of(string range, int passes) => new([AddressRange.Parse(range)], passes);

    private static List<string> Pass(Sweep sweep)
    {
        var asked = new List<string>();
        while (sweep.Next() is { } address)
            asked.Add(address.ToString());
        return asked;
    }
}
