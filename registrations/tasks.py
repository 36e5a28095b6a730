"""What the worker does: each task takes ids and calls one act. Losing one or running it twice does no harm."""

from celery import shared_task

from registrations import delivery


@shared_task
def deliver_message(message_id: int) -> None:
    """Send one message now, so that who just registered has the mail a moment later."""
    delivery.deliver(message_id)


@shared_task
def sweep_outbox() -> None:
    """Send what is due. This alone guarantees delivery; everything else only makes it quicker."""
    delivery.drain()
