"""Text in another language than the page's says so, for voices and hyphens."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def lang_attributes(code: str) -> SafeString:
    """The attributes of an element whose text is in that language; nothing for an empty code."""
    return format_html(' lang="{}" dir="auto"', code) if code else SafeString("")
