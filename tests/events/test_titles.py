"""How large a title is set."""

import pytest

from events.templatetags.titles import title_attributes


@pytest.mark.parametrize(
    ("title", "attributes"),
    [
        ("Central Asia Border Challenges", ""),
        ("", ""),
        ("Telecommunications at the border", ' class="wordy"'),
        ("Border " * 8 + "post", ""),
        ("Border " * 8 + "posts", ' class="long"'),
        ("Border " * 14 + "post", ' class="longest"'),
    ],
)
def test_long_titles_step_down_in_size(title, attributes):
    assert title_attributes(title) == attributes
