"""What a webinar asks of those who register."""

import math
from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from events import formats
from events.fields import PlainTextField, SingleLineField
from events.models.webinars import Webinar

# As an answer of that kind is sent and stored.
YES, NO = "yes", "no"


class Question(models.Model):
    """One question in the registration form, answered in `registrations`."""

    class Kind(models.TextChoices):
        SHORT_TEXT = "short", _("Short text")
        LONG_TEXT = "long", _("Long text")
        ONE_OF = "one", _("One of several")
        SOME_OF = "some", _("Some of several")
        YES_NO = "yes-no", _("Yes or no")
        NUMBER = "number", _("Number")
        COUNTRY = "country", _("Country")

    class Asked(models.TextChoices):
        REGISTERING = "registering", _("When registering")
        SURVEY = "survey", _("Afterwards, in the survey")

    webinar = models.ForeignKey(Webinar, models.CASCADE, related_name="questions", verbose_name=_("webinar"))
    wording = SingleLineField(_("question"), max_length=200)
    asked = models.CharField(_("asked"), max_length=11, choices=Asked.choices, default=Asked.REGISTERING)
    kind = models.CharField(_("kind of answer"), max_length=8, choices=Kind.choices, default=Kind.SHORT_TEXT)
    help_text = SingleLineField(_("help"), max_length=200, blank=True)
    options = PlainTextField(_("options"), blank=True, help_text=_("One a line, for one or some of several."))
    depends_on = models.ForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="dependents",
        verbose_name=_("only after"),
        help_text=_("An earlier question of this webinar. Empty: it is always asked."),
    )
    depends_answers = PlainTextField(
        _("answered with"),
        blank=True,
        help_text=_("One answer a line, any of which asks this question. Empty: any answer does."),
    )
    is_required = models.BooleanField(_("required"), default=False)
    order = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        ordering = ["order", "pk"]
        verbose_name = _("question")
        verbose_name_plural = _("questions")

    def __str__(self) -> str:
        return self.wording

    @property
    def planned(self) -> Mapping[int, "Question"]:
        """Questions that are saved together with this one, by their keys, as they will be then."""
        found: Mapping[int, Question] = self.__dict__.get("_planned", {})
        return found

    def is_saved_with(self, planned: Mapping[int, "Question"]) -> None:
        """Say what the others will be, so that an option can be renamed along with what is asked after it."""
        self._planned = planned

    def clean(self) -> None:
        """Refuse options that are no choice, and to be asked after what is no earlier answer."""
        if self.has_options and len(self.option_list) < 2:
            raise ValidationError({"options": _("Give at least two options, one a line.")})
        if self.depends_on is not None:
            self._check_earlier(self.depends_on)
            self._check_asking_answers(self.planned.get(self.depends_on.pk, self.depends_on))
        elif self.asking_answers:
            raise ValidationError({"depends_on": _("Choose the question that is answered so.")})
        self._check_dependents()

    def _check_earlier(self, earlier: "Question") -> None:
        if earlier.pk == self.pk:
            raise ValidationError({"depends_on": _("A question cannot depend on itself.")})
        if earlier.webinar_id != self.webinar_id:
            raise ValidationError({"depends_on": _("This is a question of another webinar.")})
        if earlier.asked != self.asked:
            raise ValidationError({"depends_on": _("This question is asked at another time.")})
        # One that is new comes last among those of its order.
        if (earlier.order, earlier.pk) > (self.order, self.pk or math.inf):
            raise ValidationError({"depends_on": _("This question comes later. Choose an earlier one.")})

    def _check_asking_answers(self, earlier: "Question") -> None:
        possible = earlier.possible_answers
        if possible is None:
            return
        by_letters = {answer.lower(): answer for answer in possible}
        for answer in self.asking_answers:
            if answer.lower() not in by_letters:
                raise ValidationError(
                    {
                        "depends_answers": _("%(answer)s is no answer to that question. Its answers are: %(answers)s.")
                        % {"answer": answer, "answers": ", ".join(possible)}
                    }
                )
        self.depends_answers = "\n".join(by_letters[answer.lower()] for answer in self.asking_answers)

    def _check_dependents(self) -> None:
        """Refuse to become a question that nobody can answer any more as others need it to be asked."""
        possible = self.possible_answers
        if self.pk is None or possible is None:
            return
        letters = {answer.lower() for answer in possible}
        stored = {dependent.pk: dependent for dependent in self.dependents.all()}
        for dependent in (self.planned.get(pk, dependent) for pk, dependent in stored.items()):
            if dependent.depends_on_id != self.pk:
                continue
            gone = next((answer for answer in dependent.asking_answers if answer.lower() not in letters), "")
            if gone:
                raise ValidationError(
                    {
                        "options" if self.has_options else "kind": _(
                            "“%(question)s” is asked after the answer %(answer)s, which would be none any more. "
                            "Change that question first."
                        )
                        % {"question": dependent.wording, "answer": gone}
                    }
                )

    @property
    def has_options(self) -> bool:
        return self.kind in {self.Kind.ONE_OF, self.Kind.SOME_OF}

    @property
    def option_list(self) -> list[str]:
        return [line.strip() for line in self.options.splitlines() if line.strip()]

    @property
    def possible_answers(self) -> list[str] | None:
        """What can be answered, as it is stored; None where anything can."""
        if self.has_options:
            return self.option_list
        if self.kind == self.Kind.YES_NO:
            return [YES, NO]
        return list(formats.countries()) if self.kind == self.Kind.COUNTRY else None

    @property
    def asking_answers(self) -> list[str]:
        """The answers to the question it depends on, any of which asks it; empty where every answer does."""
        return [line.strip() for line in self.depends_answers.splitlines() if line.strip()]

    def is_asked_after(self, answer: str) -> bool:
        """Whether it is asked of somebody who answered the question it depends on so: stored words, or none."""
        given = {line.strip().lower() for line in answer.splitlines()} - {""}
        asking = {answer.lower() for answer in self.asking_answers}
        return bool(given & asking) if asking else bool(given)

    @property
    def field_name(self) -> str:
        """Its name in the form; others depend on it."""
        return f"question-{self.pk}"
