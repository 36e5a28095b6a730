"""What a webinar asks of those who register."""

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from events.fields import PlainTextField, SingleLineField
from events.models.webinars import Webinar


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

    def clean(self) -> None:
        if self.has_options and len(self.option_list) < 2:
            raise ValidationError({"options": _("Give at least two options, one a line.")})

    @property
    def has_options(self) -> bool:
        return self.kind in {self.Kind.ONE_OF, self.Kind.SOME_OF}

    @property
    def option_list(self) -> list[str]:
        return [line.strip() for line in self.options.splitlines() if line.strip()]

    @property
    def field_name(self) -> str:
        """Its name in the form; others depend on it."""
        return f"question-{self.pk}"
