"""What became of the invite that somebody sent to themselves: it goes every way that a real one and its answer go."""

from datetime import datetime, timedelta

from django.conf import settings
from django.utils.translation import gettext as _

from events.admin.wording import ago, moment
from registrations import probes
from registrations.models import Message, Probe
from webinar_site.doctor.seen import Seen, amber, green, red

# A mailbox's password may have changed since.
LONG_AGO = timedelta(days=180)
# So long a worker may need to take it up.
SENT_WITHIN = timedelta(minutes=2)


def check_probe(*, now: datetime) -> Seen:
    """The newest one alone counts."""
    probe = probes.latest()
    how = _("Send one on the doctor's page, or with manage.py doctor --send-invite you@example.org, and accept it.")
    if probe is not None:
        return _what_became(probe, how, now)
    if not settings.EMAIL_URL:
        return green(_("Not needed: without EMAIL_URL nothing is sent."))
    return amber(_("Nobody has sent themselves an invite yet, so nobody knows whether answers arrive."), how)


def _what_became(probe: Probe, how: str, now: datetime) -> Seen:
    message = probe.message
    facts = {
        "to": message.to_email,
        "sender": probe.sender_email,
        "sent": moment(message.sent_at, "UTC"),
        "ago": ago(now - (message.sent_at or message.created_at)),
        "answer": message.answer,
    }
    if probe.answered_at is not None:
        return _answered(probe, probe.answered_at, facts, how, now)
    if message.bounced_at is not None:
        return red(
            _("The invite to %(to)s, sent from %(sender)s %(ago)s, came back: %(reason)s")
            % {**facts, "reason": message.bounce},
            _("Look at the reason. When it is mended, or the address was wrong: %(how)s") % {"how": how},
        )
    if message.state == Message.State.FAILED:
        return red(
            _("The invite to %(to)s was refused: %(answer)s") % facts,
            _("Look at the mail server's answer. When it is mended: %(how)s") % {"how": how},
        )
    if message.state == Message.State.SENT:
        return amber(
            _("An invite went to %(to)s on %(sent)s (%(ago)s), from %(sender)s. No answer has arrived.") % facts,
            _("Accept it in your calendar. If you have, see how answers reach the site: docs/operations.md."),
        )
    if message.state == Message.State.CANCELLED:
        return amber(_("The invite to %(to)s was not sent: %(answer)s") % facts, how)
    said = _("An invite to %(to)s waits to be sent, since %(ago)s.") % facts
    if message.answer:
        said = _("An invite to %(to)s waits to be sent, since %(ago)s: %(answer)s") % facts
    is_late = now - message.created_at > SENT_WITHIN
    wait = _("Wait a moment, and look again.")
    return amber(said, _("See the mail server, the workers and the schedule above.") if is_late else wait)


def _answered(probe: Probe, answered_at: datetime, facts: dict[str, str], how: str, now: datetime) -> Seen:
    said = _(
        "An invite went to %(to)s on %(sent)s, from %(sender)s. %(by)s answered on %(answered)s: %(partstat)s."
    ) % {
        **facts,
        "answered": moment(answered_at, "UTC"),
        "partstat": probe.get_partstat_display(),
        "by": probe.answered_by,
    }
    if now - answered_at > LONG_AGO:
        return amber(said, _("That is long ago. %(how)s") % {"how": how})
    return green(said)
