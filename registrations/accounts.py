"""Signing in: allauth's mails go through the outbox, and whoever registered may ask for a code."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import ConfirmLoginCodeForm as AllauthConfirmLoginCodeForm
from allauth.account.forms import LoginForm as AllauthLoginForm
from allauth.account.forms import RequestLoginCodeForm as AllauthRequestLoginCodeForm
from allauth.account.models import EmailAddress
from allauth.core import context as allauth_context
from django import forms
from django.contrib.sites.shortcuts import get_current_site
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from events.models import User
from registrations import outbox
from registrations.forms import check_email
from registrations.models import Registration, address_key


class AccountAdapter(DefaultAccountAdapter):
    """allauth's adapter: it sends nothing itself, and nobody makes an account by hand.

    An account comes from registering for a webinar (see RequestLoginCodeForm) or from an organizer with the admin.
    """

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "incorrect_code": _("This is not the code. Compare it with the message."),
        "email_password_mismatch": _("Address and password do not go together. A code by mail always works."),
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


class _LabelledForm(forms.Form):
    """Labels that stay: a placeholder is gone as soon as somebody types."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)


class RequestLoginCodeForm(_LabelledForm, AllauthRequestLoginCodeForm):
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


class LoginForm(_LabelledForm, AllauthLoginForm):
    """Signing in with a password, for those who set one: organizers, mostly."""

    def _setup_password_field(self) -> None:
        """Keep the field, which allauth drops where accounts are not made with a password."""


class ConfirmLoginCodeForm(_LabelledForm, AllauthConfirmLoginCodeForm):
    """Takes the code, typed or pasted with space around it."""


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
