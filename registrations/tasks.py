"""What the worker does: each task takes ids and calls one act. Losing one or running it twice does no harm."""

from celery import shared_task
from django.core.management import call_command
from django.utils import timezone

from registrations import delivery, mailings, signup, thinning
from registrations.inbound import imap


@shared_task
def deliver_message(message_id: int) -> None:
    """Send one message now, so that who just registered has the mail a moment later."""
    delivery.deliver(message_id)


@shared_task
def sweep_outbox() -> None:
    """Send what is due. This alone guarantees delivery; everything else only makes it quicker."""
    delivery.drain()


@shared_task
def sweep_places() -> None:
    """Pass on the places of people who did not act in time, and turn to the next session who waits for any."""
    signup.lapse_overdue(now=timezone.now())
    signup.free_declined(now=timezone.now())
    signup.rehome_waiting(now=timezone.now())


@shared_task
def look_into_mailbox() -> None:
    """Take in what calendars have answered, where a mailbox is named for it."""
    imap.look(now=timezone.now())


@shared_task
def thin_out_mails() -> None:
    """Delete the mails that hosts do not keep any longer. What is not reached in time is left for the next day."""
    thinning.thin_out(now=timezone.now())


@shared_task
def sweep_mailings() -> None:
    """Write the mails that are due by the plan, and those that organizers announce."""
    mailings.sweep(now=timezone.now())


@shared_task
def forget_sessions() -> None:
    """Delete the sessions that ran out: some hold the address of whoever asked for a code and never came back."""
    call_command("clearsessions")
