"""The headers that keep pages to themselves: what they load, what they may use of a device, who may hold them.

`events.content_policy` has the policy of public pages, and the way in which a view widens it for its own answer.
"""

from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from events.content_policy import HEADER, POLICY, Policy, written

# The admin's scripts (Alpine) are sentences in attributes, which they evaluate, and its theme is a style in the page.
# Files with scripts still come from here alone, and a script that is written into a page does not run there either.
ADMIN_POLICY: Policy = {
    **POLICY,
    "script-src": ("'self'", "'unsafe-eval'"),
    "style-src": ("'self'", "'unsafe-inline'"),
    "connect-src": ("'self'",),  # what is typed into a field that completes itself
    "frame-ancestors": ("'self'",),
}
# The mailbox frames the mail that it shows, which has a stricter policy of its own.
MAILBOX_POLICY: Policy = {**POLICY, "frame-src": ("'self'",)}
POLICIES = {"/admin/": written(ADMIN_POLICY), "/mailbox/": written(MAILBOX_POLICY)}
PUBLIC_POLICY = written(POLICY)

# Pages ask for nothing that a device has. Passkeys, and what a player may need (full screen, sound), are our pages' own
# unless a frame is given them, so that they need not be taken away here.
PERMISSIONS = ", ".join(
    f"{feature}=()"
    for feature in (
        "accelerometer",
        "browsing-topics",
        "camera",
        "display-capture",
        "geolocation",
        "gyroscope",
        "magnetometer",
        "microphone",
        "midi",
        "payment",
        "screen-wake-lock",
        "usb",
        "xr-spatial-tracking",
    )
)


class ContentPolicyMiddleware:
    """Adds the headers to every answer that has none of its own, files included; no policy to a developer's own pages.

    Cross-Origin-Resource-Policy says who may load an answer into a page of theirs: nobody, but for pictures, feeds and
    what else a view gives to everybody by saying so itself.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code == HTTPStatus.NOT_MODIFIED:
            # Its headers replace those of the reader's copy, which had what it needed.
            return response
        headers = response.headers
        headers.setdefault("Permissions-Policy", PERMISSIONS)
        headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if not settings.DEBUG:
            headers.setdefault(HEADER, _policy_for(request.path))
        return response


def _policy_for(path: str) -> str:
    return next((policy for start, policy in POLICIES.items() if path.startswith(start)), PUBLIC_POLICY)
