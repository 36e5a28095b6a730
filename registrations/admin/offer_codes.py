"""Who holds which code."""

from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import display

from events.admin.scoped import HostFilter
from registrations import offers
from registrations.admin.readonly import ReadOnlyAdmin, instant_column, session_time
from registrations.models import OfferCode


@admin.register(OfferCode)
class OfferCodeAdmin(ReadOnlyAdmin):
    """Who holds which code, and marking one as used when it is read out on the telephone."""

    host_path = "registration__webinar__host"
    fields = [
        "code",
        "offer",
        "registration",
        "session_shown",
        "issued",
        "unlocked",
        "unlocked_by",
        "redemptions",
        "redeemed",
    ]
    readonly_fields = ["session_shown", "issued", "unlocked", "redeemed"]
    list_display = ["code", "offer", "person", "webinar", "earned", "redemptions", "redeemed"]
    issued = instant_column("issued_at", _("Issued"), "registration__webinar__host")
    unlocked = instant_column("unlocked_at", _("Earned"), "registration__webinar__host")
    redeemed = instant_column("redeemed_at", _("Last used"), "registration__webinar__host")
    list_filter = [HostFilter.along("registration__webinar__host")]
    list_select_related = ["offer", "registration__webinar__host", "session"]
    search_fields = ["code", "registration__name", "registration__email"]
    search_help_text = _("Code, name or address")
    actions = ["mark_as_used"]

    @display(description=_("Session"))
    def session_shown(self, code: OfferCode) -> SafeString | str:
        return session_time(code.session)

    @display(description=_("Whose"), ordering="registration__name")
    def person(self, code: OfferCode) -> str:
        return code.registration.name

    @display(description=_("Webinar"), ordering="registration__webinar__title")
    def webinar(self, code: OfferCode) -> str:
        return code.registration.webinar.title

    @display(description=_("Earned"), boolean=True)
    def earned(self, code: OfferCode) -> bool:
        return code.is_unlocked

    @admin.action(description=_("Mark as used"), permissions=["act"])
    def mark_as_used(self, request: HttpRequest, queryset: models.QuerySet[OfferCode]) -> None:
        used = 0
        for code in self.editable(request, queryset):
            try:
                offers.redeem(code.code, now=timezone.now())
            except offers.CodeRefusedError as error:
                self.message_user(request, f"{code.code}: {error}", messages.ERROR)
                continue
            self.log_change(request, code, str(_("Marked as used.")))
            used += 1
        if used:
            done = ngettext("%(count)d code is marked as used.", "%(count)d codes are marked as used.", used)
            self.message_user(request, done % {"count": used}, messages.SUCCESS)
