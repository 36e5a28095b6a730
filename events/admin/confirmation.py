"""The page between an action and its deed: what will happen, to what, and how many people will hear of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin

CONFIRMED = "confirmed"
# The answer no, to a question in which a whole form is carried along.
RECONSIDERED = "reconsidered"


@dataclass(frozen=True)
class Question:
    """What is asked before something is done."""

    title: str
    sentences: Sequence[str]
    button: str
    is_grave: bool = True
    # What is not in order at present, and may be a reason to wait.
    warnings: Sequence[str] = ()


class AskFirstError(Exception):
    """Raised in the middle of a save that people would hear of, before the reader has agreed to that."""

    def __init__(self, question: Question, rows: Sequence[tuple[models.Model, str]]) -> None:
        super().__init__(question.title)
        self.question = question
        self.rows = rows


def is_confirmed(request: HttpRequest) -> bool:
    """Whether the reader has seen the question and said yes."""
    return request.method == "POST" and CONFIRMED in request.POST


def ask(
    request: HttpRequest,
    model_admin: ModelAdmin,
    question: Question,
    rows: Iterable[tuple[models.Model, str]],
    *,
    action: str | None = None,
    back: str,
    carried: Iterable[tuple[str, str]] = (),
) -> HttpResponse:
    """The page itself; each row comes with its name.

    `action` is that of a list, which is then run again with the same rows; None for one object.
    `carried` is a form as it was typed: yes sends it again to be saved, no to be typed on.
    """
    context: dict[str, Any] = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": question.title,
        "question": question,
        "rows": [(row.pk, name) for row, name in rows],
        "action": action,
        "action_checkbox_name": ACTION_CHECKBOX_NAME,
        "confirmed": CONFIRMED,
        "back": back,
        "carried": list(carried),
        "reconsidered": RECONSIDERED,
    }
    return TemplateResponse(request, "admin/events/confirmation.html", context)


def people_hear(count: int) -> str:
    """The sentence about who is told."""
    if not count:
        return _("Nobody has registered, so nobody is told.")
    return ngettext(
        "%(count)d person is told by mail, and the entry in their calendar is withdrawn.",
        "%(count)d people are told by mail, and the entries in their calendars are withdrawn.",
        count,
    ) % {"count": count}
