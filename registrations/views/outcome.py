"""What the page after registering says: what was typed, and what comes of it for somebody new.

It is the same for an address that was here before, whatever became of that registration: whether somebody is registered
is nobody's business but theirs. So it is worked out from the webinar's rules and from what the page of the webinar
showed, and travels in a cookie.
"""

from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from django.core import signing
from django.http import HttpRequest, HttpResponse

from events.models import Session, Webinar
from events.page_cookies import set_cookie, values_of_cookie
from registrations.places import PROOF_WITHIN

# Long enough to come back from the mail to the page that spoke of it.
_KEPT_FOR = timedelta(hours=1)
_COOKIE = "registered"
_SALT = "registrations.registered"


class Step(StrEnum):
    """What is next."""

    COME = "come"
    PROVE = "prove"
    BE_ACCEPTED = "be_accepted"
    PAY = "pay"
    WAIT = "wait"


@dataclass(frozen=True)
class Outcome:
    """What came of it. `has_place`: a place is theirs, or kept for them until that moment (ISO 8601, or empty)."""

    called: str
    email: str
    time_zone: str
    session_id: int
    any_session: bool
    step: Step
    has_place: bool
    until: str

    @classmethod
    def expected(
        cls,
        webinar: Webinar,
        session: Session,
        *,
        called: str,
        email: str,
        time_zone: str,
        any_session: bool,
        is_place_free: bool,
        is_proved: bool,
        now: datetime,
    ) -> Self:
        """What comes of it for somebody new. `session` is theirs, or the likeliest of any."""
        step = _next_step(webinar, is_place_free=is_place_free, is_proved=is_proved)
        return cls(
            called=called,
            email=email,
            time_zone=time_zone,
            session_id=session.pk,
            any_session=any_session and not is_place_free,
            step=step,
            has_place=is_place_free and not webinar.needs_approval,
            until=_until(webinar, step, now),
        )

    @property
    def lapses_at(self) -> datetime | None:
        """Until when they have to act; None where nothing presses."""
        return datetime.fromisoformat(self.until) if self.until else None

    def keep(self, response: HttpResponse, webinar: Webinar) -> HttpResponse:
        """Hand it to the pages of this webinar alone, in every language."""
        kept = signing.dumps(asdict(self), salt=_SALT, compress=True)
        set_cookie(response, webinar, _COOKIE, kept, kept_for=_KEPT_FOR)
        return response

    @classmethod
    def read(cls, request: HttpRequest) -> Self | None:
        """What was kept; None after an hour, in another browser, and for what was not written here."""
        for cookie in values_of_cookie(request, _COOKIE):
            with suppress(signing.BadSignature, TypeError):
                return cls(**signing.loads(cookie, salt=_SALT, max_age=_KEPT_FOR))
        return None


def _next_step(webinar: Webinar, *, is_place_free: bool, is_proved: bool) -> Step:
    if webinar.needs_proof and not is_proved:
        return Step.PROVE
    if webinar.needs_approval:
        return Step.BE_ACCEPTED
    if not is_place_free:
        return Step.WAIT
    return Step.COME if webinar.is_free else Step.PAY


def _until(webinar: Webinar, step: Step, now: datetime) -> str:
    if step == Step.PROVE:
        return (now + PROOF_WITHIN).isoformat()
    if step == Step.PAY and webinar.payment_days:
        return (now + timedelta(days=webinar.payment_days)).isoformat()
    return ""
