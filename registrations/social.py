"""Signing in with somebody else's accounts, where the settings name any: for whom, and by which addresses.

Such an account is taken for a proof of its address, as a code by mail is, and for nothing more. A provider may be wrong
about an address, or late: whoever left a company may keep an account in the name of a mailbox there. So organizers are
let in by an account only after they have connected it themselves.
"""

from typing import Any

from allauth.account.utils import user_email
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.providers.base import AuthProcess
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from events.email_addresses import check_email
from events.models import User
from registrations.accounts import may_have_an_account


class SocialAdapter(DefaultSocialAccountAdapter):
    """allauth's adapter: it opens nothing that a code by mail would not open."""

    error_messages = {
        **DefaultSocialAccountAdapter.error_messages,
        "no_password": _("Set a password first. Then you can disconnect it."),
        "no_verified_email": _("Confirm an address first. Then you can disconnect it."),
        "connected_other": _("Somebody else here has connected this account."),
    }

    def can_authenticate_by_email(self, login: Any, email: str) -> bool:
        """Whether somebody who has an account here is let in by an address that the provider says is theirs."""
        user = User.for_address(email)
        return _is_sound(email) and not (user is not None and user.is_staff)

    def authenticate_by_email(self, sociallogin: Any) -> tuple[User, str] | None:
        """The owner of a proved address; of further addresses an organizer may have some, too."""
        found: tuple[User, str] | None = super().authenticate_by_email(sociallogin)
        return found if found is not None and not found[0].is_staff else None

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Leave out every address that nobody has proved, before any is written down; and stop whom none lets in."""
        if sociallogin.is_existing or sociallogin.state.get("process") == AuthProcess.CONNECT:
            return
        proved = [row for row in sociallogin.email_addresses if row.verified and _is_sound(row.email)]
        sociallogin.email_addresses = proved
        user_email(sociallogin.user, proved[0].email if proved else "")
        if not self.is_open_for_signup(request, sociallogin):
            # The same for whoever is nobody here and for an organizer.
            name = sociallogin.provider.name
            raise ImmediateHttpResponse(render(request, "socialaccount/refused.html", {"name": name}, status=403))

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """For those who could ask for a code, and have not done so yet."""
        emails = [row.email for row in sociallogin.email_addresses]
        return bool(emails) and User.for_address(emails[0]) is None and may_have_an_account(emails[0])


def _is_sound(email: str) -> bool:
    try:
        check_email(email)
    except ValidationError:
        return False
    return True
