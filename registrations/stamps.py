"""Tells people from programs by the time they take: a signed stamp says when the page with the form was made.

It says nothing of its reader, so that the page may be the same for everybody (docs/decisions/0012).
"""

from datetime import UTC, datetime, timedelta

from django.core import signing

_SALT = "registrations.stamps"
# A page that stood open overnight is still good.
GOOD_FOR = timedelta(days=1)
_MILLISECOND = timedelta(milliseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def new_stamp(*, now: datetime) -> str:
    """What a page that is made now sends back with its form."""
    return _signer().sign(str((now - _EPOCH) // _MILLISECOND))


def age_of(stamp: str, *, now: datetime) -> timedelta | None:
    """How old the page is; None where nobody knows: the stamp is missing, forged, or worn out."""
    try:
        made_at = _EPOCH + int(_signer().unsign(stamp)) * _MILLISECOND
    except (signing.BadSignature, ValueError, OverflowError):
        return None
    age = now - made_at
    return age if age <= GOOD_FOR else None


def _signer() -> signing.Signer:
    return signing.Signer(salt=_SALT)
