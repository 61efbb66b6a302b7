namespace Fleet.Messages.Settings;

/// <summary>The settings can't be used; the message lists all that is wrong, one a line.</summary>
public sealed class SettingsException(string message) : Exception(message);
