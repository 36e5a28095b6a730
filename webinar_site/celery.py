"""The Celery application. Tasks carry ids and ring bells; what has to be done stands in the database."""

import os
from datetime import UTC, datetime
from typing import Any

import django.db
from celery import Celery
from celery.signals import after_task_publish, beat_init, task_postrun, task_prerun

from webinar_site import heartbeats

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webinar_site.settings")
# A worker that is told to stop puts back what it cannot finish in time, instead of holding it.
os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")

app = Celery("webinar_site")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["consumer"].add(heartbeats.WorkerHeartbeat)
task_postrun.connect(heartbeats.leave_for_task)


@task_prerun.connect
def drop_stale_connections(**_: Any) -> None:
    """With CELERY_DB_REUSE_MAX a connection outlives its task; one that the database closed must not fail the next."""
    django.db.close_old_connections()


# Due at each start, whenever it last ran: a release may bring new zone rules, and the doctor looks first of all.
DUE_AT_START = ("recheck-zones", "examine-quickly", "examine-slowly")


@beat_init.connect
def begin_schedule(sender: Any, **_: Any) -> None:
    """Make due what is due at each start, and have every call leave a mark.

    The schedule itself sends them, once the broker answers: nothing sent from here would survive a broker that is away.
    """
    for name in DUE_AT_START:
        sender.scheduler.schedule[name].last_run_at = datetime.fromtimestamp(0, UTC)
    after_task_publish.connect(heartbeats.leave_for_schedule)
