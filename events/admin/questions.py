"""What a webinar asks, on its page: questions that depend on earlier ones, and rows that agree with one another."""

import math
from collections.abc import Sequence
from copy import copy
from typing import Any, ClassVar

from django import forms
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from events.admin.scoped import HostScopedStackedInline, SameHostFormSet
from events.models import Question

# Before whose answer a question may not be asked; a new one comes last among those of its order.
_LATER = _("This question comes later. Choose an earlier one.")
_OTHER_TIME = _("This question is asked at another time.")
_DELETED = _("This question is being deleted. Choose another, or none.")


class QuestionForm(forms.ModelForm):  # type: ignore[type-arg]
    """One question, which may depend on an earlier one that is asked at the same time."""

    # All of the webinar, in their order, as they are stored.
    questions: ClassVar[Sequence[Question]] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "depends_on" in self.fields:
            self._offer_earlier(self.fields["depends_on"])

    def _offer_earlier(self, field: Any) -> None:
        own = self.instance
        found = [
            question
            for question in self.questions
            if own.pk is None
            or question.pk == own.depends_on_id
            or (question.asked == own.asked and (question.order, question.pk) < (own.order, own.pk))
        ]
        field.choices = [("", _("None: it is always asked")), *((question.pk, str(question)) for question in found)]


class QuestionFormSet(SameHostFormSet):
    """Also when several rows are changed at once, each question comes after the one that it depends on."""

    def full_clean(self) -> None:
        """Let each row be checked beside the others as they were typed: an option may be renamed wherever it stands."""
        if self.is_bound:
            planned = {form.instance.pk: _as_typed(form) for form in self.initial_forms if form.instance.pk}
            for form in self.forms:
                form.instance.is_saved_with(planned)
        super().full_clean()

    def clean(self) -> None:
        super().clean()
        rows = {form.instance.pk: form for form in self.forms if form.instance.pk}
        for form in self.forms:
            cleaned = getattr(form, "cleaned_data", {})
            earlier = cleaned.get("depends_on")
            if earlier is None or cleaned.get("DELETE") or earlier.pk not in rows:
                continue
            before = getattr(rows[earlier.pk], "cleaned_data", {})
            if before.get("DELETE"):
                form.add_error("depends_on", _DELETED)
            elif "order" in before and "order" in cleaned:
                self._compare(form, earlier, before)

    def _compare(self, form: Any, earlier: Question, before: dict[str, Any]) -> None:
        own = form.cleaned_data
        if before.get("asked", earlier.asked) != own.get("asked", form.instance.asked):
            form.add_error("depends_on", _OTHER_TIME)
        elif (before["order"] or 0, earlier.pk) > (own["order"] or 0, form.instance.pk or math.inf):
            form.add_error("depends_on", _LATER)


def _as_typed(form: Any) -> Question:
    """The question of a row with what was typed, before anybody has checked it. One to be deleted needs no answer."""
    typed = copy(form.instance)
    for name in ("kind", "options", "depends_answers"):
        if name in form.fields:
            setattr(typed, name, form[name].data or "")
    if "depends_on" in form.fields:
        chosen = form["depends_on"].data or ""
        typed.depends_on_id = int(chosen) if chosen.isdecimal() else None
    if form.data.get(form.add_prefix("DELETE")):
        typed.depends_on_id = None
    return typed


class QuestionInline(HostScopedStackedInline):
    model = Question
    form = QuestionForm
    formset = QuestionFormSet
    fields = [
        ("wording", "asked"),
        ("kind", "is_required"),
        "options",
        "help_text",
        ("depends_on", "depends_answers"),
        "order",
    ]
    protected_message = _("Somebody has answered this question already, so it stays.")
    tab = True

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Question]:
        return super().get_queryset(request).select_related("depends_on")

    def get_formset(self, request: HttpRequest, obj: models.Model | None = None, **kwargs: Any) -> Any:
        formset = super().get_formset(request, obj, **kwargs)
        own = Question.objects.filter(webinar=obj.pk) if obj is not None else Question.objects.none()
        formset.form.questions = list(own)
        field = formset.form.base_fields.get("depends_on")
        if field is not None:
            field.queryset = own
            for button in ("can_add_related", "can_change_related", "can_view_related"):
                setattr(field.widget, button, False)
        answers = formset.form.base_fields.get("depends_answers")
        if answers is not None:
            answers.widget.attrs["rows"] = 3
            answers.help_text = _(
                "One answer a line, any of which asks this question: an option, yes or no, or a country as two letters "
                "such as DE. Empty: any answer does."
            )
        return formset
