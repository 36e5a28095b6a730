"""Shorter times for the chaos, so that a run takes minutes: every wait of production is there, in the same order.

A claim still outlasts its task, a task the last mail that it begins, and the server's answer is waited for longer than
it takes to answer.
"""

from datetime import timedelta

from django.apps import AppConfig

CLAIM_SECONDS = 30
DRAIN_SECONDS = 10
DATA_ANSWER_SECONDS = 5
PAUSES_SECONDS = (1, 2, 4, 8, *[8] * 50)


class Hurry(AppConfig):
    """An app without models, there for its moment: once all others are loaded."""

    name = "benchmarks"

    def ready(self) -> None:
        from registrations import delivery, outbox, transport  # noqa: PLC0415 - not before the models are there

        outbox.CLAIM_FOR = timedelta(seconds=CLAIM_SECONDS)
        outbox.PAUSES = tuple(timedelta(seconds=seconds) for seconds in PAUSES_SECONDS)
        delivery.DRAIN_SECONDS = DRAIN_SECONDS
        transport.DATA_ANSWER_SECONDS = DATA_ANSWER_SECONDS
