"""What a page of the site may load and where its forms may lead: should a script ever get in, it does not run."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

# Content Security Policy, level 3. Everything comes from the site itself; the picture of a second factor's secret is
# part of its page.
POLICY = "; ".join(
    [
        "default-src 'self'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)
# The admin's own scripts are written into its pages, and mails in the mailbox bring their styles along.
EXEMPT_PATHS = ("/admin/", "/mailbox/")


class ContentPolicyMiddleware:
    """Adds the policy to every answer but those of the admin and the mailbox, and a developer's error pages."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not settings.DEBUG and not request.path.startswith(EXEMPT_PATHS):
            response.headers.setdefault("Content-Security-Policy", POLICY)
        return response
