"""The entrance to the pages of a webinar: who may see it goes on, and everybody else reads what is needed.

That page says nothing of the webinar: to whoever has no right to it, its address is all there is.
"""

import functools
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import Resolver404, resolve, reverse
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.http import require_http_methods

from events import limits, visibility
from events.addresses import Whereabouts, whereabouts
from events.forms import PagePasswordForm
from events.freshness import keep_private
from events.lookup import any_webinar_or_404
from events.models import Series, Webinar
from events.visibility import Admission

WebinarView = Callable[[HttpRequest, Webinar], HttpResponse]

# Wrong ones alone count: colleagues behind one address all have the right one.
PASSWORD_TRIES = limits.Limit("page-password", "10/15 minutes")
# What a program fetches, and no page to say anything in.
FILES = {"webinar_calendar", "webinar_feed", "webinar_card", "webinar_embed"}


def webinar_page(view: WebinarView) -> Callable[..., HttpResponse]:
    """Open a page with the webinar of its address to whoever may see it. Raises Http404 for what is hidden.

    What not everybody may see is kept nowhere, whatever the view says of its answer.
    """

    @functools.wraps(view)
    def opened(request: HttpRequest, slug: str) -> HttpResponse:
        webinar = any_webinar_or_404(slug)
        admission = visibility.admission(webinar, request)
        if admission != Admission.OPEN:
            return closed(request, webinar, admission)
        response = view(request, webinar)
        return keep_private(response) if webinar.is_restricted or _is_draft(webinar) else response

    return opened


def closed(
    request: HttpRequest,
    webinar: Webinar,
    admission: Admission,
    *,
    form: PagePasswordForm | None = None,
    status: HTTPStatus = HTTPStatus.FORBIDDEN,
) -> HttpResponse:
    """What somebody meets who may not see the webinar, or not yet. Raises Http404 where it is hidden from them.

    It leads back to the address that was asked for, and not to the webinar's own, which may be another by now.
    """
    if admission == Admission.HIDDEN:
        raise Http404
    slug = _asked_slug(request, webinar)
    back = request.get_full_path() if request.method in {"GET", "HEAD"} else reverse("webinar", args=[slug])
    context = {
        "admission": admission,
        "access": webinar.access,
        # Members have to know whose they would be.
        "host_name": webinar.host.name if webinar.access == Webinar.Access.MEMBERS else "",
        "addresses": visibility.proved_addresses(request) if admission == Admission.REFUSED else [],
        "login_url": f"{reverse('account_login')}?{urlencode({'next': back})}",
        "logout_url": f"{reverse('account_logout')}?{urlencode({'next': back})}",
        "form": form or PagePasswordForm(initial={"next": back}),
        "form_url": reverse("webinar_password", args=[slug]),
    }
    return keep_private(render(request, "events/closed.html", context, status=status))


@require_http_methods(["GET", "HEAD", "POST"])
def webinar_password(request: HttpRequest, slug: str) -> HttpResponse:
    """Let whoever knows the password in. All others are sent to the page, which says what is needed."""
    webinar = _webinar_asked_for(slug)
    admission = visibility.admission(webinar, request)
    if request.method != "POST" or admission != Admission.PASSWORD:
        return _see_page(slug)
    form = PagePasswordForm(request.POST)
    if not form.is_valid():
        return closed(request, webinar, admission, form=form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    tries = (limits.source_of(request), str(webinar.pk))
    try:
        limits.take(PASSWORD_TRIES, *tries)
    except limits.TooManyError as error:
        form.refuse(_("This was tried too often. %(when)s") % {"when": error})
        response = closed(request, webinar, admission, form=form, status=HTTPStatus.TOO_MANY_REQUESTS)
        response["Retry-After"] = error.header
        return response
    if not visibility.is_password(webinar, form.cleaned_data["password"]):
        form.refuse(_("This is not the password. Capital letters count."))
        return closed(request, webinar, admission, form=form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    limits.give_back(PASSWORD_TRIES, *tries)
    return visibility.remember_password(_see_page(slug, form.cleaned_data["next"]), webinar)


def before_moving(request: HttpRequest, found: Whereabouts | None) -> HttpResponse | None:
    """What somebody meets at a former address instead of being led to the new one; None where they may be led there.

    A new address may tell what it is about. So whoever may not see what is there meets the same door at the old one.
    Raises Http404 where there is no page for them.
    """
    if found is None or found.is_gone:
        return None
    webinar = _webinar_at(found.path)
    if webinar is None:
        if not _is_shown(found.path):
            raise Http404
        return None
    admission = visibility.admission(webinar, request)
    if admission == Admission.OPEN:
        return None
    match = request.resolver_match
    if match is None or match.url_name in FILES:
        raise Http404
    return closed(request, webinar, admission)


def _webinar_asked_for(slug: str) -> Webinar:
    """The webinar of that address, wherever its page is now. Raises Http404 where there is none."""
    try:
        return any_webinar_or_404(slug)
    except Http404:
        with override(settings.LANGUAGE_CODE):
            found = whereabouts(reverse("webinar", args=[slug]))
        moved = _webinar_at(found.path) if found and not found.is_gone else None
        if moved is None:
            raise
        return moved


def _webinar_at(path: str) -> Webinar | None:
    """The webinar that a path of the site's own language belongs to; None for other pages, and where there is none."""
    route, slug = _route_and_slug(path)
    if not route.startswith("webinars/"):
        return None
    try:
        return any_webinar_or_404(slug)
    except Http404:
        return None


def _is_shown(path: str) -> bool:
    """Whether there is a page of a series or a presenter at that path; of any other kind nothing is said."""
    route, slug = _route_and_slug(path)
    if route.startswith("series/"):
        return Series.objects.reachable().filter(slug=slug).exists()
    if route.startswith("presenters/"):
        return visibility.presenters_with_page().filter(slug=slug).exists()
    return True


def _route_and_slug(path: str) -> tuple[str, str]:
    try:
        with override(settings.LANGUAGE_CODE):
            match = resolve(path)
    except Resolver404:
        return "", ""
    slug = match.kwargs.get("slug")
    return (match.route, slug) if slug else ("", "")


def _asked_slug(request: HttpRequest, webinar: Webinar) -> str:
    return str(request.resolver_match.kwargs.get("slug", webinar.slug)) if request.resolver_match else webinar.slug


def _see_page(slug: str, path: str = "") -> HttpResponse:
    """The page of that address, or one below it, to be looked at (RFC 9110 15.4.4)."""
    page = reverse("webinar", args=[slug])
    response = HttpResponseRedirect(path if path.startswith(page) else page, status=HTTPStatus.SEE_OTHER)
    return keep_private(response)


def _is_draft(webinar: Webinar) -> bool:
    return webinar.status == Webinar.Status.DRAFT
