"""What the worker does for the catalogue. Losing a task or running it twice does no harm."""

from celery import shared_task
from django.utils import timezone

from events import zone_rules


@shared_task
def recheck_zones() -> None:
    """Bring the sessions to come in line with the zone rules of this release."""
    zone_rules.recheck(now=timezone.now())
