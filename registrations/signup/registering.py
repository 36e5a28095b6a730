"""Registering: somebody new, somebody who is here already, and somebody who comes back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError
from django.utils.translation import gettext as _

from events import freshness
from events.email_addresses import address_key
from events.models import Question, Session
from registrations import offers, outbox, places, stops
from registrations.answers import store_answers, store_first_answers
from registrations.models import Message, Registration
from registrations.places import MovedMeanwhileError
from registrations.querysets import RegistrationQuerySet
from registrations.signup.changing import move
from registrations.signup.ending import lapse
from registrations.signup.locking import RegistrationClosedError, SessionFullError, SignupError, in_turn
from registrations.signup.steps import prove_locked

Awaits = Registration.Awaits
Because = Registration.CancelledBecause
Kind = Message.Kind


def register(
    session: Session,
    *,
    name: str,
    email: str,
    now: datetime,
    time_zone: str = "",
    language: str = "en",
    answers: Mapping[Question, str] | None = None,
    wants_news: bool = False,
    any_session: bool = False,
    is_proved: bool = False,
) -> Registration:
    """Bring somebody to the webinar's first step, a place in the session or in its queue, and owe them the mail.

    `any_session`: in whichever session of the webinar has a place first. `is_proved`: the address is theirs for sure.

    The same address for the same webinar is the same registration: an active one stays as it is and its owner is sent
    the link again; one whose session was cancelled or is over moves to this session; a cancelled one comes back to
    life, with its calendar entry. That starts anew, but what was proved stays so, and what was accepted and paid too
    unless an organizer ended it since: that is how money goes back. Raises RegistrationClosedError or SessionFullError,
    having written nothing.
    """
    wish = _Wish(
        session,
        {
            "name": name,
            "email": email.strip(),
            "time_zone": time_zone,
            "language": language,
            "consented_at": now if wants_news else None,
            "any_session": any_session,
            "registered_at": now,
        },
        answers or {},
        is_proved=is_proved,
        now=now,
    )
    # 1. Where the page showed a place, it is taken without looking who is there: almost always nobody is.
    try:
        if wish.finds_place:
            return in_turn(lambda: _take_place(wish))
    except SessionFullError:
        freshness.throw_away()  # the page shows a place that is gone
    except IntegrityError:
        return _find_and_register(wish)
    # 2. Else under the locks of all sessions that they would come to.
    try:
        if wish.is_open:
            return in_turn(lambda: _write_down(wish))
    except IntegrityError:
        pass  # the address is here already, or a double click was quicker: step 3 finds what it wrote
    # 3. Who is here already.
    return _find_and_register(wish)


@dataclass(frozen=True)
class _Wish:
    """What somebody who registers asks for, as the form gave it. The session is as the page showed it."""

    session: Session
    fields: dict[str, Any]
    answers: Mapping[Question, str]
    is_proved: bool
    now: datetime

    @property
    def email_key(self) -> str:
        return address_key(self.fields["email"])

    @property
    def known(self) -> RegistrationQuerySet:
        """What the address has in this webinar already: one registration at most."""
        return Registration.objects.filter(webinar=self.session.webinar_id, email_key=self.email_key)

    @property
    def wants_any(self) -> bool:
        return bool(self.fields["any_session"])

    @property
    def is_open(self) -> bool:
        if self.wants_any:
            return self.session.webinar.registration_is_open(self.now)
        return self.session.takes_registrations(self.now)

    @property
    def finds_place(self) -> bool:
        """Whether it seems so to somebody who looks at nothing else."""
        if self.wants_any or self.session.is_full or not self.is_open:
            return False
        somebody = self.new_registration()
        return places.needs_place(somebody, places.next_step(somebody))

    def new_registration(self) -> Registration:
        """Somebody new, before anything is settled."""
        return Registration(
            webinar_id=self.session.webinar_id,
            session=self.session,
            email_key=self.email_key,
            proved_at=self.now if self.is_proved else None,
            **self.fields,
        )


def _take_place(wish: _Wish) -> Registration:
    """Register somebody new. The row that all pass is locked by the last statement. Raises when there is no place."""
    mine = wish.new_registration()
    kind = places.hold_place(mine, places.next_step(mine), now=wish.now)
    mine.save(force_insert=True)
    _store_first(mine, kind, wish)
    if not places.raise_places_taken(wish.session):
        raise SessionFullError
    return mine


def _write_down(wish: _Wish) -> Registration:
    """Register somebody new, who has a place or joins the queue under the locks of the sessions that they want."""
    mine = wish.new_registration()
    mine.status = Registration.Status.CANCELLED  # until it is settled, which nobody sees
    mine.save(force_insert=True)
    within = _lock_wanted(wish)
    kind = _enter(mine, within, wish)
    mine.save()
    _store_first(mine, kind, wish)
    return mine


def _store_first(mine: Registration, kind: Kind, wish: _Wish) -> None:
    store_first_answers(mine, wish.answers)
    if mine.is_confirmed:
        offers.issue(mine, now=wish.now)
    outbox.enqueue_first(mine, kind, now=wish.now)


def _find_and_register(wish: _Wish) -> Registration:
    # What ran out a moment ago is over, though the schedule has not been there yet.
    for pk in wish.known.overdue(wish.now).values_list("pk", flat=True):
        lapse(pk, now=wish.now)
    return in_turn(lambda: _register_again(wish))


def _register_again(wish: _Wish) -> Registration:
    known = wish.known.select_related("session").first()
    if known is None:
        if not wish.is_open:
            raise _refusal([wish.session], wish.now)
        return _write_down(wish)
    if known.is_cancelled:
        return _come_back(known, wish)
    mine = _go_on(known, wish)
    # Like everybody who registers they know their address, whatever came back from it: what is owed to them goes there.
    stops.lift(known.email)
    return mine


def _go_on(known: Registration, wish: _Wish) -> Registration:
    """Leave an active registration as it is, or bring it on where that is what registering again asks for."""
    is_another = not known.any_session if wish.wants_any else known.session_id != wish.session.pk
    if is_another and places.is_off(known.session, wish.now):
        return move(known, None if wish.wants_any else wish.session, is_proved=wish.is_proved, now=wish.now)
    if wish.is_proved and known.awaits == Awaits.PROOF and not places.is_off(known.session, wish.now):
        return prove_locked(known, wish.now)
    outbox.enqueue_link_again(known, asked_for=wish.session, now=wish.now)
    return known


def _come_back(known: Registration, wish: _Wish) -> Registration:
    """Bring a cancelled registration back to life, from the first step that is still to be done."""
    within = _lock_wanted(wish)
    mine = Registration.objects.select_for_update(no_key=True).get(pk=known.pk)
    if not mine.is_cancelled or mine.is_erased:
        raise MovedMeanwhileError
    for field, value in wish.fields.items():
        setattr(mine, field, value)
    if wish.is_proved and mine.proved_at is None:
        mine.proved_at = wish.now
    if mine.cancelled_because in {Because.ORGANIZER, Because.TURNED_DOWN}:
        mine.approved_at = mine.paid_at = None
    mine.cancelled_at, mine.cancelled_because, mine.waiting_since = None, "", None
    kind = _enter(mine, within, wish)
    places.store(mine, kind, now=wish.now)
    store_answers(mine, wish.answers, asked=Question.Asked.REGISTERING)
    return mine


def _lock_wanted(wish: _Wish) -> list[Session]:
    """Lock the sessions that they would come to, earliest first. Raises SignupError where none takes them."""
    sessions = places.lock_webinar(wish.session.webinar_id) if wish.wants_any else places.lock_sessions(wish.session.pk)
    within = [
        session for session in places.coming(sessions, wish.now) if session.webinar.registration_is_open(wish.now)
    ]
    if not any(session.takes_registrations(wish.now) for session in within):
        raise _refusal(within or list(sessions.values()), wish.now)
    return within


def _enter(mine: Registration, within: list[Session], wish: _Wish) -> Kind:
    mine.session = next((session for session in within if session.pk == wish.session.pk), within[0])
    return places.settle(mine, within, now=wish.now)


def _refusal(sessions: list[Session], now: datetime) -> SignupError:
    """Why nobody may register for any of these."""
    if any(session.is_full and not places.is_off(session, now) for session in sessions):
        return SessionFullError(_("The last place has just gone, and this session has no waiting list."))
    if sessions and all(session.is_cancelled for session in sessions):
        return RegistrationClosedError(_("This session has just been cancelled."))
    return RegistrationClosedError(_("This session takes no registrations any more."))
