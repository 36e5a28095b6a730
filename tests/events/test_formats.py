"""Which words are marked as another language's."""

from django.utils.translation import override

from events.formats import foreign_language


def test_a_language_is_foreign_among_words_of_another():
    with override("ar"):
        assert foreign_language("en") == "en"
        assert foreign_language("ar") == ""
    with override("en"):
        assert foreign_language("en") == ""
