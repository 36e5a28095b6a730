"""A million registrations in other webinars, each with its code and its mail: python -m benchmarks.bulk

The database writes them itself, as copies of one that the demonstration has.
"""

from collections.abc import Mapping

import django

django.setup()

from django.db import connection  # noqa: E402 - models can be imported once Django is set up
from django.db.models import Model  # noqa: E402

from events.models import Session, Webinar  # noqa: E402
from registrations.models import Message, OfferCode, Registration  # noqa: E402

REGISTRATIONS = 1_000_000
WEBINARS = 200


def main() -> None:
    code = OfferCode.objects.filter(registration__status=Registration.Status.CONFIRMED).earliest("pk")
    source = code.registration
    webinar, session = source.webinar, source.session
    known = Registration.objects.latest("pk").pk
    # 1. Webinars with a session each, whose ids follow each other.
    webinars = Webinar.objects.latest("pk").pk + 1
    _copy(webinar, f"generate_series(1, {WEBINARS}) AS n", {"slug": "'bulk-' || n"})
    sessions = Session.objects.latest("pk").pk + 1
    _copy(
        session,
        f"generate_series(0, {WEBINARS - 1}) AS n",
        {
            "webinar_id": f"{webinars} + n",
            "uid": "'bulk-' || n",
            "capacity": "NULL",
            "places_taken": f"{REGISTRATIONS // WEBINARS}",
        },
    )
    # 2. Their registrations: of ten people eight have a place, one waits and one has cancelled.
    _copy(
        source,
        f"generate_series(1, {REGISTRATIONS}) AS n",
        {
            "reference": "upper(substr(md5(n::text), 1, 12))",
            "uid": "'bulk-' || n || '@example.org'",
            "webinar_id": f"{webinars} + n / 10 % {WEBINARS}",
            "session_id": f"{sessions} + n / 10 % {WEBINARS}",
            "email": "'bulk-' || n || '@example.com'",
            "email_key": "'bulk-' || n || '@example.com'",
            "status": "CASE n % 10 WHEN 0 THEN 'cancelled' WHEN 1 THEN 'waitlisted' ELSE 'confirmed' END",
            "has_place": "n % 10 > 1",
            "waiting_since": "CASE n % 10 WHEN 1 THEN source.registered_at + n * interval '1 millisecond' END",
            "registered_at": "source.registered_at - n * interval '1 second'",
        },
    )
    # 3. What belongs to them.
    of_each = f"registrations_registration AS mine WHERE mine.id > {known}"
    _copy(
        code,
        of_each,
        {"registration_id": "mine.id", "session_id": "mine.session_id", "code": "'BULK-' || mine.reference"},
    )
    _copy(
        Message.objects.filter(kind=Message.Kind.CONFIRMED).earliest("pk"),
        of_each,
        {
            "key": "'confirmed-' || mine.reference || '-0'",
            "registration_id": "mine.id",
            "to_email": "mine.email",
            "state": "'sent'",
            "created_at": "mine.registered_at",
            "due_at": "mine.registered_at",
            "sent_at": "mine.registered_at",
        },
    )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _copy(source: Model, rows: str, values: Mapping[str, str]) -> None:
    """A copy of that row beside each of `rows`, with other values in some of its columns."""
    meta = source._meta
    columns = [str(field.column) for field in meta.concrete_fields if not field.primary_key]
    shown = ", ".join(values.get(column, f'source."{column}"') for column in columns)
    names = ", ".join(f'"{column}"' for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{meta.db_table}" ({names}) SELECT {shown} '
            f'FROM (SELECT * FROM "{meta.db_table}" WHERE id = {source.pk}) AS source, {rows}'
        )


if __name__ == "__main__":
    main()
