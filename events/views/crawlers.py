"""What search engines may read: robots.txt, and the pages in each language at the addresses that people use.

The site map is a list of lists, each no longer than can be made while somebody waits, and kept as pages are. Their
numbers stand in the path, because what is asked for with a query is not kept.
"""

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.sitemaps import Sitemap
from django.contrib.sitemaps.views import SitemapIndexItem
from django.core.paginator import InvalidPage
from django.db.models import Max, Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from events.freshness import share
from events.links import absolute
from events.models import Host, Presenter, Series, Webinar

PRIVATE_PATHS = ["/admin/", "/mailbox/"]
# These stand in every language's part of the site.
PRIVATE_PATHS_OF_LANGUAGES = ["/accounts/", "/registrations/", "/join/", "/my/"]


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """What programs that crawl should leave alone, and where the list of pages is."""
    prefixes = ["" if code == settings.LANGUAGE_CODE else f"/{code}" for code, _name in settings.LANGUAGES]
    private = [*PRIVATE_PATHS, *(f"{prefix}{path}" for prefix in prefixes for path in PRIVATE_PATHS_OF_LANGUAGES)]
    lines = [
        "User-agent: *",
        *(f"Disallow: {path}" for path in private),
        f"Sitemap: {absolute(reverse('sitemap'))}",
    ]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


class SiteSitemap(Sitemap):  # type: ignore[type-arg]
    """Pages under SITE_URL, whatever address the request came by."""

    limit = 1000
    protocol = urlsplit(settings.SITE_URL).scheme
    i18n = True
    alternates = True
    x_default = True

    def get_domain(self, site: object = None) -> str:
        return urlsplit(settings.SITE_URL).netloc


class HomeSitemap(SiteSitemap):
    def items(self) -> list[str]:
        return ["home"]

    def location(self, item: str) -> str:
        return reverse(item)

    def lastmod(self, item: str) -> datetime | None:
        return Webinar.objects.listed().with_last_change().aggregate(last=Max("changed_at"))["last"]


class WebinarSitemap(SiteSitemap):
    def items(self) -> QuerySet[Webinar]:
        return Webinar.objects.listed().with_last_change().order_by("pk").only("slug")

    def lastmod(self, item: Webinar) -> datetime:
        changed_at: datetime = item.changed_at  # type: ignore[attr-defined]
        return changed_at


class SubjectSitemap(SiteSitemap):
    """Whatever stands behind a listed webinar: `model`, found by the lookup `through`."""

    model: type[Model]
    through: str

    def items(self) -> QuerySet[Model]:
        listed = Webinar.objects.listed()
        return (
            self.model._default_manager.filter(**{f"{self.through}__in": listed})
            .annotate(changed_at=Max(f"{self.through}__updated_at"))
            .order_by("pk")
            .only("slug")
        )

    def lastmod(self, item: Model) -> datetime:
        """When one of its webinars was last changed: itself it keeps no date."""
        changed_at: datetime = item.changed_at  # type: ignore[attr-defined]
        return changed_at


class SeriesSitemap(SubjectSitemap):
    model = Series
    through = "webinars"


class HostSitemap(SubjectSitemap):
    model = Host
    through = "webinars"


class PresenterSitemap(SubjectSitemap):
    model = Presenter
    through = "appearances__webinar"


SITEMAPS = {
    "home": HomeSitemap,
    "webinars": WebinarSitemap,
    "series": SeriesSitemap,
    "hosts": HostSitemap,
    "presenters": PresenterSitemap,
}


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Where the lists are."""
    lists = [
        SitemapIndexItem(absolute(reverse("sitemap_section", args=[name, number])))
        for name, section in SITEMAPS.items()
        for number in section().paginator.page_range
    ]
    return _answer(request, "sitemap_index.xml", {"sitemaps": lists})


@require_safe
def section(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """One list of pages."""
    try:
        pages = SITEMAPS[name]().get_urls(page=number)
    except (KeyError, InvalidPage) as error:
        raise Http404 from error
    return _answer(request, "sitemap.xml", {"urlset": pages})


def _answer(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    response = render(request, template, context, content_type="application/xml")
    # It is for finding pages by, and is none itself.
    response["X-Robots-Tag"] = "noindex"
    share(response)
    return response
