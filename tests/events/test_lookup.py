"""Which webinar is at an address."""

import pytest
from django.http import Http404

from events.lookup import get_draft, published_or_404
from events.models import Webinar
from tests.builders import make_webinar

pytestmark = pytest.mark.django_db


def test_a_draft_is_no_page_for_everybody_and_nothing_else_is_a_draft():
    draft, published = make_webinar(status=Webinar.Status.DRAFT), make_webinar()

    assert get_draft(draft.slug) == draft
    assert published_or_404(published.slug) == published
    with pytest.raises(Http404):
        published_or_404(draft.slug)
    for slug in (published.slug, "nowhere"):
        with pytest.raises(Webinar.DoesNotExist):
            get_draft(slug)
