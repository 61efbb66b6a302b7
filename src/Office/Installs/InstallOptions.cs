using Akka.Configuration;
using Fleet.Messages.Settings;

namespace Fleet.Office.Installs;

/// <summary>Block <c>fleet.office.installs</c>.</summary>
/// <param name="Agents">Directory with the agents to set up, as <c>agent-linux-x64</c>; a relative path is beside the program.</param>
/// <param name="Program">Where the agent goes on the device.</param>
/// <param name="Data">Its data directory there.</param>
/// <param name="ConnectWithin">How long a device may take to answer.</param>
/// <param name="StepWithin">How long one command on the device may take.</param>
public sealed record InstallOptions(string Agents, string Program, string Data, TimeSpan ConnectWithin, TimeSpan StepWithin)
{
    public static InstallOptions From(Config fleet, Problems problems) => new(
        Agents: Path.Combine(AppContext.BaseDirectory, problems.Text(fleet, "office.installs.agents")),
        Program: problems.Text(fleet, "office.installs.program"),
        Data: problems.Text(fleet, "office.installs.data"),
        ConnectWithin: problems.Positive(fleet, "office.installs.connect-within"),
        StepWithin: problems.Positive(fleet, "office.installs.step-within"));
}
