using System.Net;
using Fleet.Messages.Link;
using Fleet.Office.Discovery.Directories;
using Fleet.Office.Discovery.Multicast;
using Fleet.Office.Discovery.Sweeps;

namespace Fleet.Office.Discovery;

/// <summary>The ways of looking at the network of the machine that this process runs on.</summary>
public static class PollMethods
{
    public static IReadOnlyDictionary<PollMethod, IPollMethod> OfThisMachine(DiscoveryOptions options) => new Dictionary<PollMethod, IPollMethod>
    {
        [PollMethod.IpRange] = new IpRangePoll(options),
        [PollMethod.MulticastDns] = new MulticastDnsPoll(options),
        [PollMethod.Ldap] = new LdapPoll(Dns.GetHostAddressesAsync),
    };
}
