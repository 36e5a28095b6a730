"""The seven kinds of question: the field in which each is answered, what answers are stored as, and how they read.

What an answer must be is decided here; who is asked which question, in the forms.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from events import formats
from events.fields import PlainTextInput, SingleLineInput
from events.models import Question
from events.models.questions import NO, YES
from events.validators import at_most

MAX_SHORT_ANSWER_LENGTH = 300
MAX_LONG_ANSWER_LENGTH = 4000
# More choices than these are quicker to find in a list than among radio buttons.
MAX_RADIO_BUTTONS = 6


def answer_field(question: Question, given: Iterable[str] = ()) -> forms.Field:
    """The field of its kind, in which what was given before is an option still.

    One that depends on another answer is not required here: nobody can say so before that answer is known.
    """
    field = _ANSWER_FIELDS[Question.Kind(question.kind)](question, given)
    field.label = question.wording
    field.help_text = question.help_text
    field.required = question.is_required and question.depends_on_id is None
    field.widget.is_required = field.required
    return field


def as_sent(question: Question, value: str) -> str | list[str]:
    """A stored answer as a form sends it."""
    return value.splitlines() if question.kind == Question.Kind.SOME_OF else value


def can_hold(question: Question, values: Iterable[str], *, was_choice: bool) -> bool:
    """Whether a question, as it would be from now on, could have been answered so.

    `was_choice`: the values were options once, and stay what they were when they are none any more.
    """
    answers = list(values)
    if question.kind == Question.Kind.ONE_OF and any("\n" in answer for answer in answers):
        return False
    field = answer_field(question, answers if was_choice else ())
    try:
        return all(field.clean(as_sent(question, answer)) == answer for answer in answers)
    except ValidationError:
        return False


def shown_answer(question: Question, value: str) -> str:
    """A stored answer in the reader's words: codes of countries and of yes and no become names."""
    if question.kind == Question.Kind.COUNTRY:
        return formats.countries().get(value, value)
    if question.kind == Question.Kind.YES_NO:
        return str({YES: _("Yes"), NO: _("No")}.get(value, value))
    return value


# ---------- of whom a question is asked ----------


@dataclass(frozen=True)
class Condition:
    """When a question is asked that depends on an earlier one, for the form and its page.

    `answers` are those of the earlier question that ask it, a line each, as a script compares them; empty for any.
    """

    field_name: str
    answers: str
    words: SafeString
    is_required: bool

    def with_help(self, text: str) -> SafeString:
        """The words, and behind them the question's own."""
        return format_html("{} <bdi>{}</bdi>", self.words, text) if text else self.words


def condition_of(question: Question, earlier: Question) -> Condition:
    """Takes the question on which the other depends."""
    answers = "\n".join(answer.lower() for answer in question.asking_answers)
    return Condition(earlier.field_name, answers, _asked_when(question, earlier), question.is_required)


def _asked_when(question: Question, earlier: Question) -> SafeString:
    answers = [shown_answer(earlier, answer) for answer in question.asking_answers]
    if not answers:
        return format_html(gettext("Only if you answered “<bdi>{question}</bdi>”."), question=earlier.wording)
    return format_html(
        gettext("Only if you answered <bdi>{answers}</bdi> to “<bdi>{question}</bdi>”."),
        answers=formats.alternatives(answers),
        question=earlier.wording,
    )


# ---------- what is stored otherwise than it is sent ----------


class ManyAnswer(forms.MultipleChoiceField):
    """Some of several, stored one a line as the options are written, each once however often it was sent."""

    def clean(self, value: Any) -> str:
        return "\n".join(dict.fromkeys(super().clean(value)))


class NumberAnswer(forms.DecimalField):
    """A number, stored as digits without a language: 12 or 3.5."""

    def clean(self, value: Any) -> str:
        number = cast("Decimal | None", super().clean(value))
        return "" if number is None else f"{number.normalize():f}"


# ---------- a field for each kind ----------


def _short_text(question: Question, given: Iterable[str]) -> forms.Field:
    return SingleLineInput(
        validators=[at_most(MAX_SHORT_ANSWER_LENGTH)], error_messages={"required": _("Answer this question")}
    )


def _long_text(question: Question, given: Iterable[str]) -> forms.Field:
    return PlainTextInput(
        validators=[at_most(MAX_LONG_ANSWER_LENGTH)],
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": _("Answer this question")},
    )


def _one_of(question: Question, given: Iterable[str]) -> forms.Field:
    return _choice(_options(question, given), is_required=question.is_required)


def _some_of(question: Question, given: Iterable[str]) -> forms.Field:
    return ManyAnswer(
        choices=_options(question, [chosen for value in given for chosen in value.splitlines()]),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one"), "invalid_choice": _("Choose from the list")},
    )


def _options(question: Question, given: Iterable[str]) -> list[tuple[str, Any]]:
    """Those that the question has, then what was one of them once."""
    listed = dict.fromkeys([*question.option_list, *(value for value in given if value)])
    return [(option, option) for option in listed]


def _yes_no(question: Question, given: Iterable[str]) -> forms.Field:
    return _choice([(YES, _("Yes")), (NO, _("No"))], is_required=question.is_required)


def _number(question: Question, given: Iterable[str]) -> forms.Field:
    too_long = _("Enter a shorter number")
    return NumberAnswer(
        max_digits=15,
        decimal_places=4,
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
        error_messages={
            "required": _("Enter a number"),
            "invalid": _("Enter a number in digits, such as 3 or 3.5"),
            "max_digits": too_long,
            "max_decimal_places": too_long,
            "max_whole_digits": too_long,
        },
    )


def _country(question: Question, given: Iterable[str]) -> forms.Field:
    return forms.ChoiceField(
        choices=lambda: [("", _("Choose a country")), *formats.countries().items()],
        widget=forms.Select(attrs={"autocomplete": "country"}),
        error_messages={"required": _("Choose a country"), "invalid_choice": _("Choose from the list")},
    )


def _choice(options: list[tuple[str, Any]], *, is_required: bool) -> forms.Field:
    messages = {"required": _("Choose one"), "invalid_choice": _("Choose from the list")}
    if len(options) > MAX_RADIO_BUTTONS:
        return forms.ChoiceField(
            choices=[("", _("Choose one")), *options], widget=forms.Select, error_messages=messages
        )
    # A radio button once chosen cannot be taken back, so who need not answer gets a button for that.
    unanswered = [] if is_required else [("", pgettext_lazy("an answer to a question", "No answer"))]
    return forms.ChoiceField(choices=[*options, *unanswered], widget=forms.RadioSelect, error_messages=messages)


_ANSWER_FIELDS = {
    Question.Kind.SHORT_TEXT: _short_text,
    Question.Kind.LONG_TEXT: _long_text,
    Question.Kind.ONE_OF: _one_of,
    Question.Kind.SOME_OF: _some_of,
    Question.Kind.YES_NO: _yes_no,
    Question.Kind.NUMBER: _number,
    Question.Kind.COUNTRY: _country,
}
