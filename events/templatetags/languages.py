"""The languages of texts and of pages: text in another than the page's says so, and a page leads to its others."""

from dataclasses import dataclass

from django import template
from django.conf import settings
from django.http import HttpRequest
from django.template import Context
from django.urls import reverse, translate_url
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, override

from events import formats
from events.links import absolute

register = template.Library()


@dataclass(frozen=True)
class PageLanguage:
    """A page in one of the site's languages: the language's code and own name, and the address there."""

    code: str
    name: str
    url: str
    is_present: bool


@dataclass(frozen=True)
class PublicAddresses:
    """Where a page is for everybody: in the language that is read, in each language by its code, and in the site's."""

    canonical: str
    alternates: list[tuple[str, str]]
    default: str


@register.filter
def lang_attributes(code: str) -> SafeString:
    """The attributes of an element whose text is in that language; nothing for an empty code."""
    return format_html(' lang="{}" dir="auto"', code) if code else SafeString("")


@register.simple_tag(takes_context=True)
def page_languages(context: Context) -> list[PageLanguage]:
    """This page in each language of the site, its present one too; nothing for a page that has only one address."""
    request = context.get("request")
    if request is None:
        return []
    present = get_language()
    addresses = {code: address_in(request, code) for code, _name in settings.LANGUAGES}
    if len(set(addresses.values())) == 1:
        return []
    return [
        PageLanguage(code, formats.language_name(code, code), url, is_present=code == present)
        for code, url in addresses.items()
    ]


@register.simple_tag(takes_context=True)
def public_addresses(context: Context) -> PublicAddresses | None:
    """The whole addresses of this page for search engines; None for what is no page of the site.

    Without what was asked of it, save the number of a list's page: filters and zones show the same in another way.
    """
    request = context.get("request")
    if request is None or request.resolver_match is None:
        return None
    number = request.GET.get("page", "")
    query = f"?page={number}" if number.isascii() and number.isdigit() and number != "1" else ""
    addresses = {code: f"{absolute(translate_url(request.path, code))}{query}" for code, _name in settings.LANGUAGES}
    return PublicAddresses(
        canonical=addresses.get(get_language() or "", addresses[settings.LANGUAGE_CODE]),
        alternates=list(addresses.items()) if len(set(addresses.values())) > 1 else [],
        default=addresses[settings.LANGUAGE_CODE],
    )


def address_in(request: HttpRequest, language: str) -> str:
    """The path of what was asked for in that language, with all that was asked of it; home where there is nothing."""
    if request.resolver_match is None:
        with override(language):
            return reverse("home")
    path = request.path if language == get_language() else translate_url(request.path, language)
    query = request.GET.copy()
    if after_signing_in := request.GET.get("next"):
        query["next"] = _in_language(after_signing_in, language)
    return f"{path}?{query.urlencode(safe='/')}" if query else path


def _in_language(address: str, language: str) -> str:
    """An address that somebody sent along, in that language; as it was where it cannot be read."""
    try:
        return translate_url(address, language)
    except ValueError:
        return address
