"""Offer codes: issued once per registration, offer and session, unlocked when earned, used as often as allowed."""

import secrets
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils.translation import gettext as _

from events import timezones
from events.models import Offer, OfferCondition, Session
from events.statements import Given, Statement
from registrations.models import UNAMBIGUOUS, OfferCode, Registration

CODE_LENGTH = 12  # of 29 letters and digits: 58 bits, beyond guessing at any rate a shop would answer


class CodeRefusedError(Exception):
    """The code cannot be used. The text may be shown to the person who tried."""


def issue(registration: Registration, *, now: datetime) -> list[OfferCode]:
    """Issue the codes that a confirmed registration is due, locked unless registering itself earns them.

    Inside the caller's transaction; may run twice, since what was issued stays. A registration that changed session
    keeps its codes: moving about must not make new ones.
    """
    webinar = registration.session.webinar
    due = _DUE.rows(
        now=now,
        registration=registration.pk,
        webinar=webinar.pk,
        series=webinar.series_id,
        host=webinar.host_id,
    )
    if not due:
        return []
    return OfferCode.objects.bulk_create([_new_code(registration, *row, now=now) for row in due])


def _write_due() -> QuerySet[Offer, tuple[int, str, bool]]:
    """The offers that a registration has no code of yet: which, what codes begin with, whether registering earns it."""
    registering = OfferCondition.objects.filter(offer=OuterRef("pk"), kind=OfferCondition.Kind.REGISTERED)
    issued = OfferCode.objects.filter(offer=OuterRef("pk"), registration=Given("registration"))
    offers = Offer.objects.active(Given("now"))
    covering = offers.covering(webinar=Given("webinar"), series=Given("series"), host=Given("host"))
    return covering.filter(~Exists(issued)).values_list("pk", "code_prefix", Exists(registering))


_DUE = Statement(_write_due)


def move_codes(registration: Registration, *, session: Session) -> None:
    """Let the codes follow their owner to another session."""
    registration.offer_codes.update(session=session)


def unlock(registration: Registration, *, kind: str, now: datetime) -> int:
    """Unlock the codes that a way to earn them, a kind of OfferCondition, has just earned. Returns how many.

    For a place that is held, in a session that was not called off, and offers that stand at that moment; a condition
    with a date holds until that day is over at the offer's host, and one that asks to stay for some minutes is not met
    by having come. May run twice: one conditional write, which leaves alone what was unlocked before, whatever by.
    """
    conditions = (
        OfferCondition.objects.filter(
            kind=kind, offer__in=Offer.objects.active(now), offer__codes__registration=registration
        )
        .exclude(kind=OfferCondition.Kind.ATTENDED, minutes__gt=0)
        .select_related("offer__host")
    )
    earned = {condition.offer_id for condition in conditions if _is_in_time(condition, now)}
    if not earned:
        return 0
    place = Registration.objects.confirmed().filter(pk=registration.pk).exclude(session__state=Session.State.CANCELLED)
    return OfferCode.objects.filter(registration__in=place, offer__in=earned, unlocked_at__isnull=True).update(
        unlocked_at=now, unlocked_by=kind
    )


def redeem(code: str, *, now: datetime) -> OfferCode:
    """Use a code once. Raises CodeRefusedError when it is unknown, not yet earned, out of time or used up.

    One conditional write decides, so that under any load a code is used at most as often as its offer allows.
    """
    with transaction.atomic():
        taken = (
            OfferCode.objects.filter(code=code.strip().upper(), unlocked_at__isnull=False)
            .filter(offer__in=Offer.objects.active(now), redemptions__lt=F("offer__redemptions_per_code"))
            .order_by()
        )
        row = taken.values_list("pk", "offer__redemptions_per_code").first()
        changed = row and OfferCode.objects.filter(pk=row[0], redemptions__lt=row[1]).update(
            redemptions=F("redemptions") + 1, redeemed_at=now
        )
    if not row or not changed:
        raise CodeRefusedError(_("This code is unknown, not unlocked, out of date or used up."))
    return OfferCode.objects.select_related("offer", "registration").get(pk=row[0])


def _is_in_time(condition: OfferCondition, now: datetime) -> bool:
    zone = timezones.get_zone(condition.offer.host.time_zone)
    return condition.until is None or now.astimezone(zone).date() <= condition.until


def _new_code(registration: Registration, offer: int, prefix: str, is_earned: bool, *, now: datetime) -> OfferCode:  # noqa: FBT001 - a row
    return OfferCode(
        registration=registration,
        offer_id=offer,
        session=registration.session,
        code=new_code(prefix),
        issued_at=now,
        unlocked_at=now if is_earned else None,
        unlocked_by=OfferCondition.Kind.REGISTERED if is_earned else "",
    )


def new_code(prefix: str = "") -> str:
    """A code as it is read and typed: groups of four, after the offer's prefix."""
    letters = "".join(secrets.choice(UNAMBIGUOUS) for _ in range(CODE_LENGTH))
    groups = [letters[start : start + 4] for start in range(0, CODE_LENGTH, 4)]
    return "-".join(([prefix.upper()] if prefix else []) + groups)
