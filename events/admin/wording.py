"""How the organizers' pages say when something is, and what somebody changed."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.db import models
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from events import formats
from events.models import Session
from events.models.sessions import TIME_FIELDS

# What everybody who reads the history need not learn.
_NEVER_TOLD = {"access_password"}


def moment(instant: datetime | None, zone: str) -> str:
    """Wed, 14 Oct 2026, 13:30 London, UTC+1; nothing where there is none."""
    return f"{formats.short_date(instant, zone)}, {formats.place_time(instant, zone)}" if instant else ""


def moment_cell(instant: datetime | None, zone: str) -> SafeString | str:
    """The same for a column: the line breaks after the date or not at all."""
    if not instant:
        return ""
    return format_html(
        # Within one box: phones set the cell as a row of boxes, which would not break between the two.
        '<span class="text-right lg:text-left"><span class="whitespace-nowrap">{},</span> '
        '<span class="whitespace-nowrap">{}</span></span>',
        formats.short_date(instant, zone),
        formats.place_time(instant, zone),
    )


def ago(age: timedelta) -> str:
    """12 seconds ago, 5 minutes ago: in the largest measure of which there are at least two."""
    seconds = max(round(age.total_seconds()), 0)
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if days > 1:
        return ngettext("%(count)d day ago", "%(count)d days ago", days) % {"count": days}
    if hours > 1:
        return ngettext("%(count)d hour ago", "%(count)d hours ago", hours) % {"count": hours}
    if minutes > 1:
        return ngettext("%(count)d minute ago", "%(count)d minutes ago", minutes) % {"count": minutes}
    return ngettext("%(count)d second ago", "%(count)d seconds ago", seconds) % {"count": seconds}


def session_moment(session: Session) -> str:
    return moment(session.starts_at, session.time_zone)


def changes(form: Any, *, stored: Session | None = None) -> list[str]:
    """What a form changed, a sentence for each thing; `stored` is the session as it was."""
    changed = [name for name in form.changed_data if name in form.fields]
    sentences = []
    if stored is not None and any(name in TIME_FIELDS for name in changed):
        before, after = session_moment(stored), session_moment(form.instance)
        sentences.append(_("Date changed from %(before)s to %(after)s.") % {"before": before, "after": after})
        changed = [name for name in changed if name not in TIME_FIELDS]
    return [*sentences, *(_change(form, name) for name in changed)]


def _change(form: Any, name: str) -> str:
    label = capfirst(str(form.fields[name].label or name))
    try:
        before, after = (_said(form, name, value) for value in (form.initial.get(name), form.cleaned_data.get(name)))
    except _LongError:
        return _("%(field)s changed.") % {"field": label}
    if before == after:
        return _("%(field)s changed.") % {"field": label}
    return _("%(field)s changed from %(before)s to %(after)s.") % {"field": label, "before": before, "after": after}


class _LongError(Exception):
    """The value is not for one line."""


def _said(form: Any, name: str, value: Any) -> str:
    """A value in quotation marks, as the page shows it. Raises _LongError for texts, files and lists."""
    field = form.fields[name]
    if name in _NEVER_TOLD:
        raise _LongError
    if isinstance(field, (forms.FileField, forms.ModelChoiceField, forms.DateTimeField)):
        raise _LongError
    if isinstance(field.widget, forms.Textarea) or isinstance(value, (list, models.Model)):
        raise _LongError
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if value in (None, ""):
        return _("nothing")
    labels = {str(key): str(label) for key, label in _flat(getattr(field, "choices", ()))}
    return f"“{labels.get(str(value), value)}”"


def _flat(choices: Iterable[Any]) -> Iterable[tuple[Any, Any]]:
    for key, label in choices:
        if isinstance(label, (list, tuple)):
            yield from label
        else:
            yield key, label
