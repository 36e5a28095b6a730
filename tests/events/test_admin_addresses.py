"""The admin remembers where pages were, and takes care of recordings."""

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from events.addresses import Whereabouts, is_anothers, whereabouts
from events.models import FormerAddress, Host, Presenter, Series, User, Webinar
from tests.builders import NOW, make_appearance, make_host, make_organizer, make_presenter, make_session, make_webinar
from tests.events.test_admin import form_data, url
from tests.posting import posted

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
def test_series_and_presenter_keep_their_address_though_nobody_can_open_it_any_more(client, host):
    """The webinar through which their page was open may be withdrawn by now, and subscribers still ask."""
    delete(client, Series.objects.create(host=host, title="All", slug="all"))
    delete(client, make_presenter(host=host, slug="anna"))

    assert not Series.objects.exists()
    assert not Presenter.objects.exists()
    assert [whereabouts(path) for path in ("/series/all/", "/presenters/anna/")] == [GONE, GONE]


@pytest.mark.usefixtures("owner")
def test_address_of_a_withdrawn_webinar_stays_its_host_s(client, host, webinar):
    change(client, webinar, status=Webinar.Status.DRAFT)

    webinar.refresh_from_db()
    assert webinar.status == Webinar.Status.DRAFT
    assert is_anothers("/webinars/roads/", host=make_host())
    assert not is_anothers("/webinars/roads/", host=host)
    change(client, webinar, status=Webinar.Status.PUBLISHED)
    assert client.get("/webinars/roads/").status_code == 200
    assert not FormerAddress.objects.exists()


def test_deleted_host_is_gone(client):
    client.force_login(User.objects.create_superuser("root@example.org"))
    delete(client, make_host(slug="bsr"))

    assert not Host.objects.exists()
    assert whereabouts("/hosts/bsr/") == GONE


# ---------- whose an address is ----------

ANOTHERS = "Links and calendars that people have ask here for a page of another host. Enter another address."


@pytest.fixture
def other(client, owner, host, webinar):
    """Another host, whose owner is signed in after the first has left an address of every kind."""
    presenter = make_presenter(host=host, slug="anna")
    make_appearance(webinar, presenter)
    change(client, webinar, slug="new-roads")
    change(client, webinar.series, slug="new-all")
    change(client, presenter, slug="new-anna")
    change(client, host, slug="new-review")
    other = make_host(name="Another")
    client.force_login(make_organizer(other))
    return other


def series_of(host):
    return Series.objects.create(host=host, title="Ours", slug="ours")


TAKERS = [
    (lambda host: make_webinar(host=host, slug="ours"), "/webinars/", ["roads", "new-roads"]),
    (series_of, "/series/", ["all", "new-all"]),
    (lambda host: make_presenter(host=host, slug="ours"), "/presenters/", ["anna", "new-anna"]),
]


@pytest.mark.parametrize("is_superuser", [False, True])
@pytest.mark.parametrize(("make", "folder", "taken"), TAKERS)
def test_former_address_of_another_host_is_refused_beside_its_field(client, other, make, folder, taken, is_superuser):
    if is_superuser:
        client.force_login(User.objects.create_superuser("root@example.org"))
    page = make(other)

    for slug in taken:
        response = change(client, page, slug=slug)

        assert response.context["adminform"].form.errors == {"slug": [ANOTHERS]}
    page.refresh_from_db()
    assert page.slug == "ours"
    assert whereabouts(f"{folder}{taken[0]}/") == Whereabouts(f"{folder}{taken[1]}/")


@pytest.mark.parametrize(("make", "folder", "taken"), TAKERS)
def test_new_page_cannot_begin_at_another_hosts_former_address(client, other, make, folder, taken):
    model = type(make(other))
    data = form_data(client.get(url(model, "add")))
    # The address follows from the title or name where none is typed, and "save as new" is no other way in.
    named = {"title": taken[0], "name": taken[0], "summary": "Two sentences.", "status": "draft"}

    for asked in ({"slug": taken[0]}, {"slug": ""}, {"slug": taken[0], "_saveasnew": "1"}):
        response = client.post(url(model, "add"), {**data, "host": other.pk, **named, **asked})

        assert response.context["adminform"].form.errors == {"slug": [ANOTHERS]}
    assert model.objects.filter(host=other).count() == 1


def test_former_address_of_a_host_is_refused_to_other_hosts_and_keeps_leading_its_subscribers(client, other):
    [former] = FormerAddress.objects.filter(path__startswith="/hosts/")

    response = change(client, other, slug=former.path.split("/")[2])

    assert response.context["adminform"].form.errors == {"slug": [ANOTHERS]}
    subscription = client.get(f"{former.path}calendar.ics")
    assert (subscription.status_code, subscription["Location"]) == (301, "/hosts/new-review/calendar.ics")


def test_new_host_cannot_begin_where_a_host_was_that_is_no_more(client):
    client.force_login(User.objects.create_superuser("root@example.org"))
    delete(client, make_host(slug="bsr"))
    data = form_data(client.get(url(Host, "add")))

    response = client.post(url(Host, "add"), {**data, "name": "Another", "slug": "bsr"})

    assert response.context["adminform"].form.errors == {"slug": [ANOTHERS]}
    assert not Host.objects.exists()


@pytest.mark.usefixtures("owner")
def test_own_former_address_may_be_taken_again_by_the_same_page_and_by_another(client, host, webinar):
    change(client, host, slug="new-review")
    change(client, host, slug=host.slug)
    change(client, webinar, slug="rivers")
    second = make_webinar(host=host, slug="second")
    response = change(client, second, slug="roads")

    assert response.status_code == 302
    assert client.get("/webinars/roads/").status_code == 200
    assert not FormerAddress.objects.filter(path__in=[host.get_absolute_url(), "/webinars/roads/"]).exists()
    assert whereabouts("/webinars/second/") == Whereabouts("/webinars/roads/")


@pytest.mark.usefixtures("owner")
def test_own_former_address_leads_on_until_the_draft_that_takes_it_is_published(client, host, webinar):
    change(client, webinar, slug="rivers")
    draft = make_webinar(host=host, slug="plan", status=Webinar.Status.DRAFT)

    change(client, draft, slug="roads")

    assert whereabouts("/webinars/roads/") == Whereabouts("/webinars/rivers/")

    change(client, draft, status=Webinar.Status.PUBLISHED)

    assert whereabouts("/webinars/roads/") is None


def test_page_is_saved_where_it_is_though_another_host_was_there_before_it(client, other):
    webinar = make_webinar(host=other, slug="ours")
    FormerAddress.objects.create(path="/webinars/ours/", host=None, retired_at=NOW)

    response = change(client, webinar, title="Rivers")

    assert response.status_code == 302


def test_superusers_alone_see_former_addresses_and_give_them_free(client, other):
    former = FormerAddress.objects.get(path="/webinars/roads/")
    pages = [url(FormerAddress, "changelist"), url(FormerAddress, "change", former.pk)]

    assert {client.get(page).status_code for page in pages} == {403}
    delete(client, former)
    assert FormerAddress.objects.filter(pk=former.pk).exists()

    client.force_login(User.objects.create_superuser("root@example.org"))
    assert {client.get(page).status_code for page in pages} == {200}
    assert client.get(url(FormerAddress, "add")).status_code == 403
    delete(client, former)
    assert change(client, make_webinar(host=other), slug="roads").status_code == 302


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
def test_known_player_whose_address_holds_no_recording_is_named(client, webinar):
    response = change(client, webinar, replay_url="https://youtu.be/abc")

    assert "No recording was recognised in this address of YouTube" in said(response)
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


# ---------- what deleting means ----------


def questions(client, thing):
    """The two pages that ask before something is deleted."""
    model = type(thing)
    data = {"action": "delete_selected", "_selected_action": [thing.pk]}
    pages = [client.get(url(model, "delete", thing.pk)), client.post(url(model, "changelist"), data)]
    return [page.content.decode() for page in pages]


SAID_OF_IT = "Whoever opens its address from then on reads that the page is gone."


def test_deleting_says_that_the_address_will_be_gone(client, host):
    client.force_login(User.objects.create_superuser("root@example.org"))
    series = Series.objects.create(host=host, title="Roads", slug="roads")
    webinar = make_webinar(host=host, series=series)
    presenter = make_presenter(host=host)
    make_appearance(webinar, presenter)

    for thing in (make_host(), series, webinar, presenter):
        assert all(SAID_OF_IT in page for page in questions(client, thing)), thing


@pytest.mark.usefixtures("owner")
def test_deleting_what_nobody_could_open_says_nothing_of_addresses(client, host):
    for thing in (make_webinar(host=host, status="draft"), make_presenter(host=host)):
        assert not any("is gone" in page for page in questions(client, thing)), thing


@pytest.mark.usefixtures("owner")
def test_deleting_a_series_says_that_its_webinars_stay(client, host):
    series, empty = (Series.objects.create(host=host, title=slug, slug=slug) for slug in ("roads", "rivers"))
    make_webinar(host=host, series=series)
    make_webinar(host=host, series=series, status="draft")

    assert all("2 webinars stay, and are in no series then." in page for page in questions(client, series))
    assert not any("in no series" in page for page in questions(client, empty))
    delete(client, series)
    assert Webinar.objects.filter(series=None).count() == 2


# ---------- addresses that nobody typed ----------


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Łukasz Żółć", "lukasz-zolc"),
        ("Møller & Đorđević: Çeşme", "moller-dordevic-cesme"),
        ("Straße, Ænima, Þing", "strasse-aenima-thing"),
    ],
)
@pytest.mark.usefixtures("owner")
def test_address_made_of_a_title_keeps_every_letter(client, host, title, slug):
    page = url(Series, "add")

    client.post(page, posted(client.get(page), id="series_form") | {"title": title})

    assert Series.objects.get().slug == slug
