"""Which mails somebody gets, and why not the others: times and rules in, mails out, and no table is asked."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events import timezones
from events.models import MailRule
from registrations.mail_plan import MERGED_WITHIN, TELLS, Because, Fate, Occasion, due_at, moments, plan
from registrations.models import Message

Kind = Message.Kind
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
STARTS_AT = datetime(2026, 10, 28, 12, 30, tzinfo=UTC)
OCCASION = Occasion(
    starts_at=STARTS_AT,
    ends_at=STARTS_AT + timedelta(minutes=90),
    replay_opens_at=STARTS_AT + timedelta(days=2),
    has_survey=True,
)


def rule(minutes, purpose="reminder", audience="everybody", holds_from=LONG_AGO):
    return MailRule(purpose=purpose, audience=audience, minutes=minutes, holds_from=holds_from)


DAY_BEFORE, HOUR_BEFORE, TEN_MINUTES, AT_START = rule(24 * 60), rule(60), rule(10), rule(0)
THANKS, MISSED = rule(120, "follow_up", "came"), rule(120, "follow_up", "stayed_away")
SURVEY, REPLAY = rule(24 * 60, "survey"), rule(0, "replay")
USUAL = [DAY_BEFORE, HOUR_BEFORE, AT_START, THANKS, MISSED, SURVEY, REPLAY]


def fates(rules, *, told_at=STARTS_AT - timedelta(days=30), came=True, occasion=OCCASION):
    return [(mail.kind, mail.fate, mail.because) for mail in plan(occasion, rules, told_at=told_at, came=came)]


def test_whoever_registers_long_before_and_comes_gets_what_is_for_them():
    assert fates(USUAL) == [
        (Kind.REMINDER, Fate.SENT, None),
        (Kind.REMINDER, Fate.SENT, None),
        (Kind.STARTING, Fate.SENT, None),
        (Kind.CAME, Fate.SENT, None),
        (Kind.MISSED, Fate.SKIPPED, Because.CAME),
        (Kind.SURVEY, Fate.SENT, None),
        (Kind.REPLAY, Fate.SENT, None),
    ]


def test_whoever_registers_on_the_morning_is_not_reminded_of_the_day_before():
    found = plan(OCCASION, [HOUR_BEFORE, DAY_BEFORE], told_at=STARTS_AT - timedelta(hours=4), came=True)

    assert [(mail.due_at, mail.fate, mail.because) for mail in found] == [
        (STARTS_AT - timedelta(hours=24), Fate.SKIPPED, Because.PASSED),
        (STARTS_AT - timedelta(hours=1), Fate.SENT, None),
    ]


def test_whoever_registers_during_the_session_gets_only_what_follows_it():
    told_at = STARTS_AT + timedelta(minutes=20)

    sent = [mail.kind for mail in plan(OCCASION, USUAL, told_at=told_at, came=True) if mail.fate == Fate.SENT]

    assert sent == [Kind.CAME, Kind.SURVEY, Kind.REPLAY]


def test_a_reminder_so_soon_after_the_confirmation_goes_with_it():
    told_at = STARTS_AT - timedelta(minutes=74)

    assert fates([HOUR_BEFORE], told_at=told_at) == [(Kind.REMINDER, Fate.MERGED, Because.WITH_CONFIRMATION)]
    assert fates([HOUR_BEFORE], told_at=told_at - timedelta(minutes=1)) == [(Kind.REMINDER, Fate.SENT, None)]


def test_what_follows_a_session_takes_no_notice_of_what_told_its_time():
    thanked_at = OCCASION.ends_at + timedelta(hours=2)

    for told_at in (thanked_at - timedelta(minutes=10), thanked_at + timedelta(minutes=10)):
        [thanks] = plan(OCCASION, [THANKS], placed_at=STARTS_AT, told_at=told_at, came=True)
        assert thanks.fate == Fate.SENT


def test_whoever_got_their_place_after_its_moment_is_not_sent_what_follows_the_session():
    placed_at = OCCASION.ends_at + timedelta(hours=3)

    [thanks] = plan(OCCASION, [THANKS], placed_at=placed_at, told_at=placed_at, came=True)

    assert (thanks.fate, thanks.because) == (Fate.SKIPPED, Because.PASSED)


def test_of_two_mails_within_a_quarter_of_an_hour_the_first_tells_both():
    found = plan(OCCASION, [AT_START, TEN_MINUTES], told_at=STARTS_AT - timedelta(days=1), came=True)

    assert [(mail.kind, mail.fate, mail.merged_with) for mail in found] == [
        (Kind.REMINDER, Fate.SENT, None),
        (Kind.STARTING, Fate.MERGED, Kind.REMINDER),
    ]


def test_at_one_moment_the_mail_that_tells_the_most_is_sent():
    rules = [rule(120, "survey"), THANKS]

    assert fates(rules) == [(Kind.CAME, Fate.SENT, None), (Kind.SURVEY, Fate.MERGED, Because.WITH_EARLIER)]


ENDS_AT = OCCASION.ends_at
MINUTE = timedelta(minutes=1)


def following(rules, *, came=True, **fields):
    """What follows a session that is over: when after its end, in minutes, each with what goes out for it."""
    occasion = Occasion(STARTS_AT, ENDS_AT, has_survey=True, **fields)
    return [
        (mail.kind, mail.due_at and (mail.due_at - ENDS_AT) // MINUTE, mail.fate, mail.merged_with)
        for mail in plan(occasion, rules, told_at=LONG_AGO, came=came)
    ]


@pytest.mark.parametrize("kinds", [(60, 65), (65, 60)])
def test_of_a_survey_and_a_follow_up_that_are_near_the_one_that_thanks_goes_out_when_the_first_would(kinds):
    survey, thanks = kinds

    assert sorted(following([rule(survey, "survey"), rule(thanks, "follow_up", "came")])) == [
        (Kind.CAME, 60, Fate.SENT, None),
        (Kind.SURVEY, survey, Fate.MERGED, Kind.CAME),
    ]


def test_a_follow_up_that_came_into_the_plan_after_the_survey_went_out_comes_a_quarter_of_an_hour_later():
    thanks = rule(65, "follow_up", "came", holds_from=ENDS_AT + 62 * MINUTE)

    assert following([rule(60, "survey"), thanks]) == [
        (Kind.SURVEY, 60, Fate.SENT, None),
        (Kind.CAME, 75, Fate.SENT, None),
    ]


def test_a_replay_that_was_there_when_those_who_came_were_thanked_is_told_with_that():
    opens_at = ENDS_AT + 125 * MINUTE

    # Known before it opens: the thanks say from when on.
    assert following([THANKS, REPLAY], replay_opens_at=opens_at, replay_known_at=ENDS_AT) == [
        (Kind.CAME, 120, Fate.SENT, None),
        (Kind.REPLAY, 125, Fate.MERGED, Kind.CAME),
    ]


def test_a_replay_that_was_added_after_those_who_came_were_thanked_is_told_a_quarter_of_an_hour_later():
    assert following([THANKS, REPLAY], replay_opens_at=ENDS_AT + 130 * MINUTE) == [
        (Kind.CAME, 120, Fate.SENT, None),
        (Kind.REPLAY, 135, Fate.SENT, None),
    ]


def test_a_replay_has_one_moment_for_those_who_came_and_those_who_did_not():
    rules = [rule(120, "follow_up", "came"), REPLAY]

    assert following(rules, came=False, replay_opens_at=ENDS_AT + 130 * MINUTE)[1:] == [
        (Kind.REPLAY, 135, Fate.SENT, None),
    ]


def test_a_replay_is_not_told_with_a_survey_which_some_have_answered_before():
    assert following([rule(60, "survey"), REPLAY], replay_opens_at=ENDS_AT + 65 * MINUTE) == [
        (Kind.SURVEY, 60, Fate.SENT, None),
        (Kind.REPLAY, 75, Fate.SENT, None),
    ]
    assert following([rule(65, "survey"), REPLAY], replay_opens_at=ENDS_AT + 60 * MINUTE) == [
        (Kind.REPLAY, 60, Fate.SENT, None),
        (Kind.SURVEY, 65, Fate.MERGED, Kind.REPLAY),
    ]


def test_nobody_is_told_of_a_replay_that_has_ended_by_then():
    rules = [rule(60, "replay"), rule(65, "survey")]

    assert following(rules, replay_opens_at=ENDS_AT, replay_ends_at=ENDS_AT + 30 * MINUTE) == [
        (Kind.REPLAY, 60, Fate.SKIPPED, None),
        (Kind.SURVEY, 65, Fate.SENT, None),
    ]


def test_what_follows_a_session_of_five_minutes_is_told_apart_from_that_it_starts():
    short = Occasion(STARTS_AT, STARTS_AT + 5 * MINUTE)

    found = plan(short, [AT_START, rule(0, "follow_up", "came")], told_at=LONG_AGO, came=True)

    assert [(mail.kind, mail.fate, (mail.due_at or LONG_AGO) - STARTS_AT) for mail in found] == [
        (Kind.STARTING, Fate.SENT, timedelta()),
        (Kind.CAME, Fate.SENT, MERGED_WITHIN),
    ]


def test_whoever_did_not_come_is_told_what_they_missed_if_others_were_seen():
    unseen = Occasion(STARTS_AT, OCCASION.ends_at, is_attendance_known=False)

    assert fates([THANKS, MISSED], came=False) == [
        (Kind.CAME, Fate.SKIPPED, Because.STAYED_AWAY),
        (Kind.MISSED, Fate.SENT, None),
    ]
    assert fates([MISSED], came=False, occasion=unseen) == [(Kind.MISSED, Fate.SKIPPED, Because.NOBODY_SEEN)]


def test_without_a_recording_nobody_knows_when_and_without_questions_nobody_is_asked():
    bare = Occasion(STARTS_AT, OCCASION.ends_at)

    assert fates([SURVEY, REPLAY], occasion=bare) == [
        (Kind.SURVEY, Fate.SKIPPED, Because.NO_SURVEY),
        (Kind.REPLAY, Fate.OPEN, Because.NO_REPLAY),
    ]


def test_nothing_is_sent_of_what_is_called_off():
    off = Occasion(STARTS_AT, OCCASION.ends_at, is_called_off=True, has_survey=True)

    assert {mail.because for mail in plan(off, USUAL, told_at=LONG_AGO, came=True)} == {Because.CANCELLED}


def test_a_new_rule_makes_up_for_nothing():
    new = rule(24 * 60, holds_from=STARTS_AT - timedelta(hours=3))
    since = Occasion(STARTS_AT, OCCASION.ends_at, rules_since=STARTS_AT - timedelta(hours=3))

    assert fates([new, HOUR_BEFORE]) == [
        (Kind.REMINDER, Fate.SKIPPED, Because.RULE_IS_NEWER),
        (Kind.REMINDER, Fate.SENT, None),
    ]
    assert fates([DAY_BEFORE], occasion=since) == [(Kind.REMINDER, Fate.SKIPPED, Because.RULE_IS_NEWER)]


@pytest.mark.parametrize(
    ("on", "wall_clock"),
    # The nights before: clocks in New York go forward on 8 March 2026, and back on 1 November 2026.
    [(date(2026, 3, 8), time(11, 0)), (date(2026, 11, 1), time(13, 0))],
)
def test_a_day_before_is_24_hours_also_when_clocks_change(on, wall_clock):
    starts_at = timezones.resolve(on, time(12, 0), "America/New_York")

    due = due_at(DAY_BEFORE, Occasion(starts_at, starts_at + timedelta(hours=1)))

    assert due is not None
    assert starts_at - due == timedelta(hours=24)
    assert timezones.wall_clock(due, "America/New_York").at == wall_clock


# ---------- whatever the rules ----------

MINUTES = st.integers(0, 3 * 24 * 60)
RULES = st.lists(
    st.one_of(
        st.builds(rule, MINUTES),
        st.builds(rule, MINUTES, st.just("follow_up"), st.sampled_from(["came", "stayed_away"])),
        st.builds(
            rule, MINUTES, st.sampled_from(["survey", "replay"]), st.sampled_from(["everybody", "came", "stayed_away"])
        ),
    ),
    max_size=8,
)
INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - Hypothesis adds it
OCCASIONS = st.builds(
    lambda starts_at, minutes, replay, known, until: Occasion(
        starts_at,
        starts_at + timedelta(minutes=minutes),
        replay_opens_at=None if replay is None else starts_at + timedelta(minutes=minutes + replay),
        replay_known_at=None if replay is None else starts_at + timedelta(minutes=minutes + min(known, replay)),
        replay_ends_at=None if until is None else starts_at + timedelta(minutes=minutes + until),
        has_survey=True,
    ),
    INSTANTS,
    st.integers(5, 24 * 60),
    st.none() | st.integers(0, 100) | st.integers(0, 10_000),
    st.integers(0, 10_000),
    st.none() | st.integers(0, 20_000),
)
# Rules and replays so near to each other that most are merged.
NEAR = st.integers(0, 25)
CROWDED = st.lists(
    st.builds(
        lambda what, minutes, holds: rule(minutes, what[0], what[1], holds),
        st.sampled_from(
            [
                ("replay", "everybody"),
                ("survey", "everybody"),
                ("follow_up", "came"),
                ("follow_up", "stayed_away"),
                ("survey", "came"),
                ("replay", "stayed_away"),
                ("reminder", "everybody"),
            ]
        ),
        NEAR,
        st.just(LONG_AGO) | st.just(LONG_AGO) | NEAR.map(lambda minutes: ENDS_AT + minutes * MINUTE),
    ),
    min_size=2,
    max_size=8,
)
CROWDED_OCCASIONS = st.builds(
    lambda known, opens, ends: Occasion(
        STARTS_AT,
        ENDS_AT,
        replay_opens_at=ENDS_AT + max(known, opens) * MINUTE,
        replay_known_at=ENDS_AT + known * MINUTE,
        replay_ends_at=None if ends is None else ENDS_AT + ends * MINUTE,
        has_survey=True,
    ),
    NEAR,
    NEAR,
    st.none() | st.none() | st.integers(0, 60),
)
IN_A_CROWD = st.tuples(CROWDED_OCCASIONS, CROWDED)
ANY = st.tuples(OCCASIONS, RULES) | IN_A_CROWD
BEFORE_OR_AFTER = st.integers(-40 * 24 * 60, 5 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes))


def sent_at(planned):
    return [mail.due_at for mail in planned if mail.fate == Fate.SENT]


@given(ANY, BEFORE_OR_AFTER, st.booleans())
def test_every_rule_has_one_fate_with_a_reason_unless_it_is_sent(any_plan, told, came):
    occasion, rules = any_plan
    planned = plan(occasion, rules, told_at=occasion.starts_at + told, came=came)

    assert sorted(map(id, rules)) == sorted(id(mail.rule) for mail in planned)
    assert all((mail.because is None) == (mail.fate == Fate.SENT) for mail in planned)


@given(ANY, BEFORE_OR_AFTER, st.booleans())
def test_nothing_is_sent_before_somebody_registered_nor_two_within_a_quarter_of_an_hour(any_plan, told, came):
    occasion, rules = any_plan
    told_at = occasion.starts_at + told

    planned = plan(occasion, rules, told_at=told_at, came=came)

    moments = sent_at(planned)
    assert all(moment >= told_at for moment in moments)
    assert all(later - earlier >= MERGED_WITHIN for earlier, later in pairwise(moments))
    reminders = sent_at(mail for mail in planned if mail.rule is not None and mail.rule.is_reminder)
    assert all(moment - told_at >= MERGED_WITHIN for moment in reminders)


@given(OCCASIONS, RULES, BEFORE_OR_AFTER, st.booleans(), st.timedeltas(timedelta(), timedelta(days=200)))
def test_a_session_that_moves_takes_its_whole_plan_with_it(occasion, rules, told, came, by):
    moved = Occasion(
        occasion.starts_at + by,
        occasion.ends_at + by,
        replay_opens_at=occasion.replay_opens_at and occasion.replay_opens_at + by,
        replay_known_at=occasion.replay_known_at and occasion.replay_known_at + by,
        replay_ends_at=occasion.replay_ends_at and occasion.replay_ends_at + by,
        has_survey=True,
    )
    told_at = occasion.starts_at + told

    before = plan(occasion, rules, told_at=told_at, came=came)
    after = plan(moved, rules, told_at=told_at + by, came=came)

    assert [(mail.kind, mail.fate, mail.because) for mail in before] == [
        (mail.kind, mail.fate, mail.because) for mail in after
    ]
    assert [mail.due_at and mail.due_at + by for mail in before] == [mail.due_at for mail in after]


@given(ANY, BEFORE_OR_AFTER, st.booleans())
def test_the_order_in_which_rules_are_kept_decides_nothing(any_plan, told, came):
    occasion, rules = any_plan
    told_at = occasion.starts_at + told

    one, other = (plan(occasion, kept, told_at=told_at, came=came) for kept in (rules, rules[::-1]))

    assert sent_at(one) == sent_at(other)


@settings(max_examples=300)
@given(IN_A_CROWD, st.booleans())
def test_what_is_merged_is_told_by_a_mail_that_is_sent_and_has_its_news(crowd, came):
    occasion, rules = crowd

    planned = plan(occasion, rules, told_at=LONG_AGO, came=came)

    for mail in planned:
        if mail.fate == Fate.MERGED:
            [teller] = [other for other in planned if other.kind == mail.merged_with and is_just_before(other, mail)]
            assert has_news_of(mail, teller, occasion)


def is_just_before(other, mail):
    return other.fate == Fate.SENT and timedelta() <= mail.due_at - other.due_at < MERGED_WITHIN


def has_news_of(mail, teller, occasion):
    """Whether the letter of the one, sent then, can say what the other would."""
    if mail.kind in {Kind.REMINDER, Kind.STARTING}:
        return teller.kind in {Kind.REMINDER, Kind.STARTING}
    if teller.kind == Kind.REPLAY and occasion.replay_opens_at > teller.due_at:
        return False
    is_known = mail.kind != Kind.REPLAY or occasion.replay_known_at <= teller.due_at
    return is_known and mail.kind in TELLS[teller.kind]


@settings(max_examples=300)
@given(IN_A_CROWD, st.booleans())
def test_each_mail_goes_out_when_its_mailing_is_begun(crowd, came):
    occasion, rules = crowd
    begun = {id(each): moment for moment, each in moments(occasion, rules)}

    planned = plan(occasion, rules, told_at=LONG_AGO, came=came)

    assert all(begun[id(mail.rule)] == mail.due_at for mail in planned if mail.fate == Fate.SENT)
