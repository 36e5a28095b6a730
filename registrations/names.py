"""What is taken for somebody's name: something with a letter in it, and nothing that mail programs make a link of.

Whoever registers somebody else's address would otherwise have the site mail their advertisement, which greets them by
that name. Whoever only left out a space is told so: nobody is kept away by their name.
"""

import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from events import formats
from events.validators import at_most

MAX_LENGTH = 200
_LINK_SIGNS = ("://", "www.", "@")
_AROUND_WORDS = "()[]{}<>,;:!?.\"'“”‘’«»"
_FULL_STOPS = str.maketrans("。｡．", "...")
# Before a name in many languages, with or without a space: Dr.Ma, Prof.Li.
_TITLES = frozenset(
    {"dipl", "dott", "dra", "eng", "hon", "ing", "jur", "mag", "med", "mrs", "prof", "rer", "rev", "sra"}
)
# The most usual endings of addresses. Those of two letters are countries, and these are some that send no post.
_ENDINGS = frozenset(
    {"app", "biz", "blog", "click", "club", "com", "dev", "edu", "gov", "icu", "info", "link", "live", "net", "online"}
    | {"org", "pro", "shop", "site", "space", "store", "tech", "today", "top", "vip", "website", "work", "world", "xyz"}
)
_OTHER_COUNTRIES = frozenset({"ac", "eu", "su", "uk"})


def check_name(name: str) -> None:
    """Raise ValidationError with what is wrong with the name, where it is none or would be a link."""
    if not any(unicodedata.category(mark)[0] in "LN" for mark in name):
        raise ValidationError(_("Enter your full name"), code="required")
    shown = unicodedata.normalize("NFKC", name).translate(_FULL_STOPS)
    if any(sign in shown.lower() for sign in _LINK_SIGNS):
        raise ValidationError(_("Enter a name without links or addresses."), code="link")
    link = next((word for word in shown.split() if _is_link(word.strip(_AROUND_WORDS))), "")
    if link:
        raise ValidationError(
            _("In a mail, “%(part)s” becomes a link. Write it with a space after the full stop, or without one."),
            code="link",
            params={"part": link},
        )
    at_most(MAX_LENGTH)(name)


def _is_link(word: str) -> bool:
    """Whether mail programs take the word for an address of the web: evil.org, but not J.R.R.Tolkien or Dr.Ma."""
    host, stroke, _path = word.partition("/")
    *labels, ending = host.lower().split(".")
    labels = [label for label in labels if label not in _TITLES]
    if not labels or not ending.isalpha():
        return False
    longest = max(len(label) for label in labels)
    if stroke and len(ending) > 1:
        return True
    if len(ending) == 2:
        return longest > 2 and (ending in _OTHER_COUNTRIES or ending.upper() in formats.countries("en"))
    return longest > 1 and ending in _ENDINGS
