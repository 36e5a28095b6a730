"""The site's own settings with shorter times, for the chaos alone. What stands in modules is shortened by `hurry`."""

from datetime import timedelta

from webinar_site.settings import *  # noqa: F403 - these are those settings
from webinar_site.settings import CELERY_BEAT_SCHEDULE, CELERY_BROKER_TRANSPORT_OPTIONS, INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "benchmarks.hurry.Hurry"]
EMAIL_TIMEOUT = 2
CELERY_TASK_SOFT_TIME_LIMIT = 22
CELERY_TASK_TIME_LIMIT = 25
CELERY_BROKER_TRANSPORT_OPTIONS = CELERY_BROKER_TRANSPORT_OPTIONS | {"visibility_timeout": 35}
OUTBOX_SWEEP_SECONDS = 3
UPDATES_SETTLE = timedelta(seconds=5)
CELERY_BEAT_SCHEDULE = CELERY_BEAT_SCHEDULE | {
    "sweep-outbox": {
        "task": "registrations.tasks.sweep_outbox",
        "schedule": OUTBOX_SWEEP_SECONDS,
        "options": {"expires": OUTBOX_SWEEP_SECONDS},
    }
}
