"""Offers and how they are earned."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesDropdownFilter

from events.access import access_of
from events.admin.forms import OfferForm
from events.admin.scoped import HostFilter, HostScopedAdmin, HostScopedTabularInline
from events.models import Offer, OfferCondition


class ConditionInline(HostScopedTabularInline):
    model = OfferCondition
    fields = ["kind", "minutes", "until", "order"]
    verbose_name_plural = _("conditions, any one of which is enough")

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Nothing is chosen in a new row: a condition that nobody meant would give codes away."""
        kwargs.setdefault("choices", db_field.get_choices(blank_choice=[("", _("Select value"))]))
        return super().formfield_for_choice_field(db_field, request, **kwargs)


@admin.register(Offer)
class OfferAdmin(HostScopedAdmin):
    """An offer for the whole site is the superusers' to give; its host's organizers see it."""

    form = OfferForm
    fieldsets = [
        (_("What"), {"fields": ["host", "headline", ("percent_off", "periods"), "terms"]}),
        (_("Where it holds"), {"fields": ["scope", "series", "webinar"]}),
        (
            _("Codes"),
            {"fields": ["redeem_url", ("code_prefix", "redemptions_per_code")]},
        ),
        (_("When"), {"fields": [("valid_from", "valid_until"), "is_active"]}),
    ]
    conditional_fields = {"series": "scope == 'series'", "webinar": "scope == 'webinar'"}
    inlines = [ConditionInline]
    protected_message = _(
        "Codes of this offer have been given out, so it cannot be deleted. Untick “active” instead: no more are given."
    )
    list_display = ["headline", "worth", "scope", "subject", "host", "is_active"]
    list_filter = [("is_active", BooleanRadioFilter), ("scope", ChoicesDropdownFilter), HostFilter]
    list_select_related = ["host", "series", "webinar"]
    search_fields = ["headline", "terms"]

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return self._may_give(request, obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return self._may_give(request, obj) and super().has_delete_permission(request, obj)

    def _may_give(self, request: HttpRequest, obj: models.Model | None) -> bool:
        is_for_all = isinstance(obj, Offer) and obj.scope == Offer.Scope.SITE
        return not is_for_all or access_of(request).is_superuser

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "scope" and not access_of(request).is_superuser:
            kwargs["choices"] = [choice for choice in Offer.Scope.choices if choice[0] != Offer.Scope.SITE]
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    @admin.display(description=_("Worth"), ordering="percent_off")
    def worth(self, offer: Offer) -> str:
        return ", ".join(part for part in (f"{offer.percent_off}%" if offer.percent_off else "", offer.periods) if part)

    @admin.display(description=_("Of"))
    def subject(self, offer: Offer) -> str:
        return str(offer.webinar or offer.series or "")
