namespace Fleet.Messages.Admission;

/// <summary>What a server asks of those who lost it or want in, by its load. Pure.</summary>
public static class LoadRule
{
    /// <summary>Up to this share of the processors, newcomers are let in at full speed.</summary>
    private const double Easy = 0.7;

    /// <summary>Whatever the load, so much of the full speed is left where the server says nothing else: nobody is kept out for ever.</summary>
    private const double Least = 0.1;

    /// <summary>The share of the full speed at which newcomers are let in while this share of the processors is in use.</summary>
    /// <param name="least">What is left of it whatever the load.</param>
    public static double Speed(double processors, double least = Least) => processors <= Easy ? 1 : Math.Max(least, (1 - processors) / (1 - Easy));

    /// <summary>
    /// Within which so many should come back, that no more than <paramref name="perSecond"/> do. They wait anywhere up to half of it
    /// (<see cref="Fleet.Contracts.Backoff"/>), again and again, and so come densest right after the server is back, at twice the average of that half.
    /// </summary>
    public static TimeSpan Window(int count, double perSecond) => TimeSpan.FromSeconds(4 * count / perSecond);
}
