"""How an act begins: in one transaction, with the locks that it needs, or with a refusal."""

import logging
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar

from billiard.exceptions import SoftTimeLimitExceeded
from django.db import transaction
from django.utils.translation import gettext as _

from events.models import Session
from registrations import places
from registrations.models import Registration
from registrations.places import MovedMeanwhileError
from registrations.querysets import RegistrationQuerySet

logger = logging.getLogger(__name__)

T = TypeVar("T")

# Each time somebody else has to have moved the same registration in between.
TRIES = 5


class SignupError(Exception):
    """A refusal whose text may be shown to the person who asked."""


class RegistrationClosedError(SignupError):
    """The session takes nobody: it is over, cancelled, not announced or closed by its organizer."""


class SessionFullError(SignupError):
    """No place is left, and nobody may wait for one."""


class RegistrationOverError(SignupError):
    """The registration cannot be changed any more, or not in that way."""


def in_turn(act: Callable[[], T]) -> T:
    """Run an act in one transaction, and once more when the registration moved before its lock was ours."""
    for _attempt in range(TRIES):
        with suppress(MovedMeanwhileError), transaction.atomic():
            return act()
    raise RegistrationOverError(_("Your registration was changed a moment ago. Please look again."))


def one_by_one(rows: RegistrationQuerySet, act: Callable[[int], bool]) -> int:
    """Act on each of these, in a transaction of its own, so that what stops one does not hold up the others.

    Returns for how many something was done.
    """
    done = 0
    for pk in list(rows.values_list("pk", flat=True)):
        try:
            done += in_turn(partial(act, pk))
        except SoftTimeLimitExceeded:
            raise
        except Exception:
            logger.exception("%s failed for registration %s.", getattr(act, "func", act).__name__, pk)
    return done


def lock(
    registration: Registration, *others: int, settles: bool = False, all_sessions: bool = False
) -> tuple[Registration, dict[int, Session]]:
    """Lock a registration, and before it its session and those others.

    `settles`: the act may look for a place, so that whoever would come to any session needs the locks of all.
    """
    row = Registration.objects.values_list("session", "webinar", "any_session").get(pk=registration.pk)
    session_id, webinar_id, any_session = row
    is_wide = all_sessions or (settles and any_session)
    sessions = places.lock_webinar(webinar_id) if is_wide else places.lock_sessions(session_id, *others)
    mine = places.lock_registration(registration.pk, sessions)
    if settles and mine.any_session and not is_wide:
        raise MovedMeanwhileError
    return mine, sessions


def refuse_cancelled(mine: Registration) -> None:
    if mine.is_cancelled:
        raise RegistrationOverError(_("This registration is cancelled. You can register again on the webinar's page."))
