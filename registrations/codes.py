"""Offer codes as their owner sees them: which are theirs, what became of each, and how the others are earned."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.utils.translation import gettext as _

from events.conditions import condition_text
from events.models import Offer, OfferCondition
from registrations.models import OfferCode, Registration


class CodeState(StrEnum):
    """What has become of a code."""

    LOCKED = "locked"
    UNLOCKED = "unlocked"
    USED = "used"
    ENDED = "ended"


@dataclass(frozen=True)
class Way:
    """One way to earn an offer, whether it was this one, and the page on which it can be done now, if any."""

    words: str
    is_done: bool
    path: str = ""


@dataclass(frozen=True)
class OwnOffer:
    """An offer as its owner sees it. `code` is empty until it is unlocked, so that no page can show it before."""

    offer: Offer
    state: CodeState
    code: str
    cause: str
    ways: list[Way]
    used_at: datetime | None

    @property
    def has_done_way(self) -> bool:
        return any(way.is_done for way in self.ways)


def own_offers(registration: Registration, *, paths: Mapping[str, str] | None = None, now: datetime) -> list[OwnOffer]:
    """The codes that the registration holds, newest first; of what was cancelled only those unlocked before.

    `paths` has the page for each kind of condition that can be met now.
    """
    codes = registration.offer_codes.select_related("offer").prefetch_related("offer__conditions")
    is_over = registration.is_cancelled or registration.session.is_cancelled
    return [
        _own_offer(code, paths or {}, now)
        for code in codes
        if code.is_unlocked or (code.offer.is_active and not is_over)
    ]


def _own_offer(code: OfferCode, paths: Mapping[str, str], now: datetime) -> OwnOffer:
    return OwnOffer(
        offer=code.offer,
        state=_code_state(code, now),
        code=code.code if code.is_unlocked else "",
        cause=cause_text(code.unlocked_by) if code.is_unlocked else "",
        ways=[
            Way(
                _way_words(condition),
                is_done=code.is_unlocked and condition.kind == code.unlocked_by,
                path="" if code.is_unlocked else paths.get(condition.kind, ""),
            )
            for condition in code.offer.conditions.all()
        ],
        used_at=code.redeemed_at,
    )


def _code_state(code: OfferCode, now: datetime) -> CodeState:
    if code.redemptions >= code.offer.redemptions_per_code:
        return CodeState.USED
    if code.offer.has_ended(now):
        return CodeState.ENDED
    return CodeState.UNLOCKED if code.is_unlocked else CodeState.LOCKED


def _way_words(condition: OfferCondition) -> str:
    return condition_text(condition.kind, minutes=condition.minutes, until=condition.until)


def cause_text(kind: str) -> str:
    """By what a code was unlocked, as a sentence to its owner."""
    return {
        OfferCondition.Kind.REGISTERED.value: _("You registered, so this code is yours."),
        OfferCondition.Kind.ATTENDED.value: _("You attended live, so this code is yours."),
        OfferCondition.Kind.ASKED.value: _("You sent the presenters a question, so this code is yours."),
        OfferCondition.Kind.REPLAY.value: _("You watched the replay, so this code is yours."),
        OfferCondition.Kind.SURVEY.value: _("You answered the survey, so this code is yours."),
    }.get(kind, _("This code is yours."))
