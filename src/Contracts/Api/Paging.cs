namespace Fleet.Contracts.Api;

// Lists of the REST API: GET …?page-size=N&after=NEXT.

/// <summary>One page of a list.</summary>
/// <param name="Total">How many there are on all pages.</param>
/// <param name="Next">What <c>after</c> must be to get the next page; absent on the last one. Opaque.</param>
public sealed record ListPage<T>(IReadOnlyList<T> Items, int Total, string? Next);

/// <summary>The bounds of <c>page-size</c>.</summary>
public static class PageSize
{
    public const int Default = 50;
    public const int Max = 500;
}
