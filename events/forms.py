"""What readers ask of the lists, and what opens a page that has a password."""

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from events import formats

# Before and after these years there is no webinar, and not in every zone a day.
FIRST_YEAR, LAST_YEAR = 1970, 2200
UPCOMING, PAST = "upcoming", "past"

Choices = list[tuple[str, str]]


class DayField(forms.DateField):
    """A date as browsers send it."""

    widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    default_error_messages = {"invalid": _("Enter a date such as 2026-10-28.")}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(input_formats=["%Y-%m-%d"], **kwargs)

    def validate(self, value: date | None) -> None:
        super().validate(value)
        if value is not None and not FIRST_YEAR <= value.year <= LAST_YEAR:
            raise ValidationError(self.error_messages["invalid"], code="invalid")


class PagePasswordForm(forms.Form):
    """Asks for the password of a webinar's page, and keeps where its reader was going."""

    password = forms.CharField(
        label=_("Password of the page"),
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={
            "required": _("Enter the password of the page"),
            "max_length": _("This is not the password. Capital letters count."),
            "null_characters_not_allowed": _("This is not the password. Capital letters count."),
        },
    )
    next = forms.CharField(required=False, widget=forms.HiddenInput)

    def refuse(self, words: str) -> None:
        """Say beside the field why what was typed opens nothing."""
        self.add_error("password", words)


class FilterForm(forms.Form):
    """Which webinars a list shows. Everything may stay empty; a choice that nobody offers finds nothing."""

    q = forms.CharField(label=_("Search"), required=False, widget=forms.TextInput({"type": "search", "maxlength": 100}))
    when = forms.CharField(label=_("When"), required=False, widget=forms.Select)
    day = DayField(label=_("Day"), required=False)
    series = forms.CharField(label=_("Series"), required=False, widget=forms.Select)
    host = forms.CharField(label=_("Host"), required=False, widget=forms.Select)
    lang = forms.CharField(label=_("Language"), required=False, widget=forms.Select)

    def __init__(self, data: dict[str, str], *, series: Choices, hosts: Choices, languages: Choices) -> None:
        super().__init__(data, auto_id="%s")
        self._offer("when", _("Any time"), [(UPCOMING, str(_("Coming up"))), (PAST, str(_("Past webinars")))])
        # A choice between a thing and everything is none, where there is nothing else.
        self._offer("series", _("Any series"), series)
        self._offer("host", _("Any host"), hosts if len(hosts) > 1 else [])
        self._offer("lang", _("Any language"), languages if len(languages) > 1 else [])
        if "day" in self.errors:
            # Browsers empty a date field that holds no date, and nobody could mend what they typed.
            self.fields["day"].widget.input_type = "text"

    def clean_when(self) -> str:
        """An old or mistyped address asks for everything."""
        when: str = self.cleaned_data["when"]
        return when if when in {UPCOMING, PAST} else ""

    @property
    def further_fields(self) -> list[forms.BoundField]:
        """Those that stand folded away."""
        return [self[name] for name in ("series", "host", "lang") if name in self.fields]

    @property
    def is_unfolded(self) -> bool:
        """Whether any of them is in use."""
        return any(field.data for field in self.further_fields)

    @property
    def asked(self) -> dict[str, str]:
        """What is asked for, each with the words for it, in the order of the fields."""
        return {name: self._words(name, value) for name in self.fields if (value := self.cleaned_data.get(name))}

    def _offer(self, name: str, anything: Any, choices: Choices) -> None:
        asked = self.data.get(name, "")
        known = {value for value, _label in choices}
        if asked and asked not in known and name != "when":
            choices = [*choices, (asked, asked)]
        if not choices:
            del self.fields[name]
            return
        self.fields[name].widget.choices = [("", anything), *choices]

    def _words(self, name: str, value: str | date) -> str:
        if isinstance(value, date):
            return formats.plain_date(value)
        choices = getattr(self.fields[name].widget, "choices", [])
        return next((str(label) for key, label in choices if key == value), value)
