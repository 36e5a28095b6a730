"""Statements answer what the querysets they were made of answer."""

import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db.models import Count, Q

from events.models import Host, Offer, Series, Session, Webinar
from events.statements import Given, Statement, columns, instance, instances, prefetched
from tests.builders import NOW, make_host, make_offer, make_session, make_webinar

pytestmark = pytest.mark.django_db


def test_rows_are_those_for_the_values_given_each_time():
    first, second = make_session(), make_session()
    statement = Statement(lambda: Session.objects.filter(webinar=Given("webinar")).values_list("pk", "starts_at"))

    assert statement.rows(webinar=first.webinar_id) == [(first.pk, first.starts_at)]
    assert statement.rows(webinar=second.webinar_id) == [(second.pk, second.starts_at)]
    assert statement.rows(webinar=None) == []


def test_moments_are_compared_and_come_back_as_moments():
    session = make_session()
    statement = Statement(
        lambda: Session.objects.filter(starts_at__gt=Given("now")).values_list("starts_at", "ends_at")
    )

    assert statement.rows(now=session.starts_at - timedelta(seconds=1)) == [(session.starts_at, session.ends_at)]
    assert statement.rows(now=session.starts_at) == []
    assert statement.rows(now=datetime(1999, 1, 1, tzinfo=UTC))[0][0].tzinfo is not None


def test_a_value_stands_wherever_the_queryset_has_it():
    webinar = make_session().webinar
    make_session(webinar, state="cancelled")
    statement = Statement(
        lambda: (
            Webinar.objects.filter(Q(pk=Given("pk")) | Q(host=Given("host")))
            .annotate(
                coming=Count("sessions", filter=Q(sessions__ends_at__gt=Given("now"), sessions__state=Given("state")))
            )
            .order_by("pk")
            .values_list("title", "coming")
        )
    )

    assert statement.rows(pk=webinar.pk, host=None, now=NOW, state="scheduled") == [(webinar.title, 1)]
    assert statement.rows(pk=None, host=webinar.host_id, now=NOW, state="cancelled") == [(webinar.title, 1)]


def test_what_is_given_is_never_read_as_sql():
    make_webinar(title="One")
    statement = Statement(lambda: Webinar.objects.filter(title=Given("title")).values_list("title"))

    for title in ("' OR 1=1 --", '%s "', "\\"):
        assert statement.rows(title=title) == []


def test_the_query_is_written_once():
    written = []

    def make():
        written.append(1)
        return Webinar.objects.filter(pk=Given("pk")).values_list("title")

    statement = Statement(make)
    for _time in range(3):
        statement.rows(pk=1)

    assert len(written) == 1


def test_a_missing_value_is_an_error_and_not_another_question():
    statement = Statement(lambda: Webinar.objects.filter(pk=Given("pk")).values_list("title"))

    with pytest.raises(KeyError, match="pk"):
        statement.rows(host=1)


def test_an_object_made_of_its_columns_is_the_one_that_was_saved():
    webinar = make_webinar(host=make_host(), price_amount="12.50", price_currency="EUR")
    statement = Statement(
        lambda: Webinar.objects.filter(pk=Given("pk")).values_list(*columns(Webinar), *columns(Host, under="host__"))
    )

    row = statement.rows(pk=webinar.pk)[0]
    same, host = instance(Webinar, row[: len(columns(Webinar))]), instance(Host, row[len(columns(Webinar)) :])

    saved = Webinar.objects.get(pk=webinar.pk)
    assert [getattr(same, name) for name in columns(Webinar)] == [getattr(saved, name) for name in columns(Webinar)]
    assert host == webinar.host
    same.title = "Another"
    same.save()
    assert Webinar.objects.get(pk=webinar.pk).title == "Another"


def test_a_row_of_several_models_is_an_object_of_each_and_none_where_none_was_joined():
    host = make_host()
    series = Series.objects.create(host=host, title="Borders", slug="borders")
    within, alone = make_webinar(host=host, series=series), make_webinar(host=host)
    statement = Statement(
        lambda: Webinar.objects.filter(pk=Given("pk")).values_list(
            *columns(Webinar), *columns(Host, under="host__"), *columns(Series, under="series__")
        )
    )

    assert instances(statement.rows(pk=within.pk)[0], Webinar, Host, Series) == [within, host, series]
    assert instances(statement.rows(pk=alone.pk)[0], Webinar, Host, Series) == [alone, host, None]


@pytest.mark.parametrize("value", [date(2026, 10, 14), timedelta(1), Decimal(1), uuid.UUID(int=1), b"One", 1.5, [1]])
def test_a_value_that_databases_take_differently_is_refused(value):
    statement = Statement(lambda: Webinar.objects.filter(title=Given("title")).values_list("title"))

    with pytest.raises(TypeError, match="A statement is not given values such as"):
        statement.rows(title=value)


def test_truths_are_compared():
    webinar = make_webinar()
    make_offer(webinar, is_active=False)
    statement = Statement(lambda: Offer.objects.filter(is_active=Given("active")).values_list("is_active"))

    assert statement.rows(active=False) == [(False,)]
    assert statement.rows(active=True) == []


def test_a_prefetched_set_asks_for_nothing(django_assert_num_queries):
    session = make_session()
    webinar = Webinar.objects.get(pk=session.webinar_id)

    prefetched(webinar, "sessions", [session])

    with django_assert_num_queries(0):
        assert list(webinar.sessions.all()) == [session]
    assert webinar.sessions.filter(pk=session.pk).exists()
