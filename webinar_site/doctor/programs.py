"""The programs behind the web server: the broker, workers and the schedule, by the marks that they leave there."""

from datetime import timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from events.admin.wording import ago
from webinar_site.doctor.seen import Seen, amber, green, red, together
from webinar_site.heartbeats import Heard

# A worker leaves a mark every ten seconds, the schedule every fifteen (OUTBOX_SWEEP_SECONDS).
LATE_AFTER = timedelta(seconds=45)
GONE_AFTER = timedelta(minutes=2)
# Longer than any task may run (CELERY_TASK_TIME_LIMIT): by then one of them should have ended.
IDLE_AFTER = timedelta(minutes=6)


def check_broker(heard: Heard | None) -> Seen:
    if heard is None:
        return red(_("The broker does not answer: mail waits."), _("Look at REDIS_URL and at Redis."))
    return green(_("The broker answers."))


def check_workers(heard: Heard | None) -> Seen:
    if heard is None:
        return _cannot_be_told()
    to_do = _("Start the worker (systemctl start webinar-site-worker), and look at its log. Mail waits until then.")
    if not heard.workers:
        return red(
            _("No worker has been heard of in the last hour, or Redis was emptied just now."),
            to_do,
        )
    alive = {name: age for name, age in heard.workers.items() if age <= LATE_AFTER}
    silent = {name: age for name, age in heard.workers.items() if age > LATE_AFTER}
    if not alive:
        said = _("No worker is alive. Last heard of: %(workers)s.") % {"workers": _with_ages(silent)}
        return amber(said, to_do) if min(silent.values()) <= GONE_AFTER else red(said, to_do)
    words = ngettext("%(count)d worker is alive: %(workers)s.", "%(count)d workers are alive: %(workers)s.", len(alive))
    found = [green(words % {"count": len(alive), "workers": _with_ages(alive)})]
    if silent:
        found.append(
            amber(
                _("Silent without having said goodbye: %(workers)s.") % {"workers": _with_ages(silent)},
                _("It was killed or has lost the broker. The others do its work; look at its log."),
            )
        )
    return together([*found, _tasks_done(heard)])


def _tasks_done(heard: Heard) -> Seen:
    """Whether workers that live also work; only a schedule that calls them can tell."""
    is_called = heard.schedule is not None and heard.schedule <= LATE_AFTER
    if heard.task_done is not None and (heard.task_done <= IDLE_AFTER or not is_called):
        return green(_("The last task was done %(ago)s.") % {"ago": ago(heard.task_done)})
    if not is_called:
        return green(_("No task was done yet."))
    said = _("No task was done yet, though the schedule calls for some.")
    if heard.task_done is not None:
        said = _("The last task was done %(ago)s, though the schedule calls for some.") % {"ago": ago(heard.task_done)}
    return amber(
        said, _("Right after a start, wait a minute. Otherwise its children hang: look at its log, and restart it.")
    )


def check_schedule(heard: Heard | None) -> Seen:
    if heard is None:
        return _cannot_be_told()
    to_do = _("Start the schedule (systemctl start webinar-site-beat), one alone, and look at its log.")
    if heard.schedule is None:
        return red(_("The schedule has not been heard of, or Redis was emptied just now."), to_do)
    said = _("The schedule last called a worker %(ago)s.") % {"ago": ago(heard.schedule)}
    if heard.schedule <= LATE_AFTER:
        return green(said)
    return amber(said, to_do) if heard.schedule <= GONE_AFTER else red(said, to_do)


def _cannot_be_told() -> Seen:
    return red(
        _("Nothing can be said without the broker, which does not answer; nothing works without it either."),
        _("Look at REDIS_URL and at Redis."),
    )


def _with_ages(workers: dict[str, timedelta]) -> str:
    return "; ".join(f"{name}, {ago(age)}" for name, age in workers.items())
