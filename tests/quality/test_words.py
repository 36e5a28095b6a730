"""No page shows a text in the site's own language among those of another: every lookup of every page is watched."""

from collections.abc import Iterator
from gettext import NullTranslations
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings
from django.utils.translation import trans_real

from tests import gallery

OTHER_LANGUAGES = [code for code, _name in settings.LANGUAGES if code != "en"]


class Missing(NullTranslations):
    """Stands where a catalogue looks when it has no words itself, and writes down what it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: set[str] = set()

    def gettext(self, message: str) -> str:
        self.texts.add(message)
        return message

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        self.texts.add(msgid1)
        return msgid1 if n == 1 else msgid2


@pytest.fixture(params=OTHER_LANGUAGES)
def watched(request: pytest.FixtureRequest) -> Iterator[tuple[str, Missing]]:
    """A language, and what its catalogue lacked."""
    catalogue: Any = trans_real.translation(request.param)
    kept, missing = catalogue._fallback, Missing()
    catalogue._fallback = missing
    yield request.param, missing
    catalogue._fallback = kept


def test_every_text_of_every_page_has_words(watched: tuple[str, Missing], gallery_settings: dict[str, Any]) -> None:
    language, missing = watched

    with override_settings(**gallery_settings):
        gallery.show_all([language])

    # `make words` brings ours into the catalogue; those of Django and allauth go into locale/borrowed.
    assert sorted(missing.texts) == []
