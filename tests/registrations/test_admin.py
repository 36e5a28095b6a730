"""What organizers see of their own registrants, mails and codes, and what they may do to them."""

from datetime import date, time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import strip_tags

from events.models import Membership, Question, Session, User, Webinar
from registrations import surveys
from registrations.models import Answer, Message, OfferCode, Registration
from tests.builders import (
    NOW,
    make_host,
    make_offer,
    make_organizer,
    make_question,
    make_registration,
    make_session,
    make_webinar,
)
from tests.posting import posted

pytestmark = pytest.mark.django_db

COMING = {"local_date": date(2031, 5, 14), "local_time": time(13, 30)}
MODELS = [Registration, Message, OfferCode]


@pytest.fixture
def host():
    return make_host()


@pytest.fixture
def editor(client, host):
    user = make_organizer(host, role=Membership.Role.EDITOR)
    client.force_login(user)
    return user


def url(model, page, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def registered(host, **fields):
    """Somebody with a place, an answer, a mail and a code."""
    webinar = make_webinar(host=host)
    question = make_question(webinar)
    make_offer(webinar)
    return make_registration(make_session(webinar, **COMING), answers={question: "At the border"}, **fields)


def act(client, model, action, rows, **more):
    data = {"action": action, "_selected_action": [row.pk for row in rows], **more}
    return client.post(url(model, "changelist"), data, follow=True)


def test_another_hosts_people_are_nowhere(client, editor, host):
    theirs = registered(make_host(), name="Foreign Person", email="foreign@example.org")
    message, code = theirs.messages.get(), theirs.offer_codes.get()
    registered(host)

    for model in MODELS:
        for query in ("", "?q=oreig", f"?webinar={theirs.webinar_id}", f"?host={theirs.webinar.host_id}"):
            page = client.get(url(model, "changelist") + query).content.decode()
            assert "Foreign" not in page
            assert "foreign@example.org" not in page
            assert code.code not in page
            assert theirs.webinar.title not in page
    for thing in (theirs, message, code):
        for page in ("change", "delete", "history"):
            response = client.get(url(type(thing), page, thing.pk))
            assert response.status_code == 403 or response.url == reverse("admin:index")


def test_forged_ids_reach_nobody(client, editor):
    theirs = registered(make_host())
    message, code = theirs.messages.get(), theirs.offer_codes.get()
    Message.objects.filter(pk=message.pk).update(state="failed")

    act(client, Registration, "cancel_registrations", [theirs], confirmed="yes")
    act(client, Message, "try_again", [message])
    act(client, OfferCode, "mark_as_used", [code])

    theirs.refresh_from_db()
    message.refresh_from_db()
    code.refresh_from_db()
    assert (theirs.status, message.state, code.redemptions) == ("confirmed", "failed", 0)


@pytest.mark.parametrize("number", ["9" * 30, "9" * 5000, "٣", "-1", "x"])
def test_filters_by_what_is_no_key_are_left_out(client, editor, number):
    for name in ("webinar", "session", "host"):
        assert client.get(url(Registration, "changelist"), {name: number}).status_code == 200


def test_viewer_sees_and_does_nothing(client, host):
    client.force_login(make_organizer(host, role=Membership.Role.VIEWER))
    person = registered(host, name="Анна Каримова")

    assert "Анна Каримова" in client.get(url(Registration, "changelist")).content.decode()
    act(client, Registration, "cancel_registrations", [person], confirmed="yes")

    person.refresh_from_db()
    assert person.status == "confirmed"


def test_nothing_is_added_edited_or_deleted_by_hand(client, editor, host):
    person = registered(host)

    for model, thing in (
        (Registration, person),
        (Message, person.messages.get()),
        (OfferCode, person.offer_codes.get()),
    ):
        assert client.get(url(model, "add")).status_code == 403
        assert client.post(url(model, "change", thing.pk), {"name": "Somebody else"}).status_code == 403
        assert client.post(url(model, "delete", thing.pk), {"post": "yes"}).status_code == 403


def test_the_page_of_a_registration_tells_everything(client, editor, host):
    person = registered(host, name="Anna Karimova", email="anna@example.org")

    page = strip_tags(client.get(url(Registration, "change", person.pk)).content.decode())

    for words in (
        "Anna Karimova",
        "anna@example.org",
        "At the border",
        person.offer_codes.get().code,
        "You have a place",
        "Wed, 14 May 2031, 13:30 London, UTC+1",
    ):
        assert words in page


def test_the_list_says_what_became_of_the_mail(client, editor, host):
    failed, waiting, sent = (registered(host) for _ in range(3))
    failed.messages.update(state="failed")
    sent.messages.update(state="sent", sent_at=NOW)

    page = client.get(url(Registration, "changelist"))
    only_failed = client.get(url(Registration, "changelist"), {"mail": "failed"}).context["cl"].queryset

    states = {row.pk: page.context["cl"].model_admin.mail(row)[0] for row in page.context["cl"].result_list}
    assert states == {failed.pk: "failed", waiting.pk: "waiting", sent.pk: "sent"}
    assert list(only_failed) == [failed]


def test_a_whole_address_or_reference_is_looked_up(client, editor, host):
    person = registered(host, name="Anna", email="Anna@example.org")
    near = registered(host, name="Writes from anna@example.org", email="maria.anna@example.org")

    def found(words):
        return {row.pk for row in client.get(url(Registration, "changelist"), {"q": words}).context["cl"].result_list}

    assert found(" ANNA@example.org ") == {person.pk}
    assert found(person.reference.lower()) == {person.pk}
    assert found("anna@") == {person.pk, near.pk}
    assert found("maria") == {near.pk}


def test_cancelling_asks_first_and_goes_through_the_act(client, editor, host):
    person = registered(host)

    question = act(client, Registration, "cancel_registrations", [person])
    person.refresh_from_db()
    assert person.status == "confirmed"
    answer = act(client, Registration, "cancel_registrations", [person], confirmed="yes")

    person.refresh_from_db()
    assert "1 person loses the place and is told by mail." in question.content.decode()
    assert "1 registration is cancelled." in answer.content.decode()
    assert person.status == "cancelled"
    assert person.session.places_taken == 0
    assert person.messages.filter(kind="cancelled").exists()


def test_a_failed_mail_is_tried_again(client, editor, host):
    message = registered(host).messages.get()
    sent = registered(host).messages.get()
    Message.objects.filter(pk=message.pk).update(state="failed", attempts=9, answer="550 no such user")
    Message.objects.filter(pk=sent.pk).update(state="sent", sent_at=NOW)

    response = act(client, Message, "try_again", [message, sent])

    message.refresh_from_db()
    sent.refresh_from_db()
    assert (message.state, message.attempts, sent.state) == ("queued", 0, "sent")
    assert "1 mail is tried again." in response.content.decode()


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("sent", "It was sent, so they get it twice."),
        ("unknown", "Nobody knows whether they got it: they may get it twice."),
    ],
)
def test_one_mail_is_sent_again_from_its_page_once_that_is_agreed_to(client, editor, host, state, words):
    person = registered(host)
    message = person.messages.get()
    Message.objects.filter(pk=message.pk).update(state=state, sent_at=NOW)
    again = url(Message, "send_again", message.pk)

    assert again in client.get(url(Message, "change", message.pk)).content.decode()
    assert words in client.get(again).content.decode()
    assert person.messages.count() == 1
    first = client.post(again, {"confirmed": "yes"}, follow=True)
    second = client.post(again, {"confirmed": "yes"}, follow=True)

    assert "The mail is on its way once more." in first.content.decode()
    assert second.status_code == 200
    assert list(person.messages.order_by("pk").values_list("kind", "state")) == [
        ("confirmed", state),
        ("confirmed", "queued"),
    ]
    assert again not in client.get(url(Message, "change", message.pk)).content.decode()


def test_viewers_and_other_hosts_send_no_mail_again(client, host):
    person = registered(host)
    Message.objects.update(state="sent", sent_at=NOW)
    message = person.messages.get()

    for organizer in (make_organizer(host, role=Membership.Role.VIEWER), make_organizer()):
        client.force_login(organizer)
        client.post(url(Message, "send_again", message.pk), {"confirmed": "yes"})

    assert person.messages.count() == 1


def test_the_page_of_a_mail_has_every_attempt_with_its_time_and_the_servers_answer(client, editor, host):
    message = registered(host).messages.get()
    log = [
        {"at": "2026-09-16T09:01:00Z", "answer": "451 <b>Later</b>"},
        {"at": "2026-09-16T09:02:00Z", "answer": "250 OK"},
    ]
    Message.objects.filter(pk=message.pk).update(state="sent", sent_at=NOW, attempt_log=log)

    content = client.get(url(Message, "change", message.pk)).content.decode()

    assert "10:01 London, UTC+1" in content
    assert "<bdi>451 &lt;b&gt;Later&lt;/b&gt;</bdi>" in content
    assert content.index("451 ") < content.index("250 OK")


def test_what_stands_in_a_mail_is_shown_to_nobody(client, host):
    client.force_login(User.objects.create_superuser("root@example.org"))
    message = Message.objects.create(
        key="account-1",
        kind="account",
        to_email="anna@example.org",
        payload={"text": "Your code is QX7-44Z"},
        created_at=NOW,
        due_at=NOW,
    )

    pages = (url(Message, "changelist"), url(Message, "change", message.pk))

    for page in pages:
        content = client.get(page).content.decode()
        assert "anna@example.org" in content
        assert "QX7-44Z" not in content


def test_a_code_is_marked_as_used_once(client, editor, host):
    code = registered(host).offer_codes.get()

    first = act(client, OfferCode, "mark_as_used", [code])
    second = act(client, OfferCode, "mark_as_used", [code])

    code.refresh_from_db()
    assert code.redemptions == 1
    assert "1 code is marked as used." in first.content.decode()
    assert f"{code.code}: This code is unknown, not unlocked, out of date or used up." in second.content.decode()


def test_the_list_of_sessions_says_who_waits_and_whose_mail_failed(client, editor, host):
    session = make_session(make_webinar(host=host), capacity=1, **COMING)
    make_registration(session).messages.update(state="failed")
    make_registration(session)

    page = client.get(url(Session, "changelist")).content.decode()

    assert "1 of 1, 1 waiting" in page
    assert "1 failed" in page


def test_sessions_of_which_somebody_could_not_be_told_are_found(client, editor, host):
    webinar = make_webinar(host=host)
    unlucky, lucky = make_session(webinar, **COMING), make_session(webinar, **COMING)
    make_registration(unlucky).messages.update(state="failed")
    make_registration(lucky)

    found = client.get(url(Session, "changelist"), {"mail": "failed"}).context["cl"].result_list

    assert [session.pk for session in found] == [unlucky.pk]


def test_registrations_for_sessions_to_come_are_found(client, editor, host):
    webinar = make_webinar(host=host)
    coming = make_registration(make_session(webinar, **COMING))
    past = make_session(webinar, local_date=date(2020, 10, 28), capacity=1)
    over = make_registration(past, now=past.starts_at - timedelta(days=1))

    for when, person in (("coming", coming), ("past", over)):
        found = client.get(url(Registration, "changelist"), {"when": when}).context["cl"].result_list
        assert [row.pk for row in found] == [person.pk]


@pytest.mark.parametrize("model", MODELS)
def test_lists_take_as_many_queries_with_three_rows_as_with_one(client, model):
    counts = []
    for rows in (1, 3):
        host = make_host()
        client.force_login(make_organizer(host))
        for _ in range(rows):
            registered(host)
        client.get(url(model, "changelist"))
        with CaptureQueriesContext(connection) as captured:
            client.get(url(model, "changelist"))
        counts.append(len(captured))

    assert counts[0] == counts[1]


def test_the_page_of_a_registration_takes_as_many_queries_with_three_mails_as_with_one(client, editor, host):
    counts = []
    for mails in (1, 3):
        person = registered(host)
        for number in range(mails - 1):
            Message.objects.create(
                key=f"link-{person.pk}-{number}",
                kind="link_again",
                registration=person,
                to_email=person.email,
                created_at=NOW,
                due_at=NOW + timedelta(hours=number),
            )
            question = make_question(person.webinar, order=number)
            Answer.objects.create(registration=person, question=question, wording=question.wording, value="Yes")
        client.get(url(Registration, "change", person.pk))
        with CaptureQueriesContext(connection) as captured:
            client.get(url(Registration, "change", person.pk))
        counts.append(len(captured))

    assert counts[0] == counts[1]


def test_a_registration_is_cancelled_on_its_own_page(client, editor, host):
    person = registered(host)
    page = f"/admin/registrations/registration/{person.pk}/cancel/"

    shown = client.get(url(Registration, "change", person.pk)).content.decode()
    question = client.get(page).content.decode()
    person.refresh_from_db()
    assert person.status == "confirmed"
    answer = client.post(page, {"confirmed": "yes"}, follow=True)
    again = client.post(page, {"confirmed": "yes"}, follow=True)

    person.refresh_from_db()
    assert f'href="{page}"' in shown
    assert "1 person loses the place and is told by mail." in question
    assert "1 registration is cancelled." in answer.content.decode()
    assert again.status_code == 200
    assert person.status == "cancelled"


def test_a_registration_is_not_cancelled_by_viewers_and_strangers(client, host):
    person = registered(host)
    page = f"/admin/registrations/registration/{person.pk}/cancel/"

    for user in (make_organizer(host, role=Membership.Role.VIEWER), make_organizer(make_host())):
        client.force_login(user)
        assert client.post(page, {"confirmed": "yes"}).status_code == 403
        assert page not in client.get(url(Registration, "change", person.pk)).content.decode()

    person.refresh_from_db()
    assert person.status == "confirmed"


def test_the_page_of_a_registration_speaks_in_words(client, editor, host):
    session = make_session(make_webinar(host=host), **COMING)
    person = make_registration(session, time_zone="Asia/Tashkent", language="en")
    [mail] = person.messages.all()

    content = client.get(url(Registration, "change", person.pk)).content.decode()

    assert "Tashkent (Asia/Tashkent)" in content
    assert "English" in content
    assert mail.key not in content
    assert "answers-group" not in content
    assert url(Message, "change", mail.pk) in content


def test_a_long_answer_of_a_server_is_cut_in_the_list(client, editor, host):
    registered(host).messages.update(answer="550 " + "x" * 500)

    content = client.get(url(Message, "changelist")).content.decode()

    assert "550 xxx" in content
    assert "x" * 100 not in content


def surveyed(host):
    """Somebody who answered when registering and afterwards."""
    person = registered(host)
    question = make_question(person.webinar, wording="Again?", asked=Question.Asked.SURVEY, kind=Question.Kind.YES_NO)
    surveys.answer_survey(person, {question: "yes"}, now=person.session.ends_at)
    return person


def test_the_page_of_a_registration_has_the_answers_of_both_times(client, editor, host):
    person = surveyed(host)

    page = client.get(url(Registration, "change", person.pk)).content.decode()

    words = " ".join(strip_tags(page).split())
    assert "At the border When registering" in words
    assert "Yes Afterwards, in the survey" in words


def test_the_answers_of_a_webinar_are_counted(client, editor, host):
    person = surveyed(host)
    page = url(Webinar, "answers_of_one", person.webinar_id)

    linked = client.get(url(Webinar, "change", person.webinar_id)).content.decode()
    shown = " ".join(strip_tags(client.get(page).content.decode().replace("<", " <")).split())

    assert page in linked
    assert "Again? Afterwards, in the survey. 1 person answered. Answer People Yes 1 No 0" in shown
    assert person.name not in shown


def test_the_answers_of_another_hosts_webinar_are_nowhere(client, editor):
    person = surveyed(make_host())

    response = client.get(url(Webinar, "answers_of_one", person.webinar_id), follow=True)

    assert "Again?" not in response.content.decode()


def test_a_webinar_without_questions_has_no_answers_to_see(client, editor, host):
    webinar = make_webinar(host=host)

    page = client.get(url(Webinar, "change", webinar.pk)).content.decode()

    assert "See the answers" not in page


# ---------- questions that people have answered ----------


def change_question(client, person, **changed):
    page = url(Webinar, "change", person.webinar_id)
    sent = posted(client.get(page), id="webinar_form")
    return client.post(page, sent | {f"questions-0-{name}": value for name, value in changed.items()}, follow=True)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"wording": "Where are you from?"}, "1 person had answered “Where are you from?” before you changed it."),
        ({"kind": "long"}, "1 person had answered “Where do you work?” before you changed it."),
    ],
)
def test_whoever_changes_an_answered_question_is_told(client, editor, host, changed, words):
    person = registered(host)

    content = change_question(client, person, **changed).content.decode()

    question = Question.objects.values(*changed).get()
    assert question == changed
    assert words in content
    assert "The answer stays as it was given, with the wording that was asked." in content


def test_whoever_changes_what_nobody_answered_or_only_its_help_is_told_nothing(client, editor, host):
    person = registered(host)
    without = make_registration(make_session(make_question(make_webinar(host=host)).webinar, **COMING))

    helped = change_question(client, person, help_text="Country and town.").content.decode()
    unanswered = change_question(client, without, wording="Where are you from?").content.decode()

    assert Question.objects.filter(help_text="Country and town.").exists()
    assert Question.objects.filter(wording="Where are you from?").exists()
    assert "had answered" not in helped + unanswered


def test_whoever_saves_an_answered_question_as_it_came_is_told_nothing(client, editor, host):
    question = make_question(make_webinar(host=host), kind=Question.Kind.ONE_OF, options="Water\nLand")
    person = make_registration(make_session(question.webinar, **COMING), answers={question: "Water"})

    content = change_question(client, person).content.decode()

    assert "was changed successfully" in content
    assert "had answered" not in content
    question.refresh_from_db()
    assert question.options == "Water\nLand"


def test_a_kind_that_cannot_hold_the_answers_is_refused_beside_it(client, editor, host):
    person = registered(host)

    response = change_question(client, person, kind="number")

    rows = next(inline for inline in response.context["inline_admin_formsets"] if inline.formset.prefix == "questions")
    assert dict(rows.formset.forms[0].errors) == {
        "kind": ["1 person has answered, which this kind cannot hold. Add a new question instead."]
    }
    assert Question.objects.get().kind == "short"


def test_options_of_an_answered_question_are_changed_and_its_answers_stay(client, editor, host):
    webinar = make_webinar(host=host)
    question = make_question(webinar, kind="one", options="Roads\nRivers")
    person = make_registration(make_session(webinar, **COMING), answers={question: "Roads"})

    content = change_question(client, person, kind="some", options="Streets\nRivers").content.decode()

    question.refresh_from_db()
    assert (question.kind, question.options, person.answers.get().value) == ("some", "Streets\nRivers", "Roads")
    assert "1 person had answered" in content
