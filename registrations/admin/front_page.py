"""What organizers see first: what waits for them, of all their hosts together."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from events import zone_rules
from events.access import Role, access_of
from registrations.admin import standing
from registrations.models import Registration

# More of them are told as a number.
SESSIONS_NAMED = 5


@dataclass(frozen=True)
class Undecided:
    """Sessions whose time is for an organizer to choose, since the rules for clocks in their zone have changed."""

    # The first of them, each as the address of its page, its name and the reason.
    named: list[tuple[str, str, str]]
    others: int


def complete(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add what is to do, at those hosts where the reader may do it. Unfold calls it for the first page."""
    now = timezone.now()
    access = access_of(request)
    mine = access.among("webinar__host", at_least=Role.EDITOR)
    rows = Registration.objects.filter(mine, standing.to_do(now)).order_by()
    found = dict(rows.values_list("awaits").annotate(count=models.Count("pk")))
    return {
        **context,
        "to_do": standing.sentences(found),
        "undecided": _undecided(mine, now) if access.may_somewhere(at_least=Role.EDITOR) else None,
        "zone_rules_version": zone_rules.VERSION,
    }


def _undecided(mine: models.Q, now: datetime) -> Undecided:
    findings = zone_rules.survey(now=now, among=mine).for_a_person
    named = [
        (
            reverse("admin:events_session_change", args=[finding.session.pk]),
            f"{finding.session.webinar}, {finding.session}",
            finding.reason,
        )
        for finding in findings[:SESSIONS_NAMED]
    ]
    return Undecided(named, others=len(findings) - len(named))
