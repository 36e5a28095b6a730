"""What organizers do with registrations: accept, turn down, note a payment, cancel, erase. Each asks first.

Each deed is an act. It is for some registrations alone, and what else was chosen is left as it is. The first who came
are the first in turn, since places may run out on the way.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from events.access import access_of
from events.admin.confirmation import Question, ask, is_confirmed
from events.admin.telling import actor
from events.admin.wording import session_moment
from events.models import User
from registrations import attendance, correspondence, erasure, signup, stops
from registrations.admin.readonly import is_own_address
from registrations.models import Registration

# Each is an act of its own, with its locks and its mail; and a browser sends no more rows of a list than some thousand.
MOST_AT_ONCE = 500

Awaits = Registration.Awaits


@dataclass(frozen=True)
class Deed:
    """One thing that can be done: to whom, what is asked before, the act, and what is said afterwards."""

    is_for: Callable[[Registration], bool]
    question: Callable[[Sequence[Registration]], Question]
    act: Callable[[Registration, User], object]
    done: Callable[[int], str]
    nobody: Any
    history: Any


class DoesDeeds:
    """For the admin of registrations."""

    def do_to_many(
        self, request: HttpRequest, queryset: models.QuerySet[Registration], deed: Deed, action: str
    ) -> HttpResponse | None:
        """An action of the list. Whose registrations the reader may not change are left out."""
        chosen = self.editable(request, queryset).select_related("session__webinar", "webinar__host")  # type: ignore[attr-defined]
        people = [person for person in chosen.order_by("registered_at", "pk") if deed.is_for(person)]
        if not people:
            messages.warning(request, deed.nobody)
            return None
        if len(people) > MOST_AT_ONCE:
            said = _("These are %(count)d registrations. At most %(limit)d are changed at once: choose fewer.")
            messages.warning(request, said % {"count": len(people), "limit": MOST_AT_ONCE})
            return None
        if is_confirmed(request):
            self._do(request, people, deed)
            return None
        rows = [(person, _full_name(person)) for person in people]
        return ask(request, self, deed.question(people), rows, action=action, back=request.get_full_path())

    def do_to_one(self, request: HttpRequest, object_id: str, deed: Deed) -> HttpResponse:
        """A button on the page of one."""
        person = self._person(request, object_id)
        if person is None:
            raise Http404
        page = reverse("admin:registrations_registration_change", args=[person.pk])
        if not deed.is_for(person):  # clicked twice, or somebody else was quicker
            messages.info(request, _("This was done already, or cannot be done any more."))
            return HttpResponseRedirect(page)
        if is_confirmed(request):
            self._do(request, [person], deed)
            return HttpResponseRedirect(page)
        return ask(request, self, deed.question([person]), [(person, _full_name(person))], back=page)

    def may_do(self, request: HttpRequest, object_id: str | None, deed: Deed) -> bool:
        """Whether the page of one has the button; whoever clicks twice gets the page again, not a refusal."""
        person = self._person(request, object_id) if object_id else None
        is_asked = is_confirmed(request) or is_own_address(request, "one")
        return person is not None and self.may_act(request, person) and (is_asked or deed.is_for(person))

    def may_act(self, request: HttpRequest, person: Registration) -> bool:
        may: bool = access_of(request).may(person.webinar.host_id, at_least=self.edit_role)  # type: ignore[attr-defined]
        return may

    def _person(self, request: HttpRequest, object_id: str) -> Registration | None:
        found = self.get_object(request, object_id)  # type: ignore[attr-defined]
        return found if isinstance(found, Registration) else None

    def _do(self, request: HttpRequest, people: Sequence[Registration], deed: Deed) -> None:
        count = 0
        for person in people:
            try:
                deed.act(person, actor(request))
            except signup.SignupError as error:
                messages.error(request, f"{person.name}: {error}")
                continue
            person.refresh_from_db(fields=["name"])  # the history must not name whoever was erased
            self.log_change(request, person, str(deed.history))  # type: ignore[attr-defined]
            count += 1
        if count:
            messages.success(request, deed.done(count))


def _full_name(person: Registration) -> str:
    return f"{person.name}, {person.webinar}, {session_moment(person.session)}"


# ---------- accepting ----------


def _may_be_decided(person: Registration) -> bool:
    return person.awaits == Awaits.APPROVAL


def _accept_question(people: Sequence[Registration]) -> Question:
    count, over = len(people), _without_place(people)
    sentences = [ngettext("%(count)d person is told by mail.", "%(count)d people are told by mail.", count)]
    if any(not person.webinar.is_free for person in people):
        sentences.append(str(_("A place has to be paid first: it is theirs for good once you mark them as paid.")))
    if over:
        sentences.append(
            ngettext(
                "For %(over)d of them no place is left: they go on the waiting list, in the order in which they "
                "are accepted.",
                "For %(over)d of them no place is left: they go on the waiting list, in the order in which they "
                "are accepted.",
                over,
            )
        )
    return Question(
        title=ngettext("Accept this registration?", "Accept these registrations?", count),
        sentences=[sentence % {"count": count, "over": over} for sentence in sentences],
        button=ngettext("Accept %(count)d registration", "Accept %(count)d registrations", count) % {"count": count},
        is_grave=False,
    )


def _without_place(people: Sequence[Registration]) -> int:
    """For how many there is no place any more, as things stand."""
    wanted = Counter(person.session for person in people)
    return sum(
        max(count - session.places_left, 0) for session, count in wanted.items() if session.places_left is not None
    )


def _accepted(count: int) -> str:
    said = ngettext("%(count)d registration is accepted.", "%(count)d registrations are accepted.", count)
    return said % {"count": count}


ACCEPT = Deed(
    is_for=_may_be_decided,
    question=_accept_question,
    act=lambda person, by: signup.approve(person, by=by, now=timezone.now()),
    done=_accepted,
    nobody=_("None of these waits for your decision."),
    history=_("Accepted."),
)


# ---------- turning down ----------


def _turn_down_question(people: Sequence[Registration]) -> Question:
    count = len(people)
    told = ngettext(
        "%(count)d person is told by mail that their registration is turned down.",
        "%(count)d people are told by mail that their registrations are turned down.",
        count,
    )
    return Question(
        title=ngettext("Turn this registration down?", "Turn these registrations down?", count),
        sentences=[
            told % {"count": count},
            str(_("You cannot take this back. Whoever is turned down may register again, and you decide again.")),
        ],
        button=ngettext("Turn %(count)d registration down", "Turn %(count)d registrations down", count)
        % {"count": count},
    )


def _turned_down(count: int) -> str:
    said = ngettext("%(count)d registration is turned down.", "%(count)d registrations are turned down.", count)
    return said % {"count": count}


TURN_DOWN = Deed(
    is_for=_may_be_decided,
    question=_turn_down_question,
    act=lambda person, by: signup.turn_down(person, by=by, now=timezone.now()),
    done=_turned_down,
    nobody=_("None of these waits for your decision."),
    history=_("Turned down."),
)


# ---------- paid ----------


def _may_be_paid(person: Registration) -> bool:
    """Also by whoever pays before it is their turn."""
    is_open = person.is_pending or person.is_waitlisted
    return is_open and person.paid_at is None and not person.webinar.is_free


def _paid_question(people: Sequence[Registration]) -> Question:
    count = len(people)
    ready = sum(person.awaits == Awaits.PAYMENT for person in people)
    early = count - ready
    sentences = []
    if ready:
        words = ngettext(
            "%(ready)d person has a place for good from then on, and is told by mail.",
            "%(ready)d people have a place for good from then on, and are told by mail.",
            ready,
        )
        sentences.append(words % {"ready": ready})
    if early:
        words = ngettext(
            "%(early)d person has no place yet: the payment is noted, and they are not told.",
            "%(early)d people have no place yet: their payments are noted, and they are not told.",
            early,
        )
        sentences.append(words % {"early": early})
    return Question(
        title=ngettext("Mark this registration as paid?", "Mark these registrations as paid?", count),
        sentences=[*sentences, str(_("You cannot take this back: whoever gets the money back has to be cancelled."))],
        button=ngettext("Mark %(count)d registration as paid", "Mark %(count)d registrations as paid", count)
        % {"count": count},
        is_grave=False,
    )


def _paid(count: int) -> str:
    said = ngettext("%(count)d registration is marked as paid.", "%(count)d registrations are marked as paid.", count)
    return said % {"count": count}


MARK_PAID = Deed(
    is_for=_may_be_paid,
    question=_paid_question,
    act=lambda person, by: signup.mark_paid(person, by=by, now=timezone.now()),
    done=_paid,
    nobody=_("None of these waits for a payment."),
    history=_("Marked as paid."),
)


# ---------- who came ----------


def _may_have_come(person: Registration) -> bool:
    session = person.session
    has_begun = session.starts_at <= timezone.now() and not session.is_called_off
    return person.is_confirmed and not person.is_erased and person.joined_at is None and has_begun


def _came_question(people: Sequence[Registration]) -> Question:
    count = len(people)
    return Question(
        title=ngettext("Did this person come?", "Did these people come?", count),
        sentences=[
            str(_("Whoever earns an offer by coming has it from then on, and is told by mail.")),
            str(_("Mails of the plan that are for those who came, and are still to go out, go to them.")),
            str(_("You cannot take this back.")),
        ],
        button=ngettext("Mark %(count)d person as come", "Mark %(count)d people as come", count) % {"count": count},
        is_grave=False,
    )


def _marked(count: int) -> str:
    said = ngettext("%(count)d person is marked as come.", "%(count)d people are marked as come.", count)
    return said % {"count": count}


MARK_CAME = Deed(
    is_for=_may_have_come,
    question=_came_question,
    act=lambda person, _by: attendance.mark_as_came(person, now=timezone.now()),
    done=_marked,
    nobody=_("None of these can have come: they have no place, the session has not begun, or it is noted already."),
    history=_("Marked as came."),
)


# ---------- cancelling ----------


def _is_active(person: Registration) -> bool:
    return not (person.is_cancelled or person.is_erased)


def _cancel_question(people: Sequence[Registration]) -> Question:
    count = len(people)
    holding = sum(person.has_place and person.awaits != Awaits.PROOF for person in people)
    unproved = sum(person.awaits == Awaits.PROOF for person in people)
    others = count - holding - unproved
    sentences = []
    if holding:
        words = ngettext(
            "%(count)d person loses the place and is told by mail.",
            "%(count)d people lose their places and are told by mail.",
            holding,
        )
        sentences.append(words % {"count": holding})
    if others:
        words = ngettext(
            "%(count)d person without a place waits no longer, and is told by mail.",
            "%(count)d people without a place wait no longer, and are told by mail.",
            others,
        )
        sentences.append(words % {"count": others})
    if unproved:
        words = ngettext(
            "%(count)d person has not proved the address, so nobody writes to it.",
            "%(count)d people have not proved their addresses, so nobody writes to them.",
            unproved,
        )
        sentences.append(words % {"count": unproved})
    if any(person.has_place for person in people):
        sentences.append(str(_("Each place that comes free goes to the first who waits for it, who is told too.")))
    return Question(
        title=ngettext("Cancel this registration?", "Cancel these registrations?", count),
        sentences=sentences,
        button=ngettext("Cancel the registration", "Cancel the registrations", count),
    )


def _cancelled(count: int) -> str:
    said = ngettext("%(count)d registration is cancelled.", "%(count)d registrations are cancelled.", count)
    return said % {"count": count}


CANCEL = Deed(
    is_for=_is_active,
    question=_cancel_question,
    act=lambda person, _by: signup.cancel(person, now=timezone.now(), because=Registration.CancelledBecause.ORGANIZER),
    done=_cancelled,
    nobody=_("None of these can be cancelled: they are cancelled."),
    history=_("Cancelled."),
)


# ---------- the address ----------


def _may_have_failing_address(person: Registration) -> bool:
    return not person.is_erased and stops.failing_address(person) is not None


def _address_question(people: Sequence[Registration]) -> Question:
    count = len(people)
    words = ngettext(
        "%(count)d person is written to again, and gets what holds now at once. What comes back is noted again.",
        "%(count)d people are written to again, and get what holds now at once. What comes back is noted again.",
        count,
    )
    return Question(
        title=ngettext("Does this address take mail again?", "Do these addresses take mail again?", count),
        sentences=[words % {"count": count}],
        button=str(_("Write to it again")),
        is_grave=False,
    )


def _addressed(count: int) -> str:
    said = ngettext("%(count)d address is written to again.", "%(count)d addresses are written to again.", count)
    return said % {"count": count}


ADDRESS_WORKS = Deed(
    is_for=_may_have_failing_address,
    question=_address_question,
    act=lambda person, _by: correspondence.address_works(person, now=timezone.now()),
    done=_addressed,
    nobody=_("None of these has an address that mail came back from."),
    history=_("Said that the address takes mail."),
)


# ---------- erasing ----------


def _is_there(person: Registration) -> bool:
    return not person.is_erased


def _erase_question(people: Sequence[Registration]) -> Question:
    count = len(people)
    unreached = set(stops.failing(Registration.objects.filter(pk__in=[person.pk for person in people])))
    told = sum(erasure.is_told(person) and person not in unreached for person in people)
    words = ngettext(
        "The name, address, answers and mails of %(count)d registration are erased. What stays is a number.",
        "The names, addresses, answers and mails of %(count)d registrations are erased. What stays are numbers.",
        count,
    )
    sentences = [words % {"count": count}]
    if told:
        words = ngettext(
            "%(count)d person gets a last mail, which says so and withdraws the calendar entry where there is one.",
            "%(count)d people get a last mail, which says so and withdraws the calendar entry where there is one.",
            told,
        )
        sentences.append(words % {"count": told})
    if any(person.has_place for person in people):
        sentences.append(str(_("Each place that comes free goes to the first who waits for it, who is told too.")))
    sentences += [
        str(_("Search the list for an address to find its registrations for other webinars: they stay as they are.")),
        str(_("You cannot take this back.")),
    ]
    return Question(
        title=ngettext("Erase this registration?", "Erase these registrations?", count),
        sentences=sentences,
        button=ngettext("Erase %(count)d registration", "Erase %(count)d registrations", count) % {"count": count},
    )


def _erased(count: int) -> str:
    said = ngettext("%(count)d registration is erased.", "%(count)d registrations are erased.", count)
    return said % {"count": count}


ERASE = Deed(
    is_for=_is_there,
    question=_erase_question,
    act=lambda person, _by: erasure.erase(person, now=timezone.now()),
    done=_erased,
    nobody=_("None of these can be erased: they are erased."),
    history=_("Erased."),
)
