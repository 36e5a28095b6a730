"""Long titles are set smaller, so that date and time stay on the first screen."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

LONG, LONGEST = 60, 100
# In the largest letters longer words do not fit on a telephone's line.
LONG_WORD = 13


@register.filter
def title_attributes(title: str) -> SafeString:
    """The attributes of a heading that is that title; nothing for a short one."""
    size = _size(title)
    return format_html(' class="{}"', size) if size else SafeString("")


def _size(title: str) -> str:
    if len(title) > LONG:
        return "longest" if len(title) > LONGEST else "long"
    return "wordy" if max(map(len, title.split()), default=0) > LONG_WORD else ""
