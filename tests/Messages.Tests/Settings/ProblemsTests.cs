using System.Net;
using Akka.Configuration;
using Fleet.Messages.Settings;

namespace Fleet.Messages.Tests.Settings;

public sealed class ProblemsTests
{
    private readonly Problems _problems = new();

    [Theory]
    [InlineData("0s")]
    [InlineData("-3s")]
    [InlineData("soon")]
    [InlineData("infinite")]
    public void A_duration_that_is_none_is_named_once(string text)
    {
        _problems.Positive(Config($"wait = \"{text}\""), "wait");

        var problem = Assert.Single(_problems.All);
        Assert.StartsWith("fleet.wait: ", problem, StringComparison.Ordinal);
        Assert.Contains(text, problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_duration_has_its_unit()
    {
        Assert.Equal(TimeSpan.FromMinutes(15), _problems.Positive(Config("wait = 15m"), "wait"));
        Assert.Empty(_problems.All);
    }

    [Theory]
    [InlineData("70000")]
    [InlineData("-1")]
    [InlineData("http")]
    public void A_port_out_of_bounds_is_named(string text)
    {
        _problems.Port(Config($"port = \"{text}\""), "port");

        Assert.StartsWith("fleet.port: ", Assert.Single(_problems.All), StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_key_is_named()
    {
        _problems.Text(Config("other = 1"), "name");

        Assert.Contains("is missing", Assert.Single(_problems.All), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_mistake_is_told_in_one_message()
    {
        var fleet = Config("port = 99999\nwait = never\nbind = elsewhere");
        _problems.Port(fleet, "port");
        _problems.Positive(fleet, "wait");
        _problems.Address(fleet, "bind");

        var refused = Assert.Throws<SettingsException>(_problems.ThrowIfAny);

        Assert.Contains("3 mistakes", refused.Message, StringComparison.Ordinal);
        foreach (var key in (string[])["fleet.port", "fleet.wait", "fleet.bind"])
            Assert.Contains(key, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Settings_without_a_mistake_pass()
    {
        Assert.Equal(IPAddress.Loopback, _problems.Address(Config("bind = \"127.0.0.1\""), "bind"));

        _problems.ThrowIfAny();
    }

    private static Config Config(string hocon) => ConfigurationFactory.ParseString(hocon);
}
