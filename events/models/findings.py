"""What the doctor saw at the things that the site needs, kept until it looks again."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Finding(models.Model):
    """What was seen at one thing, in sentences for whoever runs the site, when somebody last looked.

    `topic` names the thing; `to_do` is empty where the light is green. `webinar_site.doctor` looks, and writes it.
    """

    class Light(models.TextChoices):
        """Green: as it must be. Amber: it runs, and somebody should look. Red: something does not work."""

        GREEN = "green", _("Green")
        AMBER = "amber", _("Amber")
        RED = "red", _("Red")

    topic = models.SlugField(max_length=40, unique=True)
    light = models.CharField(max_length=5, choices=Light.choices)
    what = models.TextField()
    to_do = models.TextField(blank=True)
    looked_at = models.DateTimeField()

    class Meta:
        ordering = ["topic"]
        verbose_name = _("finding")
        verbose_name_plural = _("findings")
        constraints = [
            models.CheckConstraint(condition=models.Q(light__in=["green", "amber", "red"]), name="finding_light"),
        ]

    def __str__(self) -> str:
        return f"{self.topic}: {self.light}"
