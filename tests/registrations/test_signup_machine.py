"""All acts in any order: whatever people and organizers do, places, queues and entries agree after each of them."""

from contextlib import suppress
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from events import scheduling
from events.models import Session, Webinar
from registrations import erasure, invites, signup
from registrations.models import Message, Registration
from tests.builders import NOW, make_host, make_offer, make_session, make_webinar

Because = Registration.CancelledBecause

PEOPLE = st.integers(0, 6)
PLACES = st.integers(0, 2)
CAPACITIES = st.sampled_from([1, 1, 2, 2, 3, None])
SELDOM = st.sampled_from([False, False, True])


class SignupMachine(RuleBasedStateMachine):
    """A webinar with three sessions, and seven people who do everything that people do."""

    def __init__(self) -> None:
        super().__init__()
        # Rolled back when the machine stops: each begins with an empty database.
        self.everything = transaction.atomic()
        self.everything.__enter__()
        self.now = NOW
        # The newest revision of each entry, and what the queue of each session looked like.
        self.entries: dict[int, tuple[int, datetime]] = {}
        self.queues: dict[int, list[int]] = {}

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.everything.__exit__(None, None, None)

    @initialize(
        needs_proof=SELDOM,
        needs_approval=SELDOM,
        is_priced=SELDOM,
        offer_hours=st.sampled_from([None, None, 2]),
        capacities=st.lists(CAPACITIES, min_size=3, max_size=3),
        has_waiting_list=st.sampled_from([True, True, True, False]),
        has_tentative_entries=st.booleans(),
        come=st.permutations(range(7)),
    )
    def plan(
        self,
        *,
        needs_proof: bool,
        needs_approval: bool,
        is_priced: bool,
        offer_hours: int | None,
        capacities: list[int | None],
        has_waiting_list: bool,
        has_tentative_entries: bool,
        come: list[int],
    ) -> None:
        self.webinar = make_webinar(
            host=make_host(has_tentative_entries=has_tentative_entries, keep_hours=3),
            needs_proof=needs_proof,
            needs_approval=needs_approval,
            price_amount=Decimal(40 * is_priced),
            price_currency="EUR",
            payment_days=1,
            offer_hours=offer_hours,
        )
        make_offer(self.webinar)
        for place, capacity in enumerate(capacities):
            day = (NOW + timedelta(days=2 + place)).date()
            make_session(self.webinar, capacity=capacity, local_date=day, has_waiting_list=has_waiting_list)
        # Most of them come to the first session, so that there are queues from the beginning.
        for person in come:
            self.register(person=person, place=person // 4, any_session=person == 3, is_proved=person % 2 == 0)

    # ---------- what people do ----------

    @rule(person=PEOPLE, place=PLACES, any_session=st.booleans(), is_proved=st.booleans())
    def register(self, *, person: int, place: int, any_session: bool, is_proved: bool) -> None:
        who = {"name": "Anna", "email": f"person{person}@example.org"}
        self.act(signup.register, self.session(place), **who, any_session=any_session, is_proved=is_proved)

    @rule(person=PEOPLE)
    def prove(self, person: int) -> None:
        self.act_on(person, signup.prove)

    @rule(person=PEOPLE)
    def accept_offer(self, person: int) -> None:
        self.act_on(person, signup.accept_offer)

    @rule(person=PEOPLE)
    def pass_offer(self, person: int) -> None:
        self.act_on(person, signup.pass_offer)

    @rule(person=PEOPLE)
    def wait_for_any(self, person: int) -> None:
        self.act_on(person, signup.wait_for_any)

    @rule(person=PEOPLE, place=PLACES)
    def change_session(self, person: int, place: int) -> None:
        self.act_on(person, signup.change_session, session=self.session(place))

    @rule(person=PEOPLE, because=st.sampled_from([Because.OWNER, Because.ORGANIZER]))
    def cancel(self, person: int, because: Because) -> None:
        self.act_on(person, signup.cancel, because=because)

    @rule(person=PEOPLE)
    def erase(self, person: int) -> None:
        self.act_on(person, erasure.erase)

    @rule(
        person=PEOPLE,
        partstat=st.sampled_from(["accepted", "tentative", "declined", "declined"]),
        behind=st.sampled_from([0, 0, 1]),
    )
    def answer_in_calendar(self, person: int, partstat: str, behind: int) -> None:
        registration = self.person(person)
        if registration is not None:
            sequence = max(registration.sequence - behind, 0)
            self.act(signup.answer, registration, partstat=partstat, sequence=sequence, dtstamp=self.now)

    @rule(person=PEOPLE)
    def decline_in_calendar(self, person: int) -> None:
        """One of those who hold a place that others could want: few would be found by chance."""
        holders = list(self.people().confirmed().filter(session__capacity__isnull=False, frees_at=None).order_by("pk"))
        if holders:
            one = holders[person % len(holders)]
            self.act(signup.answer, one, partstat="declined", sequence=one.sequence, dtstamp=self.now)

    @rule(person=PEOPLE)
    def keep_place(self, person: int) -> None:
        self.act_on(person, signup.keep_place)

    # ---------- what organizers do ----------

    @rule(person=PEOPLE)
    def approve(self, person: int) -> None:
        self.act_on(person, signup.approve, by=None)

    @rule(person=PEOPLE)
    def turn_down(self, person: int) -> None:
        self.act_on(person, signup.turn_down, by=None)

    @rule(person=PEOPLE)
    def mark_paid(self, person: int) -> None:
        self.act_on(person, signup.mark_paid, by=None)

    @rule(place=PLACES, capacity=CAPACITIES)
    def change_capacity(self, place: int, capacity: int | None) -> None:
        session = self.session(place)
        before, session.capacity = session.places_taken, capacity
        is_too_low = capacity is not None and capacity < before
        assert self.save(session) == (["capacity"] if is_too_low else [])

    @rule(place=PLACES, hour=st.integers(6, 22))
    def move_session(self, place: int, hour: int) -> None:
        session = self.session(place)
        session.local_time = time(hour, 0)
        # Where it would be over, and people have places in it, that is refused.
        assert self.save(session) in ([], ["local_date"])

    @rule(capacity=CAPACITIES)
    @precondition(lambda self: self.webinar.sessions.count() < 5)
    def add_session(self, capacity: int | None) -> None:
        now = self.tick()
        new = Session(
            webinar=self.webinar,
            capacity=capacity,
            local_date=(now + timedelta(days=3)).date(),
            local_time=time(12, 0),
            time_zone="UTC",
        )
        scheduling.save_session(new, by=None, now=now)

    @rule(place=PLACES)
    def cancel_session(self, place: int) -> None:
        scheduling.cancel_session(self.session(place), by=None, now=self.tick())

    @rule(
        rules=st.fixed_dictionaries(
            {
                "needs_proof": st.booleans(),
                "needs_approval": st.booleans(),
                "price_amount": st.sampled_from([Decimal(0), Decimal(40)]),
                "offer_hours": st.sampled_from([None, 2]),
            }
        )
    )
    def change_rules(self, rules: dict[str, Any]) -> None:
        Webinar.objects.filter(pk=self.webinar.pk).update(**rules)
        self.webinar.refresh_from_db()
        signup.advance_pending(self.webinar, now=self.tick())
        for person in self.people().filter(status="pending").select_related("session"):
            asks = {
                "proof": self.webinar.needs_proof,
                "approval": self.webinar.needs_approval,
                "payment": not self.webinar.is_free,
            }
            coming = self.coming_sessions()
            is_off = not coming if person.any_session else person.session not in coming
            assert asks[person.awaits] or is_off

    # ---------- what time does ----------

    @rule(hours=st.sampled_from([1, 3, 25, 30]))
    def let_time_pass(self, hours: int) -> None:
        self.now += timedelta(hours=hours)
        self.sweep()

    @rule()
    def sweep(self) -> None:
        # Nobody loses a place before the question has gone out.
        Message.objects.open().update(state="sent", sent_at=self.now)
        signup.lapse_overdue(now=self.now)
        signup.free_declined(now=self.now)
        signup.rehome_waiting(now=self.now)
        assert not Registration.objects.overdue(self.now).exists()
        for session in self.coming_sessions():
            given_up = session.registrations.filter(frees_at__lte=self.now, paid_at=None)
            if session.starts_at - self.now < signup.TOO_LATE:
                continue
            assert not given_up.exists() or not Registration.objects.waiting_for(session).exists()

    # ---------- what always holds ----------

    @invariant()
    def places_are_counted_rightly(self) -> None:
        for session in self.sessions():
            assert session.places_taken == session.registrations.filter(has_place=True).count()
            assert session.capacity is None or session.places_taken <= session.capacity

    @invariant()
    def nobody_waits_beside_a_free_place(self) -> None:
        for session in self.coming_sessions():
            assert session.is_full or not Registration.objects.waiting_for(session).exists()

    @invariant()
    def nobody_overtakes(self) -> None:
        """Whoever stood in the queue of a session, and still does, stands there in the same order."""
        for session in self.coming_sessions():
            queue = list(Registration.objects.waiting_for(session).values_list("pk", flat=True))
            stayed = [pk for pk in self.queues.get(session.pk, []) if pk in queue]
            assert [pk for pk in queue if pk in stayed] == stayed
            self.queues[session.pk] = queue

    @invariant()
    def entries_never_go_back(self) -> None:
        for pk, sequence, dtstamp in self.people().values_list("pk", "sequence", "dtstamp"):
            if dtstamp is not None:
                before = self.entries.get(pk, (0, dtstamp))
                assert (sequence, dtstamp) >= before
                assert dtstamp >= before[1]
                self.entries[pk] = (sequence, dtstamp)

    @invariant()
    def entries_say_what_holds(self) -> None:
        """A calendar shows nothing that is called off or given up, and nothing as certain that is not.

        Whoever has been there keeps the entry, also when they are erased afterwards.
        """
        for person in self.people().select_related("session__webinar__host"):
            wanted = "" if person.session.is_cancelled else invites.wanted_entry(person)
            has_been_there = person.is_confirmed and person.session.has_ended(self.now)
            assert not person.is_erased or person.is_cancelled or has_been_there
            assert person.entry == wanted or (person.entry in {"", "cancelled"} and not wanted)

    @invariant()
    def only_declined_places_go_to_others(self) -> None:
        for person in self.people().filter(frees_at__isnull=False):
            assert (person.partstat, person.status) == ("declined", "confirmed")

    @invariant()
    def those_with_a_place_for_good_have_entry_and_code(self) -> None:
        for person in self.people().confirmed():
            assert person.dtstamp is not None
            assert person.lapses_at is None
            assert not person.any_session
            assert person.offer_codes.count() == 1

    @invariant()
    def nobody_who_is_unproved_is_sent_anything_else(self) -> None:
        new = self.people().filter(awaits="proof", dtstamp=None, waiting_since=None, approved_at=None, paid_at=None)
        told = Message.objects.filter(registration__in=new, state="queued").exclude(kind__in=["proof", "link_again"])
        # Who cancelled or was cancelled before was known then, and may still be owed the mail about that.
        assert not told.exclude(kind__in=["cancelled", "turned_down", "lapsed"]).exists()

    # ---------- how ----------

    def tick(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    def act(self, act: Any, *subject: Any, **fields: Any) -> None:
        """Do something that may be refused in words, and only so; what is refused changes nothing."""
        now = self.tick()
        before = self.snapshot()
        try:
            done = act(*subject, now=now, **fields)
        except signup.SignupError:
            assert self.snapshot() == before
            return
        if done is not None and act is not signup.register:
            again = self.snapshot()
            with suppress(signup.SignupError):
                act(*subject, now=now, **fields)
            assert self.snapshot() == again, "The second time did something."

    def act_on(self, person: int, act: Any, **fields: Any) -> None:
        registration = self.person(person)
        if registration is not None:
            self.act(act, registration, **fields)

    def person(self, number: int) -> Registration | None:
        found: Registration | None = self.people().filter(email=f"person{number}@example.org").first()
        return found

    def save(self, session: Session) -> list[str]:
        """Save it as organizers do. Returns the fields that were refused."""
        try:
            scheduling.save_session(session, by=None, now=self.tick())
        except ValidationError as refusal:
            return list(refusal.message_dict)
        return []

    def snapshot(self) -> list[tuple[Any, ...]]:
        people = self.people().order_by("pk").values_list("pk", "session", "status", "awaits", "has_place", "sequence")
        sessions = Session.objects.order_by("pk").values_list("pk", "places_taken")
        return [*people, *sessions, (Message.objects.count(),)]

    def people(self) -> Any:
        return Registration.objects.filter(webinar=self.webinar)

    def sessions(self) -> list[Session]:
        return list(Session.objects.select_related("webinar").filter(webinar=self.webinar).order_by("pk"))

    def coming_sessions(self) -> list[Session]:
        return [each for each in self.sessions() if not each.is_cancelled and not each.has_ended(self.now)]

    def session(self, place: int) -> Session:
        return self.sessions()[place]


@pytest.mark.django_db
def test_whatever_people_and_organizers_do_places_queues_and_entries_agree() -> None:
    run_state_machine_as_test(
        SignupMachine,
        settings=settings(
            max_examples=40,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            # Without making what was found shorter, which takes minutes with a database.
            phases=[Phase.explicit, Phase.reuse, Phase.generate],
        ),
    )
