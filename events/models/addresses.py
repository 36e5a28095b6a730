"""Addresses of pages that are no more, so that old links are answered truthfully."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from events.models.hosts import Host


class FormerAddress(models.Model):
    """Where a page was: it has moved for good (RFC 9110 15.4.2), or it is gone (15.5.11).

    Paths are those of the site's own language, from the first stroke: /webinars/border-challenges/.
    They stay with the host whose page it was, as people's links and calendars do, also when that host is no more.
    """

    path = models.CharField(_("was at"), max_length=200, unique=True)
    host = models.ForeignKey(
        Host, models.SET_NULL, null=True, blank=True, related_name="former_addresses", verbose_name=_("host")
    )
    moved_to = models.CharField(_("is now at"), max_length=200, blank=True, help_text=_("Empty: the page is gone."))
    retired_at = models.DateTimeField(_("since"))

    class Meta:
        ordering = ["path"]
        verbose_name = _("former address")
        verbose_name_plural = _("former addresses")

    def __str__(self) -> str:
        return self.path
