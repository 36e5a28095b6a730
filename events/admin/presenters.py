"""Presenters, with what they are and where."""

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from events.admin.addresses import LeavesAddresses
from events.admin.forms import PresenterForm
from events.admin.scoped import HostFilter, HostScopedAdmin, HostScopedTabularInline
from events.models import Affiliation, Presenter, Webinar


class AffiliationInline(HostScopedTabularInline):
    model = Affiliation
    fields = ["job_title", "organization", "abbreviation", "order"]
    extra = 1


@admin.register(Presenter)
class PresenterAdmin(LeavesAddresses, HostScopedAdmin):
    form = PresenterForm
    fields = ["host", ("honorific", "name"), "slug", "portrait", "biography"]
    inlines = [AffiliationInline]
    prepopulated_fields = {"slug": ["name"]}
    list_display = ["shown_name", "affiliation", "host"]
    list_filter = [HostFilter]
    list_select_related = ["host"]
    search_fields = ["name", "affiliations__job_title", "affiliations__organization"]
    search_help_text = _("Name, job title or organization")

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Presenter]:
        return super().get_queryset(request).prefetch_related("affiliations")

    def with_page(self, rows: models.QuerySet[Presenter]) -> models.QuerySet[Presenter]:
        return rows.filter(appearances__webinar__in=Webinar.objects.reachable()).distinct()

    def once_with_page(self, rows: models.QuerySet[Presenter]) -> models.QuerySet[Presenter]:
        """All: the webinar through which the page was open may be withdrawn by now."""
        return rows

    def view_on_site(self, presenter: Presenter) -> str:
        return presenter.get_absolute_url()

    @display(description=_("Name"), ordering="name")
    def shown_name(self, presenter: Presenter) -> str:
        return presenter.heading

    @display(description=_("Affiliation"))
    def affiliation(self, presenter: Presenter) -> str:
        return "; ".join(str(affiliation) for affiliation in presenter.affiliations.all())
