"""Stamps of forms: how old a page is, and what is no stamp."""

from datetime import timedelta

import pytest
from django.core import signing
from hypothesis import given
from hypothesis import strategies as st

from registrations import stamps
from tests.builders import NOW


@pytest.mark.parametrize("age", [timedelta(0), timedelta(milliseconds=1900), timedelta(hours=23), timedelta(days=1)])
def test_a_stamp_tells_how_old_its_page_is(age):
    assert stamps.age_of(stamps.new_stamp(now=NOW), now=NOW + age) == age


def test_a_stamp_is_worn_out_after_a_day():
    assert stamps.age_of(stamps.new_stamp(now=NOW), now=NOW + timedelta(days=1, milliseconds=1)) is None


def test_one_letter_more_or_another_is_no_stamp():
    stamp = stamps.new_stamp(now=NOW)
    later = stamp.replace(stamp[:6], str(int(stamp[:6]) + 1))

    for forged in ("", "x", ":", stamp + "x", stamp[:-1] + ("A" if stamp[-1] != "A" else "B"), later, "9" * 5000):
        assert stamps.age_of(forged, now=NOW) is None


@pytest.mark.parametrize("signed", ["", "x", "1e3", "9" * 30, "-" + "9" * 30])
def test_what_was_signed_and_is_no_moment_is_no_stamp(signed):
    assert stamps.age_of(signing.Signer(salt=stamps._SALT).sign(signed), now=NOW) is None


def test_a_stamp_of_another_purpose_is_none():
    millisecond = str(int(NOW.timestamp() * 1000))

    assert stamps.age_of(signing.Signer(salt="registrations.manage").sign(millisecond), now=NOW) is None


@given(st.text())
def test_nothing_that_is_sent_breaks_the_reading(sent):
    assert stamps.age_of(sent, now=NOW) is None
