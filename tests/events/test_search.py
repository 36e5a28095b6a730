"""Finding webinars by words. Everything here holds on SQLite and on PostgreSQL, save the last part."""

from importlib import import_module

import pytest
from django.db import connection
from django.utils import translation

from events import search
from events.models import Affiliation, Host, Partner, Series, SeriesPartnership, Webinar, WebinarPartnership
from tests.builders import make_appearance, make_host, make_presenter, make_webinar

pytestmark = pytest.mark.django_db


def found(text):
    by_rank: list[str] = [search.RANK, "pk"]
    return [webinar.title for webinar in search.find(Webinar.objects.all(), text).order_by(*by_rank)]


def make_plain(title="Something else", **fields):
    """A webinar in which no word of these tests occurs by chance."""
    host = fields.pop("host", None) or make_host(name="Nobody")
    return make_webinar(**{"host": host, "title": title, "summary": "Nothing.", "about": "", **fields})


@pytest.fixture
def elsewhere():
    """A webinar that no search of these tests is about, with somebody in it."""
    webinar = make_plain("Unrelated")
    make_appearance(webinar, make_presenter(host=webinar.host, name="Nemo", job_title="None", organization="Void"))


# ---------- where ----------


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", "Glaciers"),
        ("official_title", "On glaciers and what they feed"),
        ("summary", "They melt: glaciers."),
        ("about", "<p>Rivers</p><ul><li>and <strong>glaciers</strong></li></ul>"),
    ],
)
def test_words_are_found_in_the_texts_of_a_webinar(elsewhere, field, value):
    webinar = make_plain(**{"title": "Water", field: value})

    assert found("glaciers") == [webinar.title]


def test_words_are_found_in_the_names_of_series_and_host(elsewhere):
    host = make_host(name="Glacier Review")
    make_plain("By its host", host=host)
    other = make_host(name="Nobody else")
    make_plain("By its series", host=other, series=Series.objects.create(host=other, title="Glaciers", slug="glaciers"))

    assert found("glacier") == ["By its host", "By its series"]


def test_words_are_found_in_the_names_of_partners(elsewhere):
    host = make_host(name="Nobody else")
    centre = Partner.objects.create(host=host, name="Ice Centre", parent="Office of Glaciers")
    institute = Partner.objects.create(host=host, name="Glacier Institute")
    series = Series.objects.create(host=host, title="Cold", slug="cold")
    SeriesPartnership.objects.create(series=series, partner=centre)
    make_plain("Of the series", host=host, series=series)
    WebinarPartnership.objects.create(webinar=make_plain("With a partner", host=host), partner=institute)

    assert found("glacier") == ["Of the series", "With a partner"]


@pytest.mark.parametrize(
    "words", ["karimova", "Anna Karimova", "hydrologist", "water agency", "deputy", "karimova deputy"]
)
def test_words_are_found_in_the_names_and_positions_of_presenters(elsewhere, words):
    webinar = make_plain("Rivers")
    presenter = make_presenter(
        host=webinar.host, name="Anna Karimova", job_title="Hydrologist", organization="Water Agency"
    )
    Affiliation.objects.create(presenter=presenter, job_title="Deputy Minister")
    make_appearance(webinar, presenter)

    assert found(words) == ["Rivers"]


def test_every_word_must_occur_but_anywhere(elsewhere):
    webinar = make_plain("Rivers", about="<p>Floods.</p>")
    make_appearance(webinar, make_presenter(host=webinar.host, name="Anna Karimova"))
    make_plain("Rivers alone")

    assert found("floods karimova rivers") == ["Rivers"]
    assert found("floods karimova mountains") == []


def test_a_webinar_is_found_once_however_often_the_word_occurs():
    webinar = make_plain("Glaciers", summary="Glaciers.", about="<p>Glaciers.</p>")
    for _number in range(3):
        make_appearance(webinar, make_presenter(host=webinar.host, organization="Glaciers"))

    assert found("glaciers") == ["Glaciers"]


def test_a_changed_name_is_found_at_once_and_the_old_one_no_more():
    webinar = make_plain("Rivers")
    presenter = make_presenter(host=webinar.host, name="Anna Karimova")
    make_appearance(webinar, presenter)

    type(presenter).objects.filter(pk=presenter.pk).update(name="Anna Petrova")
    Host.objects.filter(pk=webinar.host_id).update(name="Somebody")

    assert (found("petrova somebody"), found("karimova"), found("nobody")) == (["Rivers"], [], [])


# ---------- how ----------


@pytest.mark.parametrize(
    ("words", "title"),
    [
        ("BORDER", "Border"),
        ("bord", "Border"),
        ("ледн", "Тающие Ледники"),
        ("елка", "Новогодняя Ёлка"),
        ("cafe", "Café Européen"),
        ("européen", "Cafe Europeen"),
        ("lukasz", "Łukasz asks"),
        ("counter terrorism", "Counter-Terrorism"),
        ("counter-terrorism", "Counter terrorism"),
        ("customs", "Border/customs"),
        ("الحدود", "أمن الحدود"),
        ("امن", "أمن الحدود"),
        ("العَرَبيّة", "اللغة العربية"),
        ("covid19", "After COVID19"),
        ("2026", "Plans for 2026"),
        ("un", "The UN at work"),
        ("don't", "We don’t know"),
    ],
)
def test_capitals_accents_and_endings_do_not_matter(elsewhere, words, title):
    make_plain(title, language="xx")

    assert found(words) == [title]


@pytest.mark.parametrize(
    ("words", "title"), [("order", "Border"), ("un", "Under the unit"), ("border", "Bord"), ("rail road", "Rail")]
)
def test_the_middle_of_a_word_a_longer_word_and_part_of_the_words_are_not_enough(words, title):
    make_plain(title, language="xx")

    assert found(words) == []


@pytest.mark.parametrize("words", ["strong", "href", "example", "amp", "nofollow"])
def test_tags_links_and_entities_are_no_words_of_the_text(words):
    make_plain(about='<p><strong>Ice</strong> &amp; <a href="https://example.org/">snow</a></p>')

    assert found(words) == []
    assert found("ice snow") == ["Something else"]


@pytest.mark.parametrize(
    "words", ["?!", "—", "'", '"', "🎉", "&", ":*", "()", "!", "|", "<->", "\\", "%", "_", "' OR 1=1 --"]
)
def test_signs_without_a_word_find_nothing(words):
    make_plain("🎉 100% 'quoted' & more: (all)")

    assert found(words) == []


@pytest.mark.parametrize(
    "words",
    [
        "rivers'",
        '"rivers"',
        "rivers:*",
        "!rivers",
        "(rivers",
        "rivers &",
        "rivers \\",
        "rivers 🎉",
        "-rivers",
        "rivers;",
        "%rivers_",
        "[rivers",
        "rivers" + " rivers" * 30,
    ],
)
def test_signs_around_words_change_nothing(elsewhere, words):
    make_plain("Rivers")

    assert found(words) == ["Rivers"]


@pytest.mark.parametrize("words", ["the and of", "x" * 200, "a " * 100, "٠١٢", "ﷺ", "ß", "İ", "½", "क्षेत्र", "\u0301"])
def test_whatever_is_typed_is_answered(words):
    make_plain()

    assert found(words) == []


def test_words_that_every_text_has_are_words_too(elsewhere):
    make_plain("The end of the road")

    assert found("the of") == ["The end of the road"]


# ---------- in which order ----------


def test_the_more_prominent_place_comes_first():
    make_plain("In the text", about="<p>Glaciers.</p>")
    make_plain("In the summary", summary="Glaciers.")
    by_name = make_plain("By a name")
    make_appearance(by_name, make_presenter(host=by_name.host, name="Anna Glacier"))
    make_plain("In the official title", official_title="Glaciers")
    make_plain("Glaciers")

    ranks = {webinar.title: getattr(webinar, search.RANK) for webinar in search.find(Webinar.objects.all(), "glacier")}

    assert ranks == {
        "Glaciers": 0,
        "In the official title": 1,
        "By a name": 1,
        "In the summary": 2,
        "In the text": 3,
    }


def test_the_least_prominent_of_the_words_counts():
    make_plain("Glaciers melt")
    make_plain("Glaciers", about="<p>They melt.</p>")

    assert [
        getattr(webinar, search.RANK) for webinar in search.find(Webinar.objects.all(), "glaciers melt").order_by("pk")
    ] == [0, 3]


# ---------- PostgreSQL alone: the forms that a language has ----------


@pytest.mark.parametrize(
    ("language", "title", "words"),
    [
        ("en", "Guarding borders", "guards border"),
        ("en-gb", "The border", "borders"),
        ("ru", "Охрана границ", "граница"),
        ("fr", "La frontière", "frontières"),
        ("ar", "أمن الحدود", "حدود"),
    ],
)
def test_postgresql_finds_other_forms_in_the_language_of_the_webinar(language, title, words):
    make_plain(title, language=language)

    assert found(words) == ([title] if connection.vendor == "postgresql" else [])


def test_forms_of_one_language_are_not_looked_for_in_another():
    make_plain("In English", language="en")
    make_plain("Le guard", language="fr")

    assert found("guarding") == []


def test_the_migration_has_the_same_dictionaries():
    migration = import_module("events.migrations.0003_search")

    assert migration.DICTIONARIES == search.DICTIONARIES


@pytest.mark.parametrize("language", ["en", "ar"])
def test_the_language_of_the_page_changes_nothing(language):
    make_plain("Rivers")

    with translation.override(language):
        assert found("rivers") == ["Rivers"]
