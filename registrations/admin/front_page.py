"""What organizers see first: what waits for them, of all their hosts together."""

from typing import Any

from django.db import models
from django.http import HttpRequest
from django.utils import timezone

from events.access import Role, access_of
from registrations.admin import standing
from registrations.models import Registration


def complete(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add what is to do, at those hosts where the reader may do it. Unfold calls it for the first page."""
    mine = access_of(request).among("webinar__host", at_least=Role.EDITOR)
    rows = Registration.objects.filter(mine, standing.to_do(timezone.now())).order_by()
    found = dict(rows.values_list("awaits").annotate(count=models.Count("pk")))
    return {**context, "to_do": standing.sentences(found)}
