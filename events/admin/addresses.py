"""Pages that leave their address: links that people have are answered with where the page went, or that it is gone.

The address stays its host's: nobody else gets the readers and subscribers who still ask there.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db import models, transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import ngettext, override
from unfold.admin import ModelAdmin

from events import addresses
from events.access import access_of
from events.models import FormerAddress, Host


class LeavesAddresses:
    """For the admin of whatever has a page of its own. What nobody could open leaves nothing."""

    def with_page(self, rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
        """Those among the rows whose page everybody can open."""
        return rows

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        former = self.public_paths([obj])
        super().save_model(request, obj, form, change)  # type: ignore[misc]
        self.leave(former, obj)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        with transaction.atomic():
            self.retire([obj])
            super().delete_model(request, obj)  # type: ignore[misc]

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        with transaction.atomic():
            self.retire(queryset)
            super().delete_queryset(request, queryset)  # type: ignore[misc]

    def consequences(self, rows: Sequence[Any]) -> list[str]:
        """Those of any rows, and what becomes of the addresses that people have."""
        said: list[str] = super().consequences(rows)  # type: ignore[misc]
        count = len(self.public_paths(rows))
        if not count:
            return said
        gone = ngettext(
            "Whoever opens its address from then on reads that the page is gone.",
            "Whoever opens the address of one of these %(count)d pages from then on reads that it is gone.",
            count,
        )
        return [*said, gone % {"count": count}]

    def public_paths(self, rows: Iterable[Any]) -> list[str]:
        """Where the pages of these rows are, as they are stored, in the site's own language."""
        return [path_of(row) for row in self.with_page(self._stored(rows))]

    def leave(self, former: list[str], obj: Any) -> None:
        """Lead from where it was to where it is. Its page is the one there, whatever the host had there before."""
        host, now, public = _host_of(obj), timezone.now(), self.public_paths([obj])
        for path in former:
            if public:
                addresses.move(path, path_of(obj), host=host, now=now)
            else:  # withdrawn: the address stays its host's until the page is back
                addresses.retire(path, host=host, now=now)
        for path in public:
            addresses.reopen(path, host=host)

    def retire(self, rows: Iterable[Any]) -> None:
        """Say that the pages of these rows are gone, as long as there is a host whose they were."""
        for row in self.once_with_page(self._stored(rows)):
            addresses.retire(path_of(row), host=_host_of(row), now=timezone.now())

    def once_with_page(self, rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
        """Those among the rows whose page people may have opened at some time."""
        return self.with_page(rows)

    def _stored(self, rows: Iterable[Any]) -> models.QuerySet[Any]:
        model: Any = self.model  # type: ignore[attr-defined]
        stored: models.QuerySet[Any] = model._default_manager.filter(pk__in=[row.pk for row in rows if row.pk])
        return stored


@admin.register(FormerAddress)
class FormerAddressAdmin(ModelAdmin):
    """For superusers, who may give an address free."""

    list_display = ["path", "moved_to", "host", "retired_at"]
    list_select_related = ["host"]
    search_fields = ["path", "moved_to"]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return access_of(request).is_superuser

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return access_of(request).is_superuser

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return access_of(request).is_superuser


def path_of(row: Any) -> str:
    """Where the page of the row is, in the site's own language."""
    with override(settings.LANGUAGE_CODE):
        path: str = row.get_absolute_url()
        return path


def _host_of(row: Any) -> Host:
    host: Host = row if isinstance(row, Host) else row.host
    return host
