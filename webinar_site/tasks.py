"""What the worker does for whoever runs the site. Losing a task or running it twice does no harm."""

from celery import shared_task
from django.utils import timezone

from webinar_site import doctor


@shared_task
def examine_quickly() -> None:
    """Keep what the doctor sees at what is near."""
    doctor.keep(doctor.examine_quickly(doctor.Look(now=timezone.now())))


@shared_task
def examine_slowly() -> None:
    """Keep what the mail server and the DNS say."""
    doctor.keep(doctor.examine_slowly(doctor.Look(now=timezone.now())))
