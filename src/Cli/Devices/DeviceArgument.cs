using System.CommandLine;
using Fleet.Cli.Connection;
using Fleet.Contracts;
using Fleet.Contracts.Api;

namespace Fleet.Cli.Devices;

/// <summary>A device as people name it: by id, or by a name that only one device has.</summary>
internal static class DeviceArgument
{
    public static Argument<string> Make() => new("device") { Description = "The device's id, or its name where only one has it." };

    /// <exception cref="CommandFailure">No such device, or several.</exception>
    public static Task<DeviceDetailResource> Find(RemoteCall call, Argument<string> argument) => Find(call, call.Value(argument));

    /// <exception cref="CommandFailure">No such device, or several.</exception>
    public static async Task<DeviceDetailResource> Find(RemoteCall call, string text)
    {
        if (IdText.Problem(text) is null
            && await call.Client.Find(Query.Path("devices", text), ApiJson.Default.DeviceDetailResource, call.Cancellation).ConfigureAwait(false) is { } device)
            return device;

        var named = new List<DeviceResource>();
        await foreach (var found in call.Client.List(Query.Of("devices", ("text", text)), ApiJson.Default.ListPageDeviceResource, null, call.Cancellation).ConfigureAwait(false))
        {
            if (string.Equals(found.Name, text, StringComparison.OrdinalIgnoreCase) || string.Equals(found.HostName, text, StringComparison.OrdinalIgnoreCase))
                named.Add(found);
        }

        return named switch
        {
            [var only] => await call.Client.Get(Query.Path("devices", only.Id), ApiJson.Default.DeviceDetailResource, call.Cancellation).ConfigureAwait(false),
            [] => throw new CommandFailure($"there is no device '{text}'; 'fleet device list' shows all"),
            _ => throw new CommandFailure($"{named.Count} devices are called '{text}'; say which id: {string.Join(", ", named.Take(10).Select(d => $"{d.Id} ({d.Office})"))}"),
        };
    }
}
