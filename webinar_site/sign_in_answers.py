"""What the pages of signing in answer with: that something typed is wrong, that it was too often, what they may load.

allauth answers a form that is wrong as it answers one that was never filled in.
"""

from collections.abc import Callable, Iterator
from http import HTTPStatus
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.module_loading import import_string

from events.content_policy import allow
from registrations import sign_in_limits

_PAGES = ("account_", "mfa_", "socialaccount_")
# The forms that a page of theirs may carry.
_FORMS = ("form", "verify_form", "change_form", "webauthn_form")


class SignInAnswersMiddleware:
    """Sets the status of allauth's pages: 422 for a form that is wrong, 429 with the time to wait for one too many."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        name = _name_of(request)
        if name == "account_login":
            # What a passkey is to sign is fetched when somebody wants to use one, not written into every page.
            allow(response, "connect-src", "'self'")
        _let_forms_lead_to_providers(request, response, name)
        return response

    def process_template_response(self, request: HttpRequest, response: TemplateResponse) -> TemplateResponse:
        if _name_of(request).startswith(_PAGES) and response.status_code == HTTPStatus.OK:
            refusal = sign_in_limits.refusal_of(request)
            if refusal is not None:
                response.status_code = HTTPStatus.TOO_MANY_REQUESTS
                response["Retry-After"] = refusal.header
            elif _has_errors(response):
                response.status_code = HTTPStatus.UNPROCESSABLE_ENTITY
        return response


def _name_of(request: HttpRequest) -> str:
    return (request.resolver_match and request.resolver_match.url_name) or ""


def _has_errors(response: TemplateResponse) -> bool:
    forms = [(response.context_data or {}).get(name) for name in _FORMS]
    return any(form is not None and form.is_bound and form.errors for form in forms)


def _let_forms_lead_to_providers(request: HttpRequest, response: HttpResponse, name: str) -> None:
    """Browsers hold a form to the policy all the way, and these lead on to somebody else's sign-in page."""
    providers = settings.SOCIAL_PROVIDERS
    if not providers:
        return
    chosen = name.removesuffix("_login")
    if name in {"account_login", "socialaccount_connections"}:
        allow(response, "form-action", *_origins(request, [provider.name for provider in providers]))
    elif name.endswith("_login") and chosen in {provider.name for provider in providers}:
        allow(response, "form-action", *_origins(request, [chosen]))


def _origins(request: HttpRequest, names: list[str]) -> Iterator[str]:
    """Where the pages of these providers are."""
    adapter = import_string(settings.SOCIALACCOUNT_ADAPTER)(request)
    for name in names:
        parts = urlsplit(adapter.get_provider(request, name).get_oauth2_adapter(request).authorize_url)
        yield f"{parts.scheme}://{parts.netloc}"
