"""What people type: registering, choosing another session, and answering what a webinar asks before or after.

Forms clean and refuse; they store nothing and send nothing. Every refusal stands beside its field and says what to do.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from events import timezones, validators
from events.email_addresses import check_email
from events.fields import PlainTextInput
from events.models import Question, Session, Webinar
from events.statements import Given, Statement, columns, instance

MAX_NAME_LENGTH = 200
MAX_SHORT_ANSWER_LENGTH = 300
MAX_LONG_ANSWER_LENGTH = 4000
# More choices than these are quicker to find in a list than among radio buttons.
MAX_RADIO_BUTTONS = 6

YES, NO = "yes", "no"
# What makes a link of a name in the mails that greet people by it.
_LINK_SIGNS = ("://", "www.", "@")
# Codes that CLDR names beside countries: groups of states, and places that no post reaches.
_NOT_COUNTRIES = {"EU", "EZ", "UN", "QO", "XA", "XB", "ZZ"}


class QuestionBoundField(forms.BoundField):
    """A field that tells the template which shape it needs."""

    @property
    def id_for_label(self) -> str:
        # The sessions are a fieldset of their own (templates/events/webinar/_session_options.html).
        return "sessions" if self.name == "session" else super().id_for_label

    @property
    def is_group(self) -> bool:
        """Whether it is several inputs under one legend."""
        return bool(self.field.widget.use_fieldset)


class SingleLineInput(forms.CharField):
    """Text on one line: what was pasted loses line breaks, control and direction marks."""

    def to_python(self, value: Any) -> str:
        return validators.single_line(str(value or ""))


class SessionChoiceForm(forms.Form):
    """Chooses one of a webinar's sessions. `session` arrives as its id and leaves as the object."""

    bound_field_class = QuestionBoundField

    # The page draws it as radio buttons, or hides it where there is only one; then the post may leave it out.
    session = forms.Field(label=_("Choose a session"), required=False)

    def __init__(self, webinar: Webinar, data: Mapping[str, Any] | None = None, *, now: datetime) -> None:
        super().__init__(data)
        self.webinar = webinar
        self.now = now
        self.sessions = list(webinar.sessions.all())

    @property
    def sent_session_id(self) -> int | None:
        """The session that was sent, for the page to show it as chosen again; None when it was none of these."""
        sent = self._session_by_id(str((self.data if self.is_bound else self.initial).get("session", "")))
        return sent.pk if sent else None

    def clean_session(self) -> Session:
        typed = str(self.cleaned_data["session"] or "").strip()
        if not typed and len(self.sessions) == 1:
            session: Session | None = self.sessions[0]
        else:
            session = self._session_by_id(typed)
        if session is None:
            raise ValidationError(_("Choose one of the sessions"), code="session")
        self._check_open(session)
        return session

    def refuse(self, reason: str) -> None:
        """Show beside the sessions why the act refused what the form had let pass."""
        self.errors.pop("session", None)
        self.add_error("session", reason)

    def _session_by_id(self, typed: str) -> Session | None:
        return next((session for session in self.sessions if str(session.pk) == typed), None)

    def _check_open(self, session: Session) -> None:
        if session.is_cancelled:
            raise ValidationError(_("This session is cancelled. Choose another."), code="cancelled")
        if session.has_ended(self.now):
            raise ValidationError(_("This session is over. Choose another."), code="over")
        if not self.webinar.registration_is_open(self.now):
            raise ValidationError(_("Registration is not open."), code="closed")
        if not session.takes_registrations(self.now):
            raise ValidationError(_("This session is full. Choose another."), code="full")


class QuestionsForm(forms.Form):
    """Asks some of a webinar's questions, each in a field of its kind, beside whatever else the form has."""

    bound_field_class = QuestionBoundField

    questions: list[Question]

    def ask(self, questions: Iterable[Question], *, given: Mapping[Question, str] | None = None) -> None:
        """Add the questions' fields, in their order. What was `given` before can be given again."""
        self.questions = list(questions)
        for question in self.questions:
            self.fields[question.field_name] = _answer_field(question, [(given or {}).get(question, "")])

    @property
    def answers(self) -> dict[Question, str]:
        """What was answered, question by question; those left out are not in it."""
        given = ((question, self.cleaned_data.get(question.field_name) or "") for question in self.questions)
        return {question: answer for question, answer in given if answer}

    @property
    def question_fields(self) -> list[forms.BoundField]:
        return [self[question.field_name] for question in self.questions]


class RegistrationForm(SessionChoiceForm, QuestionsForm):
    """Registers somebody for a session, and asks what the webinar asks.

    `zone` is the zone the reader sees times in. A `time_zone` that nobody knows is ignored, not refused: it comes from
    the reader's device, and they could do nothing about it.
    """

    name = SingleLineInput(
        label=_("Full name"),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        error_messages={"required": _("Enter your full name")},
    )
    email = SingleLineInput(
        label=_("Email"),
        help_text=_("Your joining link goes here."),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        error_messages={"required": _("Enter your email address")},
    )
    time_zone = forms.Field(required=False, widget=forms.HiddenInput)
    consent = forms.BooleanField(required=False)

    def __init__(
        self, webinar: Webinar, zone: str | None, data: Mapping[str, Any] | None = None, *, now: datetime
    ) -> None:
        super().__init__(webinar, data, now=now)
        self.zone = zone or ""
        self.initial["time_zone"] = self.zone
        self.fields["consent"].label = _("Write to me about later webinars by %(host)s") % {"host": webinar.host.name}
        self.ask(instance(Question, row) for row in _QUESTIONS.rows(webinar=webinar.pk))
        self.order_fields([name for name in self.fields if name != "consent"])

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        if not any(unicodedata.category(mark)[0] in "LN" for mark in name):
            raise ValidationError(_("Enter your full name"), code="required")
        shown = unicodedata.normalize("NFKC", name).lower()
        if any(sign in shown for sign in _LINK_SIGNS):
            # Whoever registers somebody else's address would have the site mail their advertisement.
            raise ValidationError(_("Enter a name without links or addresses."), code="link")
        return _at_most(name, MAX_NAME_LENGTH)

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"])
        check_email(email)
        return email

    def clean_time_zone(self) -> str:
        return self.shown_zone

    def keep(self, typed: Mapping[str, Any]) -> None:
        """Show what was typed so far, without a word on what is wrong with it."""
        for name, field in self.fields.items():
            if name != "time_zone":
                self.initial[name] = field.widget.value_from_datadict(typed, {}, name)

    @property
    def keeps_words(self) -> bool:
        """Whether somebody would miss anything, were the page shown anew. The choice of a session is not looked at."""
        return any(self.initial.get(name) for name in self.fields if name not in {"session", "time_zone"})

    @property
    def shown_zone(self) -> str:
        """The zone that was sent, under its present name, else the reader's; empty when nobody knows."""
        sent = str(self.data.get("time_zone", "")).strip() if self.is_bound else ""
        return timezones.canonical_name(sent) if timezones.is_known(sent) else self.zone

    @property
    def wants_news(self) -> bool:
        return bool(self.cleaned_data.get("consent"))


_QUESTIONS = Statement(
    lambda: Question.objects.filter(webinar=Given("webinar"), asked=Question.Asked.REGISTERING).values_list(
        *columns(Question)
    )
)


class SurveyForm(QuestionsForm):
    """Asks what a webinar asks after its sessions. `given` is what was answered before, for whoever comes back.

    It stays a choice where the organizers have changed the options meanwhile: nobody's answer is lost by keeping it.
    """

    def __init__(
        self,
        questions: Iterable[Question],
        data: Mapping[str, Any] | None = None,
        *,
        given: Mapping[Question, str] | None = None,
    ) -> None:
        super().__init__(data)
        self.ask(questions, given=given)
        for question, value in (given or {}).items():
            self.initial[question.field_name] = _as_sent(question, value)

    def clean(self) -> dict[str, Any]:
        if not self.errors and not self.answers:
            raise ValidationError(_("Answer at least one question"), code="empty")
        return self.cleaned_data


def can_hold(question: Question, values: Iterable[str], *, was_choice: bool) -> bool:
    """Whether a question, as it would be from now on, could have been answered so.

    `was_choice`: the values were options once, and stay what they were when they are none any more.
    """
    answers = list(values)
    if question.kind == Question.Kind.ONE_OF and any("\n" in answer for answer in answers):
        return False
    field = _answer_field(question, answers if was_choice else ())
    try:
        return all(field.clean(_as_sent(question, answer)) == answer for answer in answers)
    except ValidationError:
        return False


def shown_answer(question: Question, value: str) -> str:
    """A stored answer in the reader's words: codes of countries and of yes and no become names."""
    if question.kind == Question.Kind.COUNTRY:
        return dict(_countries()).get(value, value)
    if question.kind == Question.Kind.YES_NO:
        return str({YES: _("Yes"), NO: _("No")}.get(value, value))
    return value


# ---------- the seven kinds of question ----------


class ManyAnswer(forms.MultipleChoiceField):
    """Some of several, stored one a line as the options are written, each once however often it was sent."""

    def clean(self, value: Any) -> str:
        return "\n".join(dict.fromkeys(super().clean(value)))


class NumberAnswer(forms.DecimalField):
    """A number, stored as digits without a language: 12 or 3.5."""

    def clean(self, value: Any) -> str:
        number = cast("Decimal | None", super().clean(value))
        return "" if number is None else f"{number.normalize():f}"


def _as_sent(question: Question, value: str) -> str | list[str]:
    """A stored answer as a form sends it."""
    return value.splitlines() if question.kind == Question.Kind.SOME_OF else value


def _answer_field(question: Question, given: Iterable[str] = ()) -> forms.Field:
    """The field of its kind, in which what was given before is an option still."""
    field = _ANSWER_FIELDS[Question.Kind(question.kind)](question, given)
    field.label = question.wording
    field.help_text = question.help_text
    field.required = question.is_required
    field.widget.is_required = question.is_required
    return field


def _short_text(question: Question, given: Iterable[str]) -> forms.Field:
    return SingleLineInput(
        validators=[_length_validator(MAX_SHORT_ANSWER_LENGTH)], error_messages={"required": _("Answer this question")}
    )


def _long_text(question: Question, given: Iterable[str]) -> forms.Field:
    return PlainTextInput(
        validators=[_length_validator(MAX_LONG_ANSWER_LENGTH)],
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
        choices=lambda: [("", _("Choose a country")), *_countries()],
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


def _countries() -> list[tuple[str, str]]:
    """Every country's code and name, by name in the active language."""
    names = timezones.babel_locale(get_language()).territories
    countries = [
        (code, name) for code, name in names.items() if len(code) == 2 and code.isalpha() and code not in _NOT_COUNTRIES
    ]
    return sorted(countries, key=lambda country: _without_accents(country[1]))


def _without_accents(text: str) -> str:
    """For sorting: Åland among the A, Côte d'Ivoire among the C."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(mark for mark in decomposed if not unicodedata.combining(mark))


# ---------- what is refused ----------


def _at_most(text: str, limit: int) -> str:
    _length_validator(limit)(text)
    return text


def _length_validator(limit: int) -> Any:
    """Refuse longer text. Not Django's max_length, which makes browsers cut what is pasted without a word."""

    def validate(text: str) -> None:
        if len(text) > limit:
            raise ValidationError(
                _("This has %(length)s characters; at most %(limit)s are taken"),
                code="too_long",
                params={"length": len(text), "limit": limit},
            )

    return validate
