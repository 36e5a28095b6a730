"""Signing in: allauth's mails go through the outbox, and whoever registered may ask for a code."""

from typing import Any
from urllib.parse import urlsplit

from allauth.account import forms as allauth_forms
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.login import record_authentication
from allauth.account.models import EmailAddress
from allauth.core import context as allauth_context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base import forms as mfa_forms
from allauth.mfa.models import Authenticator
from allauth.mfa.totp import forms as totp_forms
from allauth.mfa.webauthn import forms as passkey_forms
from django import forms
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.sites.shortcuts import get_current_site
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from events import visibility
from events.access import SECOND_STEPS
from events.email_addresses import address_key, check_email, mailbox_key
from events.limits import Limit, TooManyError, take
from events.models import User
from registrations import outbox, sign_in_limits, stops
from registrations.models import Registration

# The answer to whoever has nothing here goes to an address that may be a stranger's; the page says the same without it.
TO_STRANGERS = Limit("mails to addresses without an account", "2/day")
# allauth counts by address, and a mailbox has as many of these as somebody cares to put after a plus.
TO_ONE_MAILBOX = Limit("mails for signing in", "15/hour;45/day")
_MAILS_THAT_ANYBODY_ASKS_FOR = {
    "account/email/unknown_account": TO_STRANGERS,
    "account/email/login_code": TO_ONE_MAILBOX,
    "account/email/password_reset_key": TO_ONE_MAILBOX,
    "account/email/email_confirmation": TO_ONE_MAILBOX,
    "account/email/account_already_exists": TO_ONE_MAILBOX,
}
_LONGEST_NAME = 60
_LATE = frozenset({"too_many_login_attempts", "rate_limited"})


class AccountAdapter(DefaultAccountAdapter):
    """allauth's adapter: it sends nothing itself, and nobody makes an account by hand.

    An account comes from registering for a webinar (see RequestLoginCodeForm) or from an organizer with the admin.
    """

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "incorrect_code": _("This is not the code. Compare it with the message."),
        "email_password_mismatch": _("Address and password do not go together. A code by mail always works."),
        "incorrect_password": _("This is not your password."),
        "enter_current_password": _("This is not your password."),
        "duplicate_email": _("This address is one of yours already."),
        "cannot_remove_primary_email": _("This is the address that we write to. Choose another for that first."),
        # Said also to whoever has typed a wrong code for the last time.
        "too_many_login_attempts": _("Too many tries. Begin again with a new code by mail."),
        "rate_limited": _("Too many tries. Wait a minute, then try again."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def validation_error(self, code: str, *args: object) -> ValidationError:
        """What stands beside a form; of a limit, when it ends."""
        if code in _LATE:
            words, refusal = gettext("Too many tries."), sign_in_limits.refuse(self.request)
            return ValidationError(f"{words} {refusal}", code=code)
        return super().validation_error(code, *args)

    def get_reauthentication_methods(self, user: User | AnonymousUser) -> list[dict[str, str]]:
        """The ways to show once more who one is, in the site's words."""
        words = {
            "reauthenticate": _("With your password"),
            "mfa_reauthenticate": _("With a code"),
            "mfa_reauthenticate:webauthn": _("With a passkey"),
        }
        ways = super().get_reauthentication_methods(user)
        return [{**way, "description": words.get(way["id"], way["description"])} for way in ways]

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Write the mail into the outbox, as every other mail: no request waits for a mail server.

        What anybody can ask for in another's name is written only so often, and no page says that it was not.
        """
        limit = _MAILS_THAT_ANYBODY_ASKS_FOR.get(template_prefix)
        if limit is not None:
            try:
                take(limit, mailbox_key(email))
            except TooManyError:
                return
        request = allauth_context.request
        filled = {"request": request, "email": email, "current_site": get_current_site(request), **context}
        message = self.render_mail(template_prefix, email, filled)
        outbox.enqueue_account_mail(
            to_email=email,
            subject=str(message.subject),
            text=str(message.body),
            html="",  # made from the text, in the dress of every other mail
            now=timezone.now(),
        )


class SecondStepAdapter(DefaultMFAAdapter):
    """allauth's second step of signing in, in the site's words."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": _("This is not the code that holds now. Enter the newest that the app shows."),
        "unverified_email": _("Confirm your address first: then the second step can be switched on."),
        "add_email_blocked": _("While the second step is switched on, no address can be added."),
    }

    def build_totp_svg(self, url: str) -> str:
        """The secret as a picture, on white: dark on a dark page, no camera reads it."""
        ground = '<path d="M0 0h999v999H0z" fill="white"/>'
        return str(super().build_totp_svg(url)).replace("<path", f"{ground}<path", 1)

    def generate_authenticator_name(self, user: User, type: str) -> str:  # noqa: A002 - allauth's name
        number = Authenticator.objects.filter(user=user, type=type).count() + 1
        return gettext("My passkey") if number == 1 else gettext("Passkey %(number)d") % {"number": number}

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """For whom passkeys are made: the site's own name, under whichever of its names somebody came."""
        return {"id": urlsplit(settings.SITE_URL).hostname or "", "name": gettext("Webinars")}


def remember_second_step(request: HttpRequest, authenticator: Authenticator) -> None:
    """Note that whoever has just set up a passkey or an app has it at hand: this session counts as begun with it."""
    if authenticator.type in SECOND_STEPS:
        record_authentication(request, authenticator.user, "mfa", id=authenticator.pk, type=authenticator.type)


def note_that_mail_arrives(request: HttpRequest, user: User) -> None:
    """Whoever signs in with a code that was sent to an address has mail there, whatever came back before."""
    for note in get_authentication_records(request, user):
        if note.get("method") == "code" and note.get("email"):
            stops.lift(note["email"])


class _LabelledForm(forms.Form):
    """Labels that stay: a placeholder is gone as soon as somebody types."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)
        if "code" in self.fields:
            self.fields["code"].widget.attrs["spellcheck"] = "false"


class _NewPasswordForm(_LabelledForm):
    """Asks for a new password twice."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password1"].label = _("New password")
        self.fields["password2"].label = _("The new password again")


class _DigitsForm(_LabelledForm):
    """Its code is one of digits alone, for which a telephone shows other keys."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].widget.attrs["inputmode"] = "numeric"


class RequestLoginCodeForm(_LabelledForm, allauth_forms.RequestLoginCodeForm):
    """Asks for the address that the code goes to, and answers the same whether anybody is known by it.

    Somebody who registered has no user until they first ask for a code; here they get one, without a password.
    """

    _user: User | None

    def clean_email(self) -> str:
        # As when registering: nobody is looked up by an address that cannot be theirs.
        check_email(self.cleaned_data["email"])
        email = str(super().clean_email())
        if email:
            self._user = self._user or _user_for(email)
            if self._user is not None:
                _remember_address(self._user, email)
        return email


class LoginForm(_LabelledForm, allauth_forms.LoginForm):
    """Signing in with a password, for those who set one: organizers, mostly."""

    def _setup_password_field(self) -> None:
        """Keep the field, which allauth drops where accounts are not made with a password."""


class ConfirmLoginCodeForm(_LabelledForm, allauth_forms.ConfirmLoginCodeForm):
    """Takes the code, typed or pasted with space around it."""


class ConfirmEmailVerificationCodeForm(_LabelledForm, allauth_forms.ConfirmEmailVerificationCodeForm):
    """Takes the code that proves an address."""


class AddEmailForm(_LabelledForm, allauth_forms.AddEmailForm):
    """Asks for another address."""

    def clean_email(self) -> str:
        check_email(self.cleaned_data["email"])
        return str(super().clean_email())


class ChangePasswordForm(_NewPasswordForm, allauth_forms.ChangePasswordForm):
    """Asks for the password that holds, and for the new one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["oldpassword"].label = _("Present password")


class SetPasswordForm(_NewPasswordForm, allauth_forms.SetPasswordForm):
    """Asks for a first password."""


class ResetPasswordForm(_LabelledForm, allauth_forms.ResetPasswordForm):
    """Asks where the link for a new password goes: to whoever could have asked for a code, too."""

    users: list[User]

    def clean_email(self) -> str:
        check_email(self.cleaned_data["email"])
        email = str(super().clean_email())
        if not self.users:
            user = _user_for(email)
            self.users = [user] if user is not None else []
        return email


class ResetPasswordKeyForm(_NewPasswordForm, allauth_forms.ResetPasswordKeyForm):
    """Asks for a new password of whoever followed that link."""


class ReauthenticateForm(_LabelledForm, allauth_forms.ReauthenticateForm):
    """Asks for the password once more."""


class SecondStepForm(_DigitsForm, mfa_forms.AuthenticateForm):
    """Takes the code of the app, or one of those for recovery."""


class SecondStepAgainForm(_DigitsForm, mfa_forms.ReauthenticateForm):
    """Takes such a code once more."""


class ActivateAppForm(_DigitsForm, totp_forms.ActivateTOTPForm):
    """Takes the first code of the app, which shows that it has the secret."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].label = _("Code that the app shows")


class AddPasskeyForm(_LabelledForm, passkey_forms.AddWebAuthnForm):
    """Takes the passkey that the browser has made, and its name."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name, alone = self.fields["name"], self.fields["passwordless"]
        _name_it(name)
        name.help_text = _("By it you tell one passkey from another.")
        alone.label, alone.initial = _("Sign in with it alone, without a code or a password."), True
        alone.help_text = _("Unticked, it is a second step only, as any security key.")
        _say_that_it_is_needed(self)


class RenamePasskeyForm(_LabelledForm, passkey_forms.EditWebAuthnForm):
    """Asks for another name of a passkey."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _name_it(self.fields["name"])


class _UsedPasskeyForm(_LabelledForm):
    """Takes what a passkey has signed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _say_that_it_is_needed(self)

    def clean_credential(self) -> Authenticator:
        try:
            return super().clean_credential()  # type: ignore[misc] # of the class of allauth beside this one
        except ValidationError as error:
            if error.code == "incorrect_code":
                raise ValidationError(_("This passkey does not open this account, or it took too long.")) from None
            raise


class PasskeyForm(_UsedPasskeyForm, passkey_forms.AuthenticateWebAuthnForm):
    """A passkey as the second step."""


class PasskeyAgainForm(_UsedPasskeyForm, passkey_forms.ReauthenticateWebAuthnForm):
    """A passkey once more."""


class PasskeyLoginForm(_UsedPasskeyForm, passkey_forms.LoginWebAuthnForm):
    """A passkey instead of everything else."""


def _name_it(field: forms.Field) -> None:
    field.label = _("Name")
    field.validators.append(MaxLengthValidator(_LONGEST_NAME))
    field.widget.attrs |= {"maxlength": _LONGEST_NAME, "autocomplete": "off"}


def _say_that_it_is_needed(form: forms.Form) -> None:
    form.fields["credential"].error_messages["required"] = _("The browser sent no passkey. Try again.")


def may_have_an_account(email: str) -> bool:
    """Whether there is something to sign in for: a registration, an invitation, a host whose member the address is."""
    return Registration.objects.for_address(address_key(email)).exists() or visibility.may_have_an_account(email)


@transaction.atomic
def _user_for(email: str) -> User | None:
    """The active user of that address, made now for somebody who may have an account, or None."""
    user = User.for_address(email)
    if user is None and may_have_an_account(email):
        user = User.objects.create_user(email)
    return user if user is not None and user.is_active else None


def _remember_address(user: User, email: str) -> None:
    """Give the user the row in which the code's use will be noted as proof of the address."""
    is_first = not EmailAddress.objects.filter(user=user).exists()
    EmailAddress.objects.get_or_create(user=user, email=email.lower(), defaults={"primary": is_first})
