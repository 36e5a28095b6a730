"""The pages that search engines may know, at the addresses that people use."""

from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.sitemaps import Sitemap
from django.db.models import Model, QuerySet
from django.urls import reverse

from events.models import Host, Presenter, Series, Webinar


class SiteSitemap(Sitemap):  # type: ignore[type-arg]
    """Pages under SITE_URL, whatever address the request came by."""

    protocol = urlsplit(settings.SITE_URL).scheme

    def get_domain(self, site: object = None) -> str:
        return urlsplit(settings.SITE_URL).netloc


class HomeSitemap(SiteSitemap):
    def items(self) -> list[str]:
        return ["home"]

    def location(self, item: str) -> str:
        return reverse(item)


class WebinarSitemap(SiteSitemap):
    def items(self) -> QuerySet[Webinar]:
        return Webinar.objects.listed().order_by("pk")

    def lastmod(self, item: Webinar) -> datetime:
        return item.updated_at


class SubjectSitemap(SiteSitemap):
    """Whatever stands behind a listed webinar: `model`, found by the lookup `through`."""

    model: type[Model]
    through: str

    def items(self) -> QuerySet[Model]:
        listed = Webinar.objects.listed()
        return self.model._default_manager.filter(**{f"{self.through}__in": listed}).order_by("pk").distinct()


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
