using System.Globalization;
using Fleet.Contracts.Api;
using Fleet.Headquarters.ReadModel;
using Microsoft.AspNetCore.Mvc;

namespace Fleet.Headquarters.Api;

/// <summary>Which page of a list a request wants: <c>?page-size=&amp;after=</c>.</summary>
internal readonly record struct PageParameters(
    [property: FromQuery(Name = "page-size")] int? PageSize,
    [property: FromQuery(Name = "after")] string? After)
{
    /// <summary>Reads the parameters, or says what is wrong with them.</summary>
    public Refusal? Read(out PageRequest page)
    {
        var (size, skip) = (PageSize ?? Contracts.Api.PageSize.Default, 0);
        page = PageRequest.First;
        if (size is < 1 or > Contracts.Api.PageSize.Max)
            return Refusal.Invalid($"page-size must be from 1 to {Contracts.Api.PageSize.Max}");
        if (After is { Length: > 0 } after && !int.TryParse(after, NumberStyles.None, CultureInfo.InvariantCulture, out skip))
            return Refusal.Invalid("after must be what the page before named as next");
        page = new PageRequest(skip, size);
        return null;
    }
}

internal static class Pages
{
    /// <summary>A page as the API shows it.</summary>
    public static ListPage<TResource> Shown<TView, TResource>(this Page<TView> found, PageRequest page, Func<TView, TResource> show)
    {
        var reached = page.Skip + found.Items.Count;
        var next = found.Items.Count > 0 && reached < found.Total ? reached.ToString(CultureInfo.InvariantCulture) : null;
        return new ListPage<TResource>([.. found.Items.Select(show)], found.Total, next);
    }
}
