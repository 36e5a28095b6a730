"""What a page may load, where its forms may lead, and who may frame it: should a script ever get in, it does not run.

Every page has POLICY (`webinar_site.security_headers` adds it). A view whose page needs more says so of its own answer:

    response = render(request, "events/replay.html", context)
    allow(response, "frame-src", "https://player.example.org")

What is not said stays forbidden. The header itself is what is widened, so that it is kept with a page that is kept.
"""

from django.http import HttpResponse

HEADER = "Content-Security-Policy"
Policy = dict[str, tuple[str, ...]]

# Content Security Policy, level 3. Nothing, but what the site itself has; and neither script nor style inside a page.
POLICY: Policy = {
    "default-src": ("'none'",),
    "script-src": ("'self'",),
    "style-src": ("'self'",),
    "img-src": ("'self'", "data:"),  # data: is the picture of a second factor's secret, part of its page
    "font-src": ("'self'",),
    "form-action": ("'self'",),
    "base-uri": ("'none'",),
    "frame-ancestors": ("'none'",),
}


def allow(response: HttpResponse, directive: str, *sources: str) -> None:
    """Widen the policy of one answer by sources: origins, or keywords in their quotes. May be called again for more.

    Whoever may frame a page, with "frame-ancestors", may do so also by the old header, X-Frame-Options, which cannot
    name an origin and is left out therefore.
    """
    policy = _read(response.headers.get(HEADER, "")) or POLICY
    # 'none' stands alone or not at all. What has no line of its own has default-src's, which is nothing.
    already = tuple(source for source in policy.get(directive, ()) if source != "'none'")
    widened = {**policy, directive: tuple(dict.fromkeys((*already, *sources)))}
    response.headers[HEADER] = written(widened)
    if directive == "frame-ancestors":
        response.xframe_options_exempt = True


def written(policy: Policy) -> str:
    """As the header has it."""
    return "; ".join(" ".join((directive, *sources)) for directive, sources in policy.items())


def _read(header: str) -> Policy:
    directives = (directive.split() for directive in header.split(";"))
    return {words[0]: tuple(words[1:]) for words in directives if words}
