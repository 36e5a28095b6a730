"""Times and places in templates."""

import pytest
from django.utils.translation import override

from events import timezones
from events.templatetags.event_times import zone_options


def test_every_zone_can_be_chosen_by_part_of_the_world():
    options = zone_options()

    assert options.startswith('<option value="" selected>Choose a place</option><optgroup label="Africa">')
    assert '<optgroup label="Indian Ocean">' in options
    assert all(f'<option value="{choice.name}">' in options for choice in timezones.zone_choices())


def test_chosen_zone_stands_first():
    assert zone_options("Asia/Tashkent").startswith('<option value="Asia/Tashkent" selected>Tashkent</option>')


@pytest.mark.parametrize(("language", "city"), [("en", "Tashkent"), ("ar", "طشقند")])
def test_places_are_named_in_the_readers_language(language, city):
    with override(language):
        assert f'<option value="Asia/Tashkent">{city}</option>' in zone_options()
