namespace Fleet.Office.Discovery.Sweeps;

/// <summary>What ports are registered for, as far as offices have them open.</summary>
internal static class ServiceNames
{
    private static readonly Dictionary<int, string> Tcp = new()
    {
        [21] = "ftp", [22] = "ssh", [23] = "telnet", [25] = "smtp", [53] = "domain", [80] = "http", [88] = "kerberos", [110] = "pop3", [135] = "epmap",
        [139] = "netbios-ssn", [143] = "imap", [389] = "ldap", [443] = "https", [445] = "microsoft-ds", [515] = "printer", [548] = "afpovertcp",
        [554] = "rtsp", [587] = "submission", [631] = "ipp", [636] = "ldaps", [1433] = "ms-sql-s", [1883] = "mqtt", [3306] = "mysql",
        [3389] = "ms-wbt-server", [5060] = "sip", [5432] = "postgresql", [5900] = "rfb", [5985] = "wsman", [8080] = "http-alt", [9100] = "pdl-datastream",
    };

    /// <summary>Empty where the port has no name here.</summary>
    public static string Of(int port) => Tcp.GetValueOrDefault(port, "");
}
