"""What people answered: kept with the wording that was asked, and counted for the organizers."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from events.models import Question, Webinar
from events.models.questions import NO, YES
from registrations.models import Answer, Registration
from registrations.questions import shown_answer

# The answers of these are few and the same for many people; of the others each stands for itself.
COUNTED_KINDS = {Question.Kind.ONE_OF, Question.Kind.SOME_OF, Question.Kind.YES_NO, Question.Kind.COUNTRY}


def store_answers(registration: Registration, answers: Mapping[Question, str], *, asked: Question.Asked) -> None:
    """Keep the answers to what was asked at that moment, instead of those given before. In the caller's transaction."""
    earlier = registration.answers.filter(question__asked=asked)
    if earlier.exists():
        earlier.delete()
    store_first_answers(registration, answers)


def store_first_answers(registration: Registration, answers: Mapping[Question, str]) -> None:
    """The same for somebody who cannot have answered before: one INSERT, or none. In the caller's transaction."""
    given = [
        Answer(registration=registration, question=question, wording=question.wording, value=value)
        for question, value in answers.items()
        if value
    ]
    if given:
        Answer.objects.bulk_create(given)


def delete_answers(questions: Iterable[Question]) -> int:
    """Forget what anybody answered to these questions, and return how many answers those were."""
    count, _rows = Answer.objects.filter(question__in=list(questions)).delete()
    return count


def given_answers(registration: Registration, *, asked: Question.Asked) -> dict[Question, str]:
    """What somebody answered when they were asked at that moment, in the order of the questions."""
    answers = registration.answers.filter(question__asked=asked).select_related("question")
    return {answer.question: answer.value for answer in answers}


def shown_answers(registration: Registration, *, asked: Question.Asked) -> list[tuple[str, str]]:
    """The same in the reader's words: the wording that was asked, and the answer."""
    answers = registration.answers.filter(question__asked=asked).select_related("question")
    return [(answer.wording, shown_answer(answer.question, answer.value)) for answer in answers]


@dataclass(frozen=True)
class Summary:
    """One question and how many answered it; `counts` has how many gave which answer, empty for free words."""

    question: Question
    answered: int
    counts: list[tuple[str, int]]


def summaries(webinar: Webinar) -> list[Summary]:
    """What came back for each of the webinar's questions, in two queries however many there are."""
    questions = list(webinar.questions.all())
    values: dict[int, list[str]] = {question.pk: [] for question in questions}
    for question_id, value in (
        Answer.objects.filter(question__webinar=webinar).order_by().values_list("question", "value")
    ):
        values[question_id].append(value)
    return [_summary(question, values[question.pk]) for question in questions]


def _summary(question: Question, values: list[str]) -> Summary:
    if question.kind not in COUNTED_KINDS:
        return Summary(question, len(values), [])
    is_many = question.kind == Question.Kind.SOME_OF
    found = Counter(chosen for value in values for chosen in (value.splitlines() if is_many else [value]))
    # The choices as they are written come first, also those that nobody made; then what was one of them once.
    listed = dict.fromkeys([*question.option_list, *([YES, NO] if question.kind == Question.Kind.YES_NO else [])])
    others = [value for value, _count in found.most_common() if value not in listed]
    counts = [(shown_answer(question, value), found[value]) for value in [*listed, *others]]
    return Summary(question, len(values), counts)
