"""What people type: registering, choosing another session, and answering what a webinar asks before or after.

Forms clean and refuse; they store nothing and send nothing. Every refusal stands beside its field and says what to do.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.utils.functional import cached_property
from django.utils.translation import get_language_info, ngettext
from django.utils.translation import gettext_lazy as _

from events import timezones
from events.availability import availability
from events.choices import ANY, Chosen, first_choice
from events.email_addresses import address_key, check_email
from events.fields import SingleLineInput
from events.models import Question, Session, Webinar
from events.statements import Given, Statement, columns, instance
from registrations import stamps
from registrations.names import check_name
from registrations.questions import Condition, answer_field, as_sent, condition_of


class PageBoundField(forms.BoundField):
    """A field that tells the template which shape it needs, and has the focus where it is the first with an error."""

    form: "PageForm"

    @property
    def id_for_label(self) -> str:
        # The sessions are a fieldset of their own (templates/events/webinar/_session_options.html).
        return "sessions" if self.name == "session" else super().id_for_label

    @property
    def is_group(self) -> bool:
        """Whether it is several inputs under one legend."""
        return bool(self.field.widget.use_fieldset)

    @cached_property
    def subwidgets(self) -> list[forms.boundfield.BoundWidget]:
        found = super().subwidgets
        if self.is_group and self.form.focus == self.name:
            found[0].data["attrs"]["autofocus"] = True
        return found

    def build_widget_attrs(self, attrs: dict[str, Any], widget: forms.Widget | None = None) -> dict[str, Any]:
        built = super().build_widget_attrs(attrs, widget)
        if not self.is_group and self.form.focus == self.name:
            built["autofocus"] = True
        return built

    @property
    def is_needed(self) -> bool:
        """Whether it must be answered by whoever it is asked of."""
        return bool(self.field.required or (self.condition and self.condition.is_required))

    @property
    def condition(self) -> Condition | None:
        """When the question is asked, where that depends on another answer."""
        return self.form.conditions.get(self.name)


class PageForm(forms.Form):
    """A form whose page begins where something is wrong."""

    bound_field_class = PageBoundField
    # Of the questions among its fields.
    conditions: Mapping[str, Condition] = {}

    @cached_property
    def focus(self) -> str:
        """The name of the first field with an error, in the order of the page; empty where there is none."""
        return next((name for name in self.fields if name in self.errors), "")


class SessionChoiceForm(PageForm):
    """Chooses one of a webinar's sessions. `session` arrives as its id and leaves as the object."""

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
        sent = self._session_by_id(self._sent)
        return sent.pk if sent else None

    @property
    def chosen(self) -> Chosen:
        """The same, or ANY."""
        return ANY if self.any_session else self.sent_session_id

    @property
    def any_session(self) -> bool:
        """Whether any of the sessions will do, whichever has a place first; then `session` is the likeliest."""
        return self._sent == ANY

    @property
    def _sent(self) -> str:
        return str((self.data if self.is_bound else self.initial).get("session") or "").strip()

    def clean_session(self) -> Session:
        if self.any_session:
            session = first_choice(self.sessions, self.now)
        elif not self._sent and len(self.sessions) == 1:
            session = self.sessions[0]
        else:
            session = self._session_by_id(self._sent)
        if session is None:
            raise ValidationError(_("Choose one of the sessions"), code="session")
        self._check_open(session)
        return session

    @property
    def focuses_session(self) -> bool:
        """Whether the first error is the choice of the session."""
        return self.focus == "session"

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
            state = availability(session, now=self.now, zone=self.webinar.host.shown_zone(None))
            raise ValidationError(state.words, code="closed")
        if not session.takes_registrations(self.now):
            raise ValidationError(_("This session is full. Choose another."), code="full")


class QuestionsForm(PageForm):
    """Asks some of a webinar's questions, each in a field of its kind, beside whatever else the form has.

    A question that depends on another answer always has its field. Whoever it is not asked of may leave it out, and
    what they sent for it is dropped.
    """

    questions: list[Question]

    def ask(self, questions: Iterable[Question], *, given: Mapping[Question, str] | None = None) -> None:
        """Add the questions' fields, in their order. What was `given` before can be given again."""
        self.questions = list(questions)
        by_id = {question.pk: question for question in self.questions}
        conditions = {}
        for question in self.questions:
            name, earlier = question.field_name, by_id.get(question.depends_on_id or 0)
            self.fields[name] = answer_field(question, [(given or {}).get(question, "")])
            if earlier is not None:
                conditions[name] = condition_of(question, earlier)
                self.fields[name].help_text = conditions[name].with_help(question.help_text)
        self.conditions = conditions

    def clean(self) -> dict[str, Any]:
        super().clean()
        for question in self.questions:
            self._ask_only_if(question, self.conditions.get(question.field_name))
        return self.cleaned_data

    def _ask_only_if(self, question: Question, condition: Condition | None) -> None:
        """Drop the answer to what was not asked, and miss one that was left out. Earlier questions come first."""
        name = question.field_name
        if condition is None:
            return
        if not question.is_asked_after(self.cleaned_data.get(condition.field_name) or ""):
            self.errors.pop(name, None)
            self.cleaned_data[name] = ""
        elif question.is_required and name not in self.errors and not self.cleaned_data.get(name):
            self.add_error(name, self.fields[name].error_messages["required"])

    @property
    def answers(self) -> dict[Question, str]:
        """What was answered, question by question; those left out are not in it."""
        given = ((question, self.cleaned_data.get(question.field_name) or "") for question in self.questions)
        return {question: answer for question, answer in given if answer}

    @property
    def question_fields(self) -> list[forms.BoundField]:
        return [self[question.field_name] for question in self.questions]


class NamedForm(PageForm):
    """Asks how somebody is called."""

    name = SingleLineInput(
        label=_("Full name"),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        error_messages={"required": _("Enter your full name")},
    )

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        check_name(name)
        return name


class _EmptyInput(forms.TextInput):
    """Comes back empty, whatever stood in it."""

    def format_value(self, value: Any) -> None:
        return None


class RegistrationForm(NamedForm, SessionChoiceForm, QuestionsForm):
    """Registers somebody for a session, and asks what the webinar asks.

    `zone` is the zone the reader sees times in. A `time_zone` that nobody knows is ignored, not refused: it comes from
    the reader's device, and they could do nothing about it. `addresses`: those that may be registered; None takes any.
    """

    email = SingleLineInput(
        label=_("Email"),
        help_text=_("Your joining link goes here."),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        error_messages={"required": _("Enter your email address")},
    )
    time_zone = forms.Field(required=False, widget=forms.HiddenInput)
    # Nobody sees it until something stands in it: programs fill in what they find, and browsers know no such field.
    message = SingleLineInput(
        label=_("Leave this field empty"),
        required=False,
        widget=_EmptyInput(attrs={"autocomplete": "off", "tabindex": "-1"}),
    )
    consent = forms.BooleanField(required=False)

    def __init__(
        self,
        webinar: Webinar,
        zone: str | None,
        data: Mapping[str, Any] | None = None,
        *,
        now: datetime,
        addresses: Collection[str] | None = None,
    ) -> None:
        super().__init__(webinar, data, now=now)
        self.addresses = addresses
        self.kept: Mapping[str, Any] = {}
        if addresses is not None and len(addresses) == 1:
            self.initial["email"] = next(iter(addresses))
        self.zone = zone or ""
        self.initial["time_zone"] = self.zone
        self.fields["consent"].label = _("Write to me about later webinars by %(host)s") % {"host": webinar.host.name}
        self.ask(instance(Question, row) for row in _QUESTIONS.rows(webinar=webinar.pk))
        self.order_fields([name for name in self.fields if name != "consent"])

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"])
        check_email(email)
        if self.addresses is not None and address_key(email) not in {address_key(own) for own in self.addresses}:
            raise ValidationError(
                ngettext(
                    "Register with the address with which you may see this page: %(addresses)s",
                    "Register with one of the addresses with which you may see this page: %(addresses)s",
                    len(self.addresses),
                ),
                code="not_own",
                params={"addresses": ", ".join(sorted(self.addresses))},
            )
        return email

    def clean_time_zone(self) -> str:
        return self.shown_zone

    def clean_message(self) -> str:
        if self.cleaned_data["message"]:
            raise ValidationError(_("Something stood in this field. Please send the form once more."))
        return ""

    def clean(self) -> dict[str, Any]:
        super().clean()
        if not self.errors:
            self._check_stamp()
        return self.cleaned_data

    def _check_stamp(self) -> None:
        """Hold back what came sooner than anybody types, or from no page of today. Sent once more, it is taken."""
        age = stamps.age_of(str(self.data.get("stamp", "")), now=self.now)
        if age is None:
            raise ValidationError(_("This page stood open for very long."), code="stamp")
        if age < settings.FORM_TAKES_AT_LEAST:
            raise ValidationError(_("That was faster than people type."), code="stamp")

    @property
    def is_held_back(self) -> bool:
        """Whether nothing is wrong with it but that it looks like a program's."""
        return self.has_error(NON_FIELD_ERRORS, code="stamp")

    @property
    def stamp(self) -> str:
        """For the page: the one that came with the form, as long as it is good, or a new one."""
        sent = str((self.data if self.is_bound else self.kept).get("stamp", ""))
        is_good = stamps.age_of(sent, now=self.now) is not None
        return sent if is_good else stamps.new_stamp(now=self.now)

    def keep(self, typed: Mapping[str, Any]) -> None:
        """Show what was typed so far, without a word on what is wrong with it."""
        self.kept = typed
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


class RegistrationDetailsForm(NamedForm):
    """Changes how somebody is called, and the zone and language they read in.

    A zone that nobody knows is ignored, as it is when registering: the one they have stays.
    """

    time_zone = forms.CharField(label=_("Time zone"), required=False)
    language = forms.ChoiceField(
        label=_("Language"),
        help_text=_("Of this page, and of the mails that we send you."),
        choices=lambda: [(code, get_language_info(code)["name_local"]) for code, _name in settings.LANGUAGES],
        error_messages={"required": _("Choose one"), "invalid_choice": _("Choose from the list")},
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, name: str, time_zone: str, language: str) -> None:
        super().__init__(data, initial={"name": name, "time_zone": time_zone, "language": language})

    @property
    def shown_zone(self) -> str:
        """The zone that was sent, under its present name, else the one they have."""
        sent = str(self.data.get("time_zone", "")).strip() if self.is_bound else ""
        return timezones.canonical_name(sent) if timezones.is_known(sent) else str(self.initial["time_zone"])

    def clean_time_zone(self) -> str:
        return self.shown_zone


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
            self.initial[question.field_name] = as_sent(question, value)

    def clean(self) -> dict[str, Any]:
        super().clean()
        if not self.errors and not self.answers:
            raise ValidationError(_("Answer at least one question"), code="empty")
        return self.cleaned_data
