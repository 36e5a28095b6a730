"""Pages of the admin that are opened and saved as a browser sends them: what was not touched stays as it was."""

from datetime import date, time
from typing import Any

import pytest

from events.models import Host, Offer, OfferCondition, Partner, Presenter, Series, Session, Webinar
from tests.builders import (
    make_appearance,
    make_offer,
    make_presenter,
    make_question,
    make_registration,
    make_session,
    make_webinar,
)
from tests.events.test_admin import url
from tests.posting import posted

pytestmark = pytest.mark.django_db

COMING = {"local_date": date(2031, 5, 14), "local_time": time(13, 30)}
OVER = {"local_date": date(2020, 5, 14), "local_time": time(13, 30)}


def refusals(response):
    """What the page says is wrong, of itself and of its rows."""
    if response.status_code == 302:
        return {}
    found: dict[str, Any] = {"page": dict(response.context["adminform"].form.errors)}
    for inline in response.context["inline_admin_formsets"]:
        found[inline.formset.prefix] = [dict(form.errors) for form in inline.formset.forms]
    return found


def save(client, thing, **changed):
    """Open the page, change that much, and save."""
    model = type(thing)
    page = url(model, "change", thing.pk)
    sent = posted(client.get(page), id=f"{model._meta.model_name}_form")
    assert "_save" not in sent
    assert sent, "The page has no form."
    return client.post(page, sent | changed)


# ---------- sessions that are called off or over ----------


@pytest.mark.parametrize("where", ["session", "webinar"])
@pytest.mark.parametrize(
    "fields", [{"state": "cancelled", **COMING}, {"state": "cancelled", **OVER}, OVER], ids=["off", "off, past", "over"]
)
def test_a_session_that_is_called_off_or_over_is_in_nobodys_way(client, owner, host, where, fields):
    session = make_session(make_webinar(host=host), label="Suits Europe", **fields)
    make_session(session.webinar, **COMING)
    before = Session.objects.values().get(pk=session.pk)

    response = save(client, session if where == "session" else session.webinar)

    assert refusals(response) == {}
    assert Session.objects.values().get(pk=session.pk) == before


def test_a_webinar_with_a_cancelled_session_is_changed_and_its_other_session_moved(client, owner, host):
    off = make_session(make_webinar(host=host), state="cancelled", **COMING)
    stays = make_session(off.webinar, **{**COMING, "local_time": time(18, 0)})

    response = save(client, off.webinar, **{"title": "Mended", "sessions-1-local_time": "19:00"})

    stays.refresh_from_db()
    off.webinar.refresh_from_db()
    assert refusals(response) == {}
    assert (off.webinar.title, stays.local_time) == ("Mended", time(19, 0))


def test_what_a_forged_page_sends_for_a_cancelled_session_is_not_taken(client, owner, host):
    off = make_session(make_webinar(host=host), state="cancelled", **COMING)

    save(client, off.webinar, **{"sessions-0-local_time": "19:00", "sessions-0-label": "Forged"})

    off.refresh_from_db()
    assert (off.local_time, off.label) == (time(13, 30), "")


# ---------- everything else ----------


def full(host):
    """One of everything that has a page, with rows in every table of it."""
    series = Series.objects.create(host=host, title="Roads", slug="roads")
    partner = Partner.objects.create(host=host, name="Road Office")
    series.partnerships.create(partner=partner)
    webinar = make_webinar(
        host=host, zones=("Asia/Tashkent",), series=series, price_amount="12.50", price_currency="GBP"
    )
    webinar.partnerships.create(partner=partner)
    presenter = make_presenter(host=host)
    make_appearance(webinar, presenter)
    session = make_session(webinar, capacity=40, **COMING)
    make_registration(session, answers={make_question(webinar, kind="one", options="Roads\nRivers"): "Roads"})
    offer = make_offer(webinar, conditions=("attended",), percent_off=50, periods="the first two months")
    return [host, series, partner, webinar, session, presenter, offer]


@pytest.mark.parametrize("model", [Host, Series, Partner, Webinar, Session, Presenter, Offer])
def test_whoever_saves_a_page_as_it_came_changes_nothing(client, owner, host, model):
    thing = next(thing for thing in full(host) if type(thing) is model)
    relations = [relation for relation in model._meta.related_objects if relation.one_to_many]
    before = [list(relation.related_model._default_manager.order_by("pk").values()) for relation in relations]
    row = model._default_manager.values().get(pk=thing.pk)

    response = save(client, thing)

    after = model._default_manager.values().get(pk=thing.pk)
    for values in (row, after):
        values.pop("updated_at", None)
    assert refusals(response) == {}
    assert after == row
    assert [list(relation.related_model._default_manager.order_by("pk").values()) for relation in relations] == before


def test_an_offer_that_already_has_every_condition_is_saved(client, owner, host):
    offer = make_offer(make_webinar(host=host), conditions=tuple(OfferCondition.Kind.values))

    response = save(client, offer, headline="Half price")

    offer.refresh_from_db()
    assert refusals(response) == {}
    assert (offer.headline, offer.conditions.count()) == ("Half price", 5)


def test_a_presenter_without_an_affiliation_is_made(client, owner, host):
    sent = posted(client.get(url(Presenter, "add")), id="presenter_form")

    response = client.post(url(Presenter, "add"), sent | {"name": "Anna Karimova", "slug": "anna-karimova"})

    assert refusals(response) == {}
    assert not Presenter.objects.get().affiliations.exists()
