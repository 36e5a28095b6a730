"""Questions that people have answered: what may not change any more, and what is asked or said before it does."""

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.db import models
from django.http import HttpRequest
from django.utils.translation import ngettext

from events.admin.questions import QuestionForm, QuestionInline
from events.admin.telling import Effect
from events.models import Question
from registrations.answers import delete_answers
from registrations.models import Answer
from registrations.questions import can_hold

# What people had before them when they answered.
ASKED_FIELDS = {"wording", "kind", "options"}


class AnsweredQuestionForm(QuestionForm):
    """A question keeps what people answered: the kinds that can hold it, and the time when it was asked."""

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.instance.pk and "kind" in self.changed_data and "kind" in self.cleaned_data:
            self._refuse_a_kind_that_loses_answers()
        if self.instance.pk and "asked" in self.changed_data:
            self._refuse_another_time()
        return cleaned

    def _refuse_a_kind_that_loses_answers(self) -> None:
        answers = Answer.objects.filter(question=self.instance).order_by()
        options = self.cleaned_data.get("options", self.instance.options)
        changed = Question(kind=self.cleaned_data["kind"], options=options)
        values = answers.values_list("value", flat=True).distinct()
        if not can_hold(changed, values, was_choice=self.instance.has_options):
            count = answers.count()
            message = ngettext(
                "%(count)d person has answered, which this kind cannot hold. Add a new question instead.",
                "%(count)d people have answered, and this kind cannot hold all they said. Add a new question instead.",
                count,
            )
            self.add_error("kind", message % {"count": count})

    def _refuse_another_time(self) -> None:
        count = Answer.objects.filter(question=self.instance).count()
        if count:
            message = ngettext(
                "%(count)d person has answered it as it is asked now. Add a new question instead.",
                "%(count)d people have answered it as it is asked now. Add a new question instead.",
                count,
            )
            self.add_error("asked", message % {"count": count})


class AnsweredQuestionInline(QuestionInline):
    form = AnsweredQuestionForm

    def _with_own_words(self, form_class: Any) -> Any:
        """Answers do not stand in the way of deleting: whoever deletes is asked about them first (`effects`)."""

        class AskedAboutForm(form_class):
            def hand_clean_DELETE(self) -> None:  # noqa: N802 - Django's name
                """See above."""

        return AskedAboutForm


def effects(formsets: Iterable[Any]) -> list[Effect]:
    """What is lost with the questions that are to be deleted."""
    gone = [question for formset in formsets if formset.model is Question for question in _deleted(formset)]
    counted = Answer.objects.filter(question__in=gone).order_by().values_list("question")
    answered = dict(counted.annotate(count=models.Count("pk")))
    return [_effect(question, answered[question.pk]) for question in gone if question.pk in answered]


def _effect(question: Question, count: int) -> Effect:
    words = ngettext(
        "“%(question)s” is deleted with the answer of %(count)d person, which cannot be brought back. "
        "To keep it, first download the registrations.",
        "“%(question)s” is deleted with the answers of %(count)d people, which cannot be brought back. "
        "To keep them, first download the registrations.",
        count,
    )
    return Effect(words % {"question": question, "count": count})


def delete_what_hangs_on(formset: Any) -> None:
    """The answers to the questions that are about to be deleted. Whoever does it was asked (`effects`)."""
    delete_answers(_deleted(formset))


def _deleted(formset: Any) -> list[Question]:
    rows = (form for form in formset.forms if form.instance.pk)
    return [form.instance for form in rows if getattr(form, "cleaned_data", {}).get("DELETE")]


def say_who_had_answered(request: HttpRequest, formset: Any) -> None:
    """After a change: how many had another question before them, and what they had chosen that is no option now."""
    for question, fields in formset.changed_objects:
        answered = 0 if ASKED_FIELDS.isdisjoint(fields) else Answer.objects.filter(question=question).count()
        if not answered:
            continue
        message = ngettext(
            "%(count)d person had answered “%(question)s” before you changed it. "
            "The answer stays as it was given, with the wording that was asked.",
            "%(count)d people had answered “%(question)s” before you changed it. "
            "The answers stay as they were given, with the wording that was asked.",
            answered,
        )
        messages.warning(request, message % {"count": answered, "question": question})
        if "options" in fields:
            _say_what_is_no_option(request, question)


def _say_what_is_no_option(request: HttpRequest, question: Question) -> None:
    if not question.has_options:
        return
    values = Answer.objects.filter(question=question).order_by().values_list("value").annotate(count=models.Count("pk"))
    chosen: dict[str, int] = {}
    for value, count in values:
        for option in value.splitlines():
            chosen[option] = chosen.get(option, 0) + count
    for option, count in chosen.items():
        if option in question.option_list:
            continue
        message = ngettext(
            "“%(option)s” is no option now. %(count)d person had chosen it, and the answer stays.",
            "“%(option)s” is no option now. %(count)d people had chosen it, and their answers stay.",
            count,
        )
        messages.warning(request, message % {"option": option, "count": count})
