"""Forms of the catalogue's pages: what the models cannot say beside the right field."""

from datetime import datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import Truncator, slugify
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.widgets import UnfoldAdminColorInputWidget

from events import addresses, players, search, timezones
from events.admin import widgets
from events.admin.addresses import path_of
from events.admin.scoped import OTHER_HOST
from events.admin.telling import HeldForm
from events.email_addresses import check_email
from events.models import Host, Webinar

# Two letters in one, which no normal form takes apart.
_JOINED = str.maketrans({"ß": "ss", "æ": "ae", "œ": "oe", "þ": "th"})


def _in_plain_letters(title: str) -> str:
    """What people would type for it, as searching does: Łukasz is lukasz."""
    return search.fold(title).translate(_JOINED)


class AddressedForm(forms.ModelForm):  # type: ignore[type-arg]
    """A page with an address, which follows from its title where nobody typed one."""

    title_field: ClassVar[str] = "title"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "slug" not in self.fields:
            return
        self.fields["slug"].required = False
        if self.instance.pk:
            self.fields["slug"].help_text = _(
                "Links that people already have lead on to the new one when you change it."
            )

    def clean_slug(self) -> str:
        typed: str = self.cleaned_data["slug"]
        if typed:
            return typed
        made = slugify(_in_plain_letters(self.cleaned_data.get(self.title_field) or ""))[:50]
        if not made:
            raise ValidationError(_("Enter an address in Latin letters, digits and hyphens."))
        return made

    def clean(self) -> dict[str, Any] | None:
        """Refuse an address at which people still ask for another host's page."""
        cleaned = super().clean()
        slug = self.cleaned_data.get("slug")
        is_new = not self.instance.pk or slug != self.initial.get("slug")
        if slug and is_new and addresses.is_anothers(path_of(self._meta.model(slug=slug)), host=self.owner()):
            self.add_error(
                "slug",
                _("Links and calendars that people have ask here for a page of another host. Enter another address."),
            )
        return cleaned

    def owner(self) -> Host | None:
        """Whose page it is; None where nobody has been chosen."""
        return self.cleaned_data.get("host") or (self.instance.host if self.instance.host_id else None)


def _is_domain(text: str) -> bool:
    try:
        check_email(f"name@{text}")
    except ValidationError:
        return False
    return True


# Beside the fields of a host.
WHAT_OWNERS_DECIDE: dict[str, Any] = {
    "member_domains": _(
        "Whoever signs in with an address at one of these may see the webinars for members; those at mail.example.org "
        "are not at example.org. One a line, such as example.org. Never that of a provider where everybody can have an "
        "address, such as gmail.com."
    ),
    "requires_second_factor": _(
        "Whoever works for this host in the admin must then also use a passkey or an app that shows codes. "
        "Those who have none yet are asked to set one up when they next come in."
    ),
}


class HostForm(AddressedForm):
    title_field = "name"

    class Meta:
        widgets = {"accent": UnfoldAdminColorInputWidget()}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, said in WHAT_OWNERS_DECIDE.items():
            if name in self.fields:
                self.fields[name].help_text = said

    def clean_member_domains(self) -> str:
        """One a line, each once, in small letters; what is no domain is named with its line."""
        domains, mistakes = [], []
        for number, line in enumerate(self.cleaned_data["member_domains"].splitlines(), start=1):
            domain = line.strip().removeprefix("@").rstrip(".").lower()
            if domain and not _is_domain(domain):
                said = _("Line %(line)d, “%(text)s”: this is no domain. It should look like example.org")
                mistakes.append(said % {"line": number, "text": Truncator(line.strip()).chars(80)})
            elif domain:
                domains.append(domain)
        if mistakes:
            raise ValidationError(mistakes)
        return "\n".join(dict.fromkeys(domains))

    def owner(self) -> Host | None:
        return self.instance if self.instance.pk else None


class SeriesForm(AddressedForm):
    """A series."""


class PresenterForm(AddressedForm):
    title_field = "name"


class HostClockForm(forms.ModelForm):  # type: ignore[type-arg]
    """Instants that are entered and shown as the clock on the host's wall shows them.

    Where that clock is put forward over a time it is refused. Where a time comes twice, what begins takes the first
    and what ends the second: nobody is turned away an hour early.
    """

    # What begins, what ends, and what is said where it would end first.
    spans: ClassVar[tuple[tuple[str, str, Any], ...]]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        host = self.instance.host if self.instance.host_id else self._only_host()
        for begins, ends, _said in self.spans:
            for name in (begins, ends):
                if name in self.fields:
                    self._show_in_zone(name, host)

    def _only_host(self) -> Host | None:
        """The host of a new object, where there is only one to choose."""
        field = self.fields.get("host")
        chosen = self.initial.get("host") or (field.initial if field else None)
        return Host.objects.filter(pk=chosen).first() if chosen else None

    def _show_in_zone(self, name: str, host: Host | None) -> None:
        field = self.fields[name]
        stored = self.initial.get(name)
        if host is None:
            zone_said = str(_("In the home time zone of the host."))
        else:
            zone_said = _("In the time of %(city)s, the host's home time zone (%(zone)s).") % {
                "city": timezones.city_name(host.time_zone),
                "zone": host.time_zone,
            }
            if isinstance(stored, datetime):
                local = stored.astimezone(ZoneInfo(host.time_zone))
                self.initial[name] = local.replace(tzinfo=None, fold=0)
        field.help_text = f"{zone_said} {field.help_text}" if field.help_text else zone_said

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        host = self.cleaned_data.get("host") or (self.instance.host if self.instance.host_id else None)
        for begins, ends, said in self.spans:
            if host is not None:
                self._resolve(begins, host, is_end=False)
                self._resolve(ends, host, is_end=True)
            first, last = self.cleaned_data.get(begins), self.cleaned_data.get(ends)
            if first and last and last <= first:
                self.add_error(ends, said)
        return cleaned

    def _resolve(self, name: str, host: Host, *, is_end: bool) -> None:
        local: datetime | None = self.cleaned_data.get(name)
        if local is None:
            return
        if name not in self.changed_data and (stored := getattr(self.instance, name)) is not None:
            self.cleaned_data[name] = stored  # also the second of two hours, which the form cannot show
            return
        try:
            self.cleaned_data[name] = timezones.resolve(
                local.date(), local.time(), host.time_zone, second_occurrence=is_end
            )
        except timezones.NonexistentTimeError as error:
            self.add_error(name, self._skipped(error, host))
        except OverflowError:
            self.add_error(name, _("This date is too far away."))

    def _skipped(self, error: timezones.NonexistentTimeError, host: Host) -> str:
        return _("Clocks in %(city)s go forward over this time. The next one that exists is %(after)s.") % {
            "city": timezones.city_name(host.time_zone),
            "after": f"{error.after:%H:%M}",
        }


# Beside the fields of a webinar: what follows for those who come. The times get their zone put before it.
WHAT_PEOPLE_MEET: dict[str, Any] = {
    "language": _("In which it is held."),
    "access": _(
        "Lists, feeds and search engines name only what everyone may see. "
        "Whoever has registered keeps their place and their own page, whatever you choose."
    ),
    "access_password": _(
        "People type it once in each browser, in the same letter case. Another password keeps out whoever has only the "
        "old one."
    ),
    "needs_proof": _(
        "People get a mail and press a button behind its link before anything else. A place is kept for them for 24 "
        "hours, then it goes to the next. Whoever has signed in with the address need not do this."
    ),
    "needs_approval": _(
        "People read that you decide, and are written to once you have. Until then nobody has a place."
    ),
    "price_amount": _(
        "0 is free. People read the price before they register; this site takes no money itself. Their place is "
        "kept until you mark the registration as paid."
    ),
    "price_currency": "",
    "how_to_pay": _(
        "Such as your account and what to write beside the sum. Only those who have to pay read it, in a mail and on "
        "their page. Empty: they are told that you will write to them."
    ),
    "payment_days": _(
        "So long an unpaid place is kept, then it goes to the next who waits and they are told. "
        "Empty: until you cancel it."
    ),
    "offer_hours": _(
        "When a place comes free, the first who waits is offered it for so many hours, then the next. "
        "Empty: they have the place at once."
    ),
}


class WebinarForm(HostClockForm, AddressedForm, HeldForm):
    """A webinar's own page. Its status says draft or published: cancelling reaches people and has its own button."""

    spans = (
        ("registration_opens_at", "registration_closes_at", _("Registration must close after it opens.")),
        ("replay_from", "replay_until", _("The replay must end after it begins.")),
    )

    class Meta:
        field_classes = {
            "registration_opens_at": widgets.WallClockField,
            "registration_closes_at": widgets.WallClockField,
            "replay_from": widgets.WallClockField,
            "replay_until": widgets.WallClockField,
        }
        widgets = {
            "language": widgets.LanguageWidget(),
            "price_currency": widgets.CurrencyWidget(),
            "registration_opens_at": widgets.DateTimeWidget(),
            "registration_closes_at": widgets.DateTimeWidget(),
            "replay_from": widgets.DateTimeWidget(),
            "replay_until": widgets.DateTimeWidget(),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, said in WHAT_PEOPLE_MEET.items():
            if name in self.fields:
                self.fields[name].help_text = said
        if "replay_url" in self.fields:
            self.fields["replay_url"].help_text = _(
                "Where the recording is. %(players)s and video files of this site (MP4, WebM) are played here, after a "
                "click; anything else becomes a link. Where the plan of mails has a mail about the replay, it goes out "
                "as soon as the address is saved and the session is over. You are asked first."
            ) % {"players": ", ".join(players.providers())}
        if "has_own_mail_rules" in self.fields:
            self.fields["has_own_mail_rules"].help_text = _(
                "Then the mails of the host's plan do not go out for this webinar, only those under “Plan of mails”."
            )
        status = self.fields.get("status")
        if isinstance(status, forms.ChoiceField):
            status.choices = [choice for choice in Webinar.Status.choices if choice[0] != Webinar.Status.CANCELLED]
        recommended = self.fields.get("recommended")
        if self.instance.pk and isinstance(recommended, forms.ModelMultipleChoiceField):
            choices: Any = recommended.choices
            recommended.choices = [row for row in choices if row[0] != self.instance.pk]

    def clean_status(self) -> str:
        """No page disappears from under people who hold a place."""
        status: str = self.cleaned_data["status"]
        if status == Webinar.Status.DRAFT and self.instance.pk and self.instance.is_published:
            taken = sum(session.places_taken for session in self.instance.sessions.all())
            if taken:
                raise ValidationError(
                    ngettext(
                        "%(count)d person holds a place. Cancel the webinar instead, so that they are told.",
                        "%(count)d people hold a place. Cancel the webinar instead, so that they are told.",
                        taken,
                    )
                    % {"count": taken}
                )
        return status

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        is_unpriced = "price_currency" not in self.errors and not self.cleaned_data["price_currency"]
        if is_unpriced and self.cleaned_data.get("price_amount"):
            self.add_error("price_currency", _("A price needs its currency."))
        if self.cleaned_data.get("access") == Webinar.Access.PASSWORD and not self.cleaned_data.get("access_password"):
            self.add_error("access_password", _("Choose the password that people will be told."))
        host = self.owner()
        for webinar in self.cleaned_data.get("recommended") or ():
            if host is not None and webinar.host_id != host.pk:
                self.add_error("recommended", OTHER_HOST)
                break
        return cleaned

    def clean_language(self) -> str:
        code: str = self.cleaned_data["language"]
        if "language" in self.changed_data and code not in dict(widgets.language_choices()):
            raise ValidationError(_("%(code)s is not a language of the list.") % {"code": code})
        return code

    def clean_price_currency(self) -> str:
        code: str = self.cleaned_data["price_currency"].upper()
        if code and code not in dict(widgets.currency_choices()):
            raise ValidationError(_("%(code)s is not a currency in use.") % {"code": code})
        return code


class OfferForm(HostClockForm):
    """An offer names the series or the webinar that it holds for, and only that."""

    spans = (("valid_from", "valid_until", _("The offer must end after it begins.")),)

    class Meta:
        field_classes = {"valid_from": widgets.WallClockField, "valid_until": widgets.WallClockField}
        widgets = {"valid_from": widgets.DateTimeWidget(), "valid_until": widgets.DateTimeWidget()}

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        scope = self.cleaned_data.get("scope")
        for name, said in (("series", _("Choose the series.")), ("webinar", _("Choose the webinar."))):
            if scope != name:
                self.cleaned_data[name] = None  # the page hides it, so it cannot be what is meant
            elif not self.cleaned_data.get(name) and name not in self.errors:
                self.add_error(name, said)
        return cleaned
