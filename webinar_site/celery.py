"""The Celery application. Tasks carry ids and ring bells; what has to be done stands in the database."""

import os
from datetime import UTC, datetime
from typing import Any

import django.db
from celery import Celery
from celery.signals import beat_init, task_prerun

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webinar_site.settings")
# A worker that is told to stop puts back what it cannot finish in time, instead of holding it.
os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")

app = Celery("webinar_site")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@task_prerun.connect
def drop_stale_connections(**_: Any) -> None:
    """With CELERY_DB_REUSE_MAX a connection outlives its task; one that the database closed must not fail the next."""
    django.db.close_old_connections()


@beat_init.connect
def recheck_zones_first(sender: Any, **_: Any) -> None:
    """A release may bring new zone rules, so their check is due at each start, whenever it last ran.

    The schedule itself sends it, once the broker answers: nothing sent from here would survive a broker that is away.
    """
    sender.scheduler.schedule["recheck-zones"].last_run_at = datetime.fromtimestamp(0, UTC)
