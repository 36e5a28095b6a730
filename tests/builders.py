"""Builders: any object in one call, with honest defaults. Every keyword overrides a field."""

import itertools
from base64 import urlsafe_b64encode
from datetime import UTC, date, datetime, time
from hashlib import sha256
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from cryptography.hazmat.primitives.asymmetric import ec
from django.utils import timezone
from fido2.cose import ES256
from fido2.webauthn import Aaguid, AttestationObject, AttestedCredentialData, AuthenticatorData

from events.models import (
    Affiliation,
    Appearance,
    DisplayZone,
    Host,
    MailRule,
    Membership,
    Offer,
    OfferCondition,
    Presenter,
    Question,
    Session,
    User,
    Webinar,
)
from registrations import signup, stamps
from registrations.models import Registration

_numbers = itertools.count(1)

# A Wednesday in autumn, a month before the sessions that builders plan.
NOW = datetime(2026, 9, 16, 9, 0, tzinfo=UTC)


def make_host(**fields: Any) -> Host:
    number = next(_numbers)
    return Host.objects.create(
        **{"name": f"Border Review {number}", "slug": f"border-review-{number}", "time_zone": "Europe/London", **fields}
    )


def make_organizer(host: Host | None = None, *, role: str = Membership.Role.OWNER, **fields: Any) -> User:
    """Somebody who works for the host in the admin, and has proved their address."""
    number = next(_numbers)
    user = User.objects.create_user(**{"email": f"organizer{number}@example.org", "is_staff": True, **fields})
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
    Membership.objects.create(host=host or make_host(), user=user, role=role)
    return user


def make_passkey(user: User, *, name: str = "My passkey") -> Authenticator:
    """A passkey that signs in alone, as a browser describes one that it has made; no device has its secret."""
    credential_id = f"passkey {next(_numbers)}".encode()
    public_key = ES256.from_cryptography_key(ec.generate_private_key(ec.SECP256R1()).public_key())
    flags = AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.UV | AuthenticatorData.FLAG.AT
    made = AttestedCredentialData.create(Aaguid.NONE, credential_id, public_key)
    attestation = AttestationObject.create(
        "none", AuthenticatorData.create(sha256(b"localhost").digest(), flags, 0, made), {}
    )
    said = b'{"type":"webauthn.create","challenge":"AAAA","origin":"http://localhost"}'
    credential = {
        "id": _web_safe(credential_id),
        "rawId": _web_safe(credential_id),
        "type": "public-key",
        "clientExtensionResults": {"credProps": {"rk": True}},
        "response": {"clientDataJSON": _web_safe(said), "attestationObject": _web_safe(bytes(attestation))},
    }
    return Authenticator.objects.create(
        user=user, type=Authenticator.Type.WEBAUTHN, data={"name": name, "credential": credential}
    )


def _web_safe(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def make_webinar(*, zones: tuple[str, ...] = (), **fields: Any) -> Webinar:
    """A published webinar without a session; `zones` are the zones in which its times are shown."""
    number = next(_numbers)
    host = fields.pop("host", None) or make_host()
    webinar = Webinar.objects.create(
        **{
            "host": host,
            "title": f"Border Challenges {number}",
            "slug": f"border-challenges-{number}",
            "summary": "People who guard roads compare what works.",
            "about": "<p>What we will discuss.</p>",
            "status": Webinar.Status.PUBLISHED,
            **fields,
        }
    )
    DisplayZone.objects.bulk_create(
        DisplayZone(webinar=webinar, time_zone=zone, order=order) for order, zone in enumerate(zones)
    )
    return webinar


def make_session(webinar: Webinar | None = None, **fields: Any) -> Session:
    """A session on 14 October 2026, 13:30 London (12:30 UTC), 90 minutes, without a limit of places."""
    session = Session(
        **{
            "webinar": webinar or make_webinar(),
            "local_date": date(2026, 10, 14),
            "local_time": time(13, 30),
            "time_zone": "Europe/London",
            "duration_minutes": 90,
            "join_url": "https://meet.example.org/room/7",
            **fields,
        }
    )
    session.save()
    return session


def make_presenter(*, job_title: str = "Head of Unit", organization: str = "Border Office", **fields: Any) -> Presenter:
    number = next(_numbers)
    host = fields.pop("host", None) or make_host()
    presenter = Presenter.objects.create(
        **{"host": host, "name": f"Anna Kowalska {number}", "slug": f"presenter-{number}", **fields}
    )
    Affiliation.objects.create(presenter=presenter, job_title=job_title, organization=organization)
    return presenter


def make_appearance(webinar: Webinar, presenter: Presenter | None = None, **fields: Any) -> Appearance:
    return Appearance.objects.create(
        webinar=webinar, presenter=presenter or make_presenter(host=webinar.host), **fields
    )


def make_offer(webinar: Webinar, *, conditions: tuple[str, ...] = ("registered",), **fields: Any) -> Offer:
    """An offer for one webinar, earned by any of the conditions."""
    offer = Offer.objects.create(
        **{
            "host": webinar.host,
            "scope": Offer.Scope.WEBINAR,
            "webinar": webinar,
            "headline": "50% off your first two months",
            **fields,
        }
    )
    OfferCondition.objects.bulk_create(
        OfferCondition(offer=offer, kind=kind, order=order) for order, kind in enumerate(conditions)
    )
    return offer


def make_rule(subject: Host | Webinar, minutes: int = 60, **fields: Any) -> MailRule:
    """A rule of a host's plan, or of a webinar's own, that has held for ever: a reminder unless told."""
    whose = {"host": subject} if isinstance(subject, Host) else {"webinar": subject}
    return MailRule.objects.create(
        **{**whose, "minutes": minutes, "holds_from": datetime(2020, 1, 1, tzinfo=UTC), **fields}
    )


def make_question(webinar: Webinar, **fields: Any) -> Question:
    return Question.objects.create(**{"webinar": webinar, "wording": "Where do you work?", **fields})


def make_registration(session: Session | None = None, **fields: Any) -> Registration:
    """A registration as the form makes it: through `signup.register`, at NOW unless told."""
    number = next(_numbers)
    return signup.register(
        session or make_session(),
        **{"name": f"Anna Karimova {number}", "email": f"anna{number}@example.org", "now": NOW, **fields},
    )


def form_data(place: Session, /, *, now: datetime | None = None, **typed: Any) -> dict[str, Any]:
    """What somebody sends who fills in the registration form without a mistake; `now` is when its page was made."""
    return {
        "name": "Anna Karimova",
        "email": "anna@example.org",
        "session": str(place.pk),
        "stamp": stamps.new_stamp(now=now or timezone.now()),
        **typed,
    }
