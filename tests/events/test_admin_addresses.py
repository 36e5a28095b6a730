"""The admin remembers where pages were, and takes care of recordings."""

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from events.addresses import Whereabouts, whereabouts
from events.models import FormerAddress, Host, Presenter, Series, User, Webinar
from tests.builders import make_appearance, make_host, make_presenter, make_session, make_webinar
from tests.events.test_admin import form_data, url

pytestmark = pytest.mark.django_db

GONE = Whereabouts("")


def delete(client, obj):
    return client.post(url(type(obj), "delete", obj.pk), {"post": "yes"})


def change(client, obj, **changed):
    page = url(type(obj), "change", obj.pk)
    return client.post(page, {**form_data(client.get(page)), **changed})


@pytest.fixture
def webinar(host):
    return make_webinar(host=host, slug="roads", series=Series.objects.create(host=host, title="All", slug="all"))


@pytest.mark.usefixtures("owner")
def test_deleted_webinar_is_gone(client, webinar):
    delete(client, webinar)

    assert not Webinar.objects.exists()
    assert whereabouts("/webinars/roads/") == GONE


@pytest.mark.usefixtures("owner")
def test_webinars_deleted_together_are_gone_but_a_draft_leaves_nothing(client, host, webinar):
    draft = make_webinar(host=host, slug="plan", status=Webinar.Status.DRAFT)
    data = {"action": "delete_selected", "_selected_action": [webinar.pk, draft.pk], "post": "yes"}

    client.post(url(Webinar, "changelist"), data)

    assert not Webinar.objects.exists()
    assert (whereabouts("/webinars/roads/"), whereabouts("/webinars/plan/")) == (GONE, None)


@pytest.mark.usefixtures("owner")
def test_new_address_of_a_published_webinar_is_where_the_old_one_leads(client, webinar):
    response = change(client, webinar, slug="rivers")

    assert response.status_code == 302
    assert whereabouts("/webinars/roads/") == Whereabouts("/webinars/rivers/")


@pytest.mark.usefixtures("owner")
def test_new_address_of_a_draft_leaves_nothing(client, host):
    draft = make_webinar(host=host, slug="plan", status=Webinar.Status.DRAFT)

    change(client, draft, slug="rivers")

    assert Webinar.objects.get().slug == "rivers"
    assert not FormerAddress.objects.exists()


@pytest.mark.usefixtures("owner")
def test_series_and_presenter_whose_page_was_open_leave_their_address(client, host, webinar):
    presenter = make_presenter(host=host, slug="anna")
    make_appearance(webinar, presenter)
    change(client, webinar.series, slug="every")
    change(client, presenter, slug="anna-k")

    assert whereabouts("/series/all/") == Whereabouts("/series/every/")
    assert whereabouts("/presenters/anna/") == Whereabouts("/presenters/anna-k/")

    delete(client, Series.objects.get())

    assert (whereabouts("/series/every/"), whereabouts("/series/all/")) == (GONE, GONE)


@pytest.mark.usefixtures("owner")
def test_series_and_presenter_nobody_could_open_leave_nothing(client, host):
    delete(client, Series.objects.create(host=host, title="All", slug="all"))
    delete(client, make_presenter(host=host, slug="anna"))

    assert not Series.objects.exists()
    assert not Presenter.objects.exists()
    assert not FormerAddress.objects.exists()


def test_deleted_host_is_gone(client):
    client.force_login(User.objects.create_superuser("root@example.org"))
    delete(client, make_host(slug="bsr"))

    assert not Host.objects.exists()
    assert whereabouts("/hosts/bsr/") == GONE


# ---------- recordings ----------


def said(response):
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


@pytest.mark.usefixtures("owner")
def test_recording_that_no_player_embeds_is_taken_with_a_warning(client, webinar):
    response = change(client, webinar, replay_url="https://replays.example.org/7")

    webinar.refresh_from_db()
    assert webinar.replay_url == "https://replays.example.org/7"
    assert "replays.example.org is no player that is embedded here" in said(response)


@pytest.mark.usefixtures("owner")
def test_recording_at_a_known_player_is_taken_without_a_word(client, webinar):
    response = change(client, webinar, replay_url="https://vimeo.com/76979871")

    assert "no player" not in said(response)


@pytest.mark.usefixtures("owner")
def test_dates_of_the_replay_are_the_hosts_and_in_order(client, webinar):
    page = url(Webinar, "change", webinar.pk)
    data = form_data(client.get(page))

    response = client.post(page, {**data, "replay_from": "2031-05-14T09:00", "replay_until": "2031-05-14T08:00"})

    assert response.context["adminform"].form.errors == {"replay_until": ["The replay must end after it begins."]}

    client.post(page, {**data, "replay_from": "2031-05-14T09:00", "replay_until": "2031-06-14T09:00"})

    webinar.refresh_from_db()
    assert webinar.replay_from.isoformat() == "2031-05-14T08:00:00+00:00"


@pytest.mark.usefixtures("owner")
def test_admin_says_which_players_are_embedded(client, webinar):
    page = client.get(reverse("admin:events_webinar_change", args=[webinar.pk])).content.decode()

    assert "YouTube, Vimeo, Dailymotion, Wistia" in page


def test_session_keeps_the_address_of_its_webinar(client, host, owner):
    session = make_session(make_webinar(host=host, slug="roads"), places_taken=1)

    change(client, session.webinar, slug="rivers")

    session.webinar.refresh_from_db()
    assert session.webinar.slug == "roads"
    assert not FormerAddress.objects.exists()
