namespace Fleet.Device.Inventory;

/// <summary>The machine that a device is. Real: <see cref="LocalMachine"/>; labs and load generators make theirs up.</summary>
public interface IMachine
{
    /// <summary>SHA-256 over what makes this machine itself; the same after a reboot, another on a clone.</summary>
    byte[] Fingerprint { get; }

    /// <summary>Reads the inventory anew.</summary>
    Contracts.Agents.Inventory Inventory();
}
