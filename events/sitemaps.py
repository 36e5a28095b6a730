"""The pages that search engines may know, in each language, at the addresses that people use."""

from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.sitemaps import Sitemap
from django.db.models import Max, Model, QuerySet
from django.urls import reverse

from events.models import Host, Presenter, Series, Webinar


class SiteSitemap(Sitemap):  # type: ignore[type-arg]
    """Pages under SITE_URL, whatever address the request came by."""

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
        return Webinar.objects.listed().with_last_change().order_by("pk")

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
