"""Every mail and what became of it."""

from typing import Any

from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from events.admin.scoped import HostFilter
from registrations import outbox
from registrations.admin.readonly import ReadOnlyAdmin, instant_column
from registrations.models import Message


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    """Every mail and what became of it. What stands in it is its reader's, sign-in codes above all."""

    host_path = "registration__webinar__host"
    fields = [
        "kind",
        "to_email",
        "registration",
        "state",
        "written",
        "due",
        "attempts",
        "sent",
        "answer",
    ]
    readonly_fields = ["written", "due", "sent"]
    list_display = ["kind", "to_email", "webinar", "state_shown", "attempts", "sent", "answer_start"]
    written = instant_column("created_at", _("Written"), "registration__webinar__host")
    due = instant_column("due_at", _("Due"), "registration__webinar__host")
    sent = instant_column("sent_at", _("Sent"), "registration__webinar__host")
    list_filter = [
        ("state", ChoicesDropdownFilter),
        ("kind", ChoicesDropdownFilter),
        HostFilter.along("registration__webinar__host"),
    ]
    list_select_related = ["registration__webinar__host"]
    search_fields = ["to_email", "registration__name", "registration__webinar__title"]
    search_help_text = _("Address, name or title of the webinar")
    actions = ["try_again"]

    @display(description=_("Webinar"), ordering="registration__webinar__title")
    def webinar(self, message: Message) -> str:
        return message.registration.webinar.title if message.registration else ""

    @display(
        description=_("State"),
        ordering="state",
        label={
            Message.State.QUEUED: "warning",
            Message.State.CLAIMED: "info",
            Message.State.SENDING: "info",
            Message.State.SENT: "success",
            Message.State.DEAD: "danger",
            Message.State.DROPPED: "",
        },
    )
    def state_shown(self, message: Message) -> tuple[str, Any]:
        return message.state, message.get_state_display()

    @display(description=_("The server's answer"))
    def answer_start(self, message: Message) -> str:
        return Truncator(message.answer).chars(60)

    @admin.action(description=_("Try again now"), permissions=["act"])
    def try_again(self, request: HttpRequest, queryset: models.QuerySet[Message]) -> None:
        dead = self.editable(request, queryset).filter(state=Message.State.DEAD)
        queued = sum(outbox.retry(message, now=timezone.now()) for message in dead)
        if not queued:
            self.message_user(request, _("None of these has failed."), messages.WARNING)
            return
        done = ngettext("%(count)d mail is tried again.", "%(count)d mails are tried again.", queued)
        self.message_user(request, done % {"count": queued}, messages.SUCCESS)
