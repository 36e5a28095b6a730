"""Signing in: allauth's mails go through the outbox, and whoever registered may ask for a code."""

from typing import Any

from allauth.account import forms as allauth_forms
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.core import context as allauth_context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base import forms as mfa_forms
from allauth.mfa.totp import forms as totp_forms
from django import forms
from django.contrib.sites.shortcuts import get_current_site
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from events.email_addresses import address_key, check_email
from events.models import User
from registrations import outbox
from registrations.models import Registration


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
        "too_many_login_attempts": _("Too many tries. Wait a few minutes, or sign in with a code by mail."),
        "rate_limited": _("Too many tries. Wait a minute, then try again."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Write the mail into the outbox, as every other mail: no request waits for a mail server."""
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
        "unverified_email": _("Prove your address first: then the second step can be switched on."),
        "add_email_blocked": _("While the second step is switched on, no address can be added."),
    }

    def build_totp_svg(self, url: str) -> str:
        """The secret as a picture, on white: dark on a dark page, no camera reads it."""
        ground = '<path d="M0 0h999v999H0z" fill="white"/>'
        return str(super().build_totp_svg(url)).replace("<path", f"{ground}<path", 1)


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
    """Asks where the link for a new password goes."""


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


@transaction.atomic
def _user_for(email: str) -> User | None:
    """The active user of that address, made now for somebody who has registered, or None."""
    user = User.for_address(email)
    if user is None and Registration.objects.for_address(address_key(email)).exists():
        user = User.objects.create_user(email)
    return user if user is not None and user.is_active else None


def _remember_address(user: User, email: str) -> None:
    """Give the user the row in which the code's use will be noted as proof of the address."""
    is_first = not EmailAddress.objects.filter(user=user).exists()
    EmailAddress.objects.get_or_create(user=user, email=email.lower(), defaults={"primary": is_first})
