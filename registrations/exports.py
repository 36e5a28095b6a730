"""All that is held of a person, as data that they may take away (GDPR, articles 15 and 20).

Rows in, plain values out: nothing here reads a request or writes. Moments are in UTC, and say so.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.db.models import prefetch_related_objects

from events.links import absolute
from events.models import Session, User, Webinar
from registrations import tokens
from registrations.models import (
    Answer,
    BouncedAddress,
    CalendarFeed,
    Message,
    OfferCode,
    Registration,
    Unsubscription,
)


def registration_data(registration: Registration, *, now: datetime) -> dict[str, Any]:
    """One registration with all that belongs to it. Of codes that are not earned yet, no more than that they exist."""
    return {"taken_at": _moment(now), **_registrations([registration])[0]}


def person_data(
    user: User, addresses: Sequence[str], registrations: Sequence[Registration], *, now: datetime
) -> dict[str, Any]:
    """An account, its proved addresses with the mails for signing in, and the registrations made with one of these."""
    about_signing_in = Message.objects.filter(registration__isnull=True, to_email__in=addresses)
    return {
        "taken_at": _moment(now),
        "account": {
            "email": user.email,
            "proved_addresses": list(addresses),
            "mails": [_mail(message) for message in about_signing_in],
            "made_at": _moment(user.date_joined),
            "last_signed_in_at": _moment(user.last_login),
            "calendar": _calendar(user),
        },
        "registrations": _registrations(registrations),
    }


def _calendar(user: User) -> dict[str, Any] | None:
    """The address of their own calendar, which is theirs to know, where they had one made."""
    feed = CalendarFeed.objects.filter(user=user).first()
    return None if feed is None else {"address": tokens.calendar_url(feed), "made_at": _moment(feed.created_at)}


def _registrations(registrations: Sequence[Registration]) -> list[dict[str, Any]]:
    # So many queries, however many there are.
    prefetch_related_objects(registrations, "answers__question", "offer_codes__offer", "messages")
    keys = {own.email_key for own in registrations}
    failing = {row.email_key: row for row in BouncedAddress.objects.filter(email_key__in=keys)}
    said = {(row.host_id, row.email_key): row for row in Unsubscription.objects.filter(email_key__in=keys)}
    return [
        {
            **_registration(own),
            "stopped_mail": {
                **_failing(failing.get(own.email_key)),
                **_unsubscribed(said.get((own.session.webinar.host_id, own.email_key))),
            },
        }
        for own in registrations
    ]


def _failing(address: BouncedAddress | None) -> dict[str, Any]:
    return {
        "address_takes_no_mail_since": _moment(address.noted_at if address else None),
        "why_mail_came_back": address.reason if address else "",
    }


def _unsubscribed(word: Unsubscription | None) -> dict[str, Any]:
    return {
        "unsubscribed_from_the_host_at": _moment(word.asked_at if word else None),
        "unsubscribed_how": word.how if word else "",
    }


def _registration(own: Registration) -> dict[str, Any]:
    # What an earlier owner of the same address earned is told to nobody who has not proved it.
    shows_codes = own.awaits != Registration.Awaits.PROOF
    return {
        "registration": {
            "reference": own.reference,
            "name": own.name,
            "email": own.email,
            "time_zone": own.time_zone,
            "language": own.language,
            "status": own.status,
            "waits_for": own.awaits,
            "has_place": own.has_place,
            "kept_until": _moment(own.lapses_at),
            "waits_for_any_session": own.any_session,
            "registered_at": _moment(own.registered_at),
            "agreed_to_later_mails_at": _moment(own.consented_at),
            "address_proved_at": _moment(own.proved_at),
            "accepted_at": _moment(own.approved_at),
            "paid_at": _moment(own.paid_at),
            "confirmed_at": _moment(own.confirmed_at),
            "waiting_since": _moment(own.waiting_since),
            "came_at": _moment(own.joined_at),
            "answered_survey_at": _moment(own.surveyed_at),
            "cancelled_at": _moment(own.cancelled_at),
            "cancelled_because": own.cancelled_because,
            "answered_in_calendar": own.partstat,
            "answered_in_calendar_at": _moment(own.replied_at),
            "declined_and_free_for_others_from": _moment(own.frees_at),
        },
        "calendar_entry": {
            "uid": own.uid,
            "sequence": own.sequence,
            "revised_at": _moment(own.dtstamp),
            "shows": own.entry,
            "organizer": own.organizer,
        },
        "webinar": _webinar(own.session.webinar),
        "session": _session(own.session),
        "answers": [_answer(answer) for answer in own.answers.all()],
        "offer_codes": [_code(code, is_shown=shows_codes) for code in own.offer_codes.all()],
        "mails": [_mail(message) for message in own.messages.all()],
    }


def _webinar(webinar: Webinar) -> dict[str, Any]:
    return {"title": webinar.title, "host": webinar.host.name, "page": absolute(webinar.get_absolute_url())}


def _session(session: Session) -> dict[str, Any]:
    return {
        "label": session.label,
        "starts_at": _moment(session.starts_at),
        "ends_at": _moment(session.ends_at),
        "time_zone": session.time_zone,
        "is_cancelled": session.is_cancelled,
    }


def _answer(answer: Answer) -> dict[str, Any]:
    return {"asked": answer.question.asked, "question": answer.wording, "answer": answer.value}


def _code(code: OfferCode, *, is_shown: bool) -> dict[str, Any]:
    return {
        "offer": code.offer.headline,
        "code": code.code if code.is_unlocked and is_shown else None,
        "issued_at": _moment(code.issued_at),
        "unlocked_at": _moment(code.unlocked_at),
        "unlocked_by": code.unlocked_by,
        "times_used": code.redemptions,
        "last_used_at": _moment(code.redeemed_at),
    }


def _mail(message: Message) -> dict[str, Any]:
    return {
        "kind": message.kind,
        "to": message.to_email,
        "language": message.language,
        "state": message.state,
        "written_at": _moment(message.created_at),
        "sent_at": _moment(message.sent_at),
        "message_id": message.message_id,
        "attempts": [{"at": _moment(attempt.at), "answer": attempt.answer} for attempt in message.past_attempts],
        "came_back_at": _moment(message.bounced_at),
        "why_it_came_back": message.bounce,
    }


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
