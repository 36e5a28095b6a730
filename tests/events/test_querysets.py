"""Which rows are whose business."""

import pytest

from events.models import Series, Webinar
from tests.builders import make_host, make_webinar

pytestmark = pytest.mark.django_db


def test_a_series_has_a_page_once_one_of_its_webinars_is_published():
    host = make_host()
    empty, unborn, public = (Series.objects.create(host=host, title=slug, slug=slug) for slug in ("a", "b", "c"))
    make_webinar(host=host, series=unborn, status=Webinar.Status.DRAFT)
    for status in (Webinar.Status.DRAFT, Webinar.Status.PUBLISHED, Webinar.Status.CANCELLED):
        make_webinar(host=host, series=public, status=status)

    reachable = list(Series.objects.reachable())

    # Once, however many of its webinars are public.
    assert reachable == [public]
    assert empty not in reachable
