"""Questions that depend on others, and where the focus is after a mistake: with a script and without."""

from datetime import UTC, datetime, time, timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from events.models import Question, Webinar
from registrations.models import Registration
from tests.builders import make_question, make_session, make_webinar


@pytest.fixture
def webinar(transactional_db: None) -> Webinar:
    """It asks how people come, on which road those come who drive, and whether that one is paved."""
    webinar = make_webinar(title="Border Challenges", slug="border-challenges", zones=("Europe/London",))
    make_session(webinar, local_date=(datetime.now(UTC) + timedelta(days=30)).date(), local_time=time(9, 30))
    how = make_question(
        webinar, kind=Question.Kind.SOME_OF, options="Road\nRail\nAir", wording="How do you come?", order=1
    )
    which = make_question(
        webinar, depends_on=how, depends_answers="Road\nAir", is_required=True, wording="On which road?", order=2
    )
    make_question(webinar, depends_on=which, kind=Question.Kind.YES_NO, wording="Is it paved?", order=3)
    return webinar


def test_a_question_appears_with_the_answer_that_asks_it_and_keeps_what_was_typed(page: Page, webinar: Webinar) -> None:
    page.goto(webinar.get_absolute_url())
    form = page.locator("#registration")
    road, paved = form.get_by_label("On which road?"), form.get_by_role("group", name="Is it paved?")
    expect(form.get_by_label("Rail")).to_be_visible()
    expect(road).to_be_hidden()
    expect(paved).to_be_hidden()

    # 1. By keyboard, in the order of the page: the question is the next stop behind the one that asks it.
    form.get_by_label("Road", exact=True).focus()
    page.keyboard.press("Space")
    expect(road).to_be_visible()
    expect(road).to_have_accessible_description("Only if you answered Road or Air to “How do you come?”.")
    form.get_by_label("Air").focus()
    page.keyboard.press("Tab")
    expect(road).to_be_focused()
    page.keyboard.type("M39")
    expect(paved).to_be_visible()

    # 2. Away with its condition, and with it what it asks in turn; back with what was typed.
    form.get_by_label("Road", exact=True).uncheck()
    expect(road).to_be_hidden()
    expect(paved).to_be_hidden()
    form.get_by_label("Air").check()
    expect(road).to_have_value("M39")
    expect(paved).to_be_visible()

    # 3. What is hidden in the end is not an answer.
    form.get_by_label("Air").uncheck()
    form.get_by_label("Rail").check()
    form.get_by_label("Full name").fill("Anna Karimova")
    form.get_by_label("Email", exact=True).fill("anna@example.org")
    form.locator("button[type=submit]").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You have a place, Anna")
    assert [answer.value for answer in Registration.objects.get().answers.all()] == ["Rail"]


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_after_a_mistake_the_first_field_that_is_wrong_has_the_focus(
    browser: Browser, base_url: str, webinar: Webinar, *, scripts: bool
) -> None:
    page = browser.new_context(base_url=base_url, java_script_enabled=scripts).new_page()
    page.goto(webinar.get_absolute_url())
    form = page.locator("#registration")
    expect(form.get_by_label("On which road?")).to_be_visible(visible=not scripts)

    form.get_by_label("Road", exact=True).check()
    form.get_by_label("Full name").fill("Anna Karimova")
    form.get_by_label("Email", exact=True).fill("anna@example.org")
    form.locator("button[type=submit]").click()

    expect(page.get_by_role("alert")).to_contain_text("Answer this question")
    road = form.get_by_label("On which road?")
    expect(road).to_be_focused()
    page.keyboard.type("M39")
    expect(road).to_have_value("M39")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("You have a place, Anna")
    page.context.close()
