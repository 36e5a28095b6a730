"""Every mail and what became of it."""

from typing import Any

from django.contrib import admin, messages
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import action, display

from events.access import access_of
from events.admin.confirmation import Question, ask, is_confirmed
from events.admin.scoped import HostFilter, is_key
from events.admin.wording import moment, moment_cell
from registrations import correspondence, tallies
from registrations.admin.readonly import ReadOnlyAdmin, instant_column, is_own_address
from registrations.admin.standing import MAIL_COLOURS, OUTCOME_WORDS, SessionFilter, instant_of, mail_standing
from registrations.models import Mailing, Message


class ReturnFilter(DropdownFilter):
    """Those that were sent, and that a server on the way gave back."""

    title = _("return")
    parameter_name = "return"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("came_back", _("Came back"))]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        return queryset.filter(bounced_at__isnull=False) if self.value() == "came_back" else queryset


class OutcomeFilter(DropdownFilter):
    """What became of them, counted as on the page of a session: of one occasion the newest to each person."""

    title = _("outcome")
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(outcome.value, words) for outcome, words in OUTCOME_WORDS.items()]

    def queryset(self, request: HttpRequest, queryset: Any) -> models.QuerySet[Any]:
        value = self.value()
        if value not in OUTCOME_WORDS:
            return queryset
        return tallies.with_outcome(queryset, tallies.Outcome(value))


class OfSessionFilter(SessionFilter):
    """Those to the people of a session that a link leads to."""

    session_path = "registration__session"


class OccasionFilter(DropdownFilter):
    """Those of one cause, to which a link leads."""

    title = _("occasion")
    parameter_name = "occasion"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        at = instant_of(request.GET.get(self.parameter_name, ""))
        return [(at.isoformat(), moment(at, "UTC"))] if at else []

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        at = instant_of(self.value() or "")
        return queryset.filter(occasion_at=at) if at else queryset


class OfMailingFilter(DropdownFilter):
    """Those of the mails to many to which a link leads."""

    title = _("mails to many")
    parameter_name = "mailing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        key = request.GET.get(self.parameter_name, "")
        mailings = Mailing.objects.filter(access_of(request).among("webinar__host"), pk=key if is_key(key) else 0)
        return [(str(mailing.pk), str(mailing)) for mailing in mailings]

    def has_output(self) -> bool:
        """Also for those of others, of which there is nothing to list."""
        return bool(self.lookup_choices) or self.value() is not None

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        value = self.value()
        return queryset.filter(mailing=value) if value and is_key(value) else queryset


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    """Every mail and what became of it. What stands in it is its reader's, sign-in codes above all."""

    host_path = "registration__webinar__host"
    fields = [
        "what",
        "to_email",
        "registration",
        "state_line",
        "written",
        "due",
        "attempts",
        "sent",
        "answer",
        "each_attempt",
        "came_back",
        "bounce",
    ]
    readonly_fields = ["what", "state_line", "written", "due", "sent", "each_attempt", "came_back"]
    list_display = ["what", "to_email", "webinar", "state_shown", "attempts", "sent", "answer_start"]
    written = instant_column("created_at", _("Written"), "registration__webinar__host")
    due = instant_column("due_at", _("Due"), "registration__webinar__host")
    sent = instant_column("sent_at", _("Sent"), "registration__webinar__host")
    came_back = instant_column("bounced_at", _("Came back"), "registration__webinar__host")
    list_filter = [
        ("state", ChoicesDropdownFilter),
        OutcomeFilter,
        ReturnFilter,
        ("kind", ChoicesDropdownFilter),
        OfSessionFilter,
        OccasionFilter,
        OfMailingFilter,
        HostFilter.along("registration__webinar__host"),
    ]
    list_select_related = ["registration__webinar__host", "mailing"]
    search_fields = ["to_email", "registration__name", "registration__webinar__title"]
    search_help_text = _("Address, name or title of the webinar")
    actions = ["try_again"]
    actions_detail = ["send_again"]

    def get_fields(self, request: HttpRequest, obj: Any | None = None) -> Any:
        """Most never come back, and some were never tried."""
        without = set()
        if obj is not None and obj.bounced_at is None:
            without |= {"came_back", "bounce"}
        if obj is not None and not obj.attempt_log:
            without.add("each_attempt")
        fields = [field for field in super().get_fields(request, obj) if field not in without]
        if obj is not None and not self._may_send(request, obj):
            return ["state" if field == "state_line" else field for field in fields]
        return fields

    @display(description=_("State"))
    def state_line(self, message: Message) -> SafeString:
        """With the way to send it again where the button above is folded away."""
        page = reverse("admin:registrations_message_send_again", args=[message.pk])
        link = '{} <a href="{}" class="text-link whitespace-nowrap lg:hidden">{}</a>'
        return format_html(link, message.get_state_display(), page, _("Send again"))

    @display(description=_("Mail"), ordering="kind")
    def what(self, message: Message) -> str:
        return message.title

    @display(description=_("Each attempt"))
    def each_attempt(self, message: Message) -> SafeString | str:
        """When it ended and what the server answered, the first first, in the home zone of the host."""
        host = message.registration and message.registration.webinar.host
        zone = host.time_zone if host else "UTC"
        rows = [(moment_cell(attempt.at, zone), attempt.answer) for attempt in message.past_attempts]
        return format_html_join("", "<p>{}: <bdi>{}</bdi></p>", rows)

    @display(description=_("Webinar"), ordering="registration__webinar__title")
    def webinar(self, message: Message) -> str:
        return message.registration.webinar.title if message.registration else ""

    @display(description=_("State"), ordering="state", label=MAIL_COLOURS)
    def state_shown(self, message: Message) -> tuple[str, Any]:
        return mail_standing(message)

    @display(description=_("Answer"))
    def answer_start(self, message: Message) -> str:
        return Truncator(message.bounce or message.answer).chars(60)

    @admin.action(description=_("Try again now"), permissions=["act"])
    def try_again(self, request: HttpRequest, queryset: models.QuerySet[Message]) -> None:
        chosen = Message.objects.filter(pk__in=self.editable(request, queryset).order_by().values("pk"))
        say_sent_again(request, correspondence.send_failed_again(chosen, now=timezone.now()))

    @action(description=_("Send again"), url_path="again", icon="forward_to_inbox", permissions=["send_again"])
    def send_again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """One mail once more, also one that was sent: as its reader can have it from their own page."""
        message = self._message(request, object_id)
        if message is None or message.registration is None:
            raise Http404
        page = reverse("admin:registrations_message_change", args=[message.pk])
        if not is_confirmed(request):
            if not correspondence.can_be_sent_again(message, now=timezone.now()):
                messages.info(request, _("Nothing in it still holds, or a newer mail tells it."))
                return HttpResponseRedirect(page)
            return ask(request, self, _again_question(message), [], back=page)
        try:
            correspondence.send_again(message.registration, message_id=message.pk, now=timezone.now())
        except correspondence.TooSoonError:
            messages.warning(request, _("A mail was sent to them again a moment ago. Wait ten minutes for the next."))
        except correspondence.SendAgainError as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("The mail is on its way once more."))
            self.log_change(request, message, str(_("Sent again.")))
        return HttpResponseRedirect(page)

    def has_send_again_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Whoever clicks twice gets the page again, not a refusal."""
        message = self._message(request, object_id) if object_id else None
        return message is not None and self._may_send(request, message)

    def _may_send(self, request: HttpRequest, message: Message) -> bool:
        person = message.registration
        if person is None or not access_of(request).may(person.webinar.host_id, at_least=self.edit_role):
            return False
        is_asked = is_confirmed(request) or is_own_address(request, "send_again")
        return is_asked or correspondence.can_be_sent_again(message, now=timezone.now())

    def _message(self, request: HttpRequest, object_id: str) -> Message | None:
        found = self.get_object(request, object_id)
        return found if isinstance(found, Message) else None


def _again_question(message: Message) -> Question:
    to = {"kind": message.get_kind_display(), "email": message.to_email}
    sentences = [str(_("The mail “%(kind)s” goes to %(email)s once more, as things stand now.")) % to]
    if message.state == Message.State.UNKNOWN:
        sentences.append(str(_("Nobody knows whether they got it: they may get it twice.")))
    elif message.state == Message.State.SENT and message.bounced_at is None:
        sentences.append(str(_("It was sent, so they get it twice.")))
    return Question(
        title=str(_("Send this mail again?")), sentences=sentences, button=str(_("Send again")), is_grave=False
    )


def say_sent_again(request: HttpRequest, sent: correspondence.SentAgain) -> None:
    """What was done, and whom no mail reaches."""
    if sent.count:
        done = ngettext("%(count)d mail is tried again.", "%(count)d mails are tried again.", sent.count)
        messages.success(request, done % {"count": sent.count})
    if sent.unreachable:
        words = ngettext(
            "%(count)d person is left out: the address does not take mail. Their registration says why.",
            "%(count)d people are left out: their addresses do not take mail. Their registrations say why.",
            sent.unreachable,
        )
        messages.warning(request, words % {"count": sent.unreachable})
    if not sent.count and not sent.unreachable:
        messages.warning(request, _("None of these has failed."))
