"""Series and partners."""

from collections.abc import Sequence

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import display

from events.admin.addresses import LeavesAddresses
from events.admin.forms import SeriesForm
from events.admin.scoped import HostFilter, HostScopedAdmin, HostScopedTabularInline
from events.models import Partner, Series, SeriesPartnership, Webinar


class PartnershipInline(HostScopedTabularInline):
    model = SeriesPartnership
    verbose_name = _("partner")
    verbose_name_plural = _("partners")
    fields = ["partner", "kind", "order"]

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[SeriesPartnership]:
        return super().get_queryset(request).select_related("partner")


@admin.register(Series)
class SeriesAdmin(LeavesAddresses, HostScopedAdmin):
    form = SeriesForm
    fields = ["host", "title", "slug", "about"]
    inlines = [PartnershipInline]
    prepopulated_fields = {"slug": ["title"]}
    list_display = ["title", "host", "webinar_count"]
    list_filter = [HostFilter]
    list_select_related = ["host"]
    search_fields = ["title", "about"]

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Series]:
        return super().get_queryset(request).annotate(webinar_count=models.Count("webinars"))

    def with_page(self, rows: models.QuerySet[Series]) -> models.QuerySet[Series]:
        return rows.filter(webinars__in=Webinar.objects.reachable()).distinct()

    def once_with_page(self, rows: models.QuerySet[Series]) -> models.QuerySet[Series]:
        """All: the webinar through which the page was open may be withdrawn by now."""
        return rows

    def consequences(self, rows: Sequence[Series]) -> list[str]:
        """The webinars are not among what goes."""
        count = Webinar.objects.filter(series__in=[series.pk for series in rows]).count()
        if not count:
            return super().consequences(rows)
        stays = ngettext(
            "%(count)d webinar stays, and is in no series then.",
            "%(count)d webinars stay, and are in no series then.",
            count,
        )
        return [*super().consequences(rows), stays % {"count": count}]

    def view_on_site(self, series: Series) -> str:
        return series.get_absolute_url()

    @display(description=_("Webinars"), ordering="webinar_count")
    def webinar_count(self, series: Series) -> int:
        return series.webinar_count  # type: ignore[attr-defined]


@admin.register(Partner)
class PartnerAdmin(HostScopedAdmin):
    fields = ["host", "name", "parent", "logo", "website"]
    list_display = ["name", "parent", "host"]
    list_filter = [HostFilter]
    list_select_related = ["host"]
    search_fields = ["name", "parent"]
