"""Pages that leave their address: links that people have are answered with where the page went, or that it is gone."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import override

from events import addresses


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
            former = self.public_paths([obj])
            super().delete_model(request, obj)  # type: ignore[misc]
            addresses.retire(former, now=timezone.now())

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        with transaction.atomic():
            former = self.public_paths(queryset)
            super().delete_queryset(request, queryset)  # type: ignore[misc]
            addresses.retire(former, now=timezone.now())

    def public_paths(self, rows: Iterable[Any]) -> list[str]:
        """Where the pages of these rows are, as they are stored, in the site's own language."""
        model: Any = self.model  # type: ignore[attr-defined]
        stored = model._default_manager.filter(pk__in=[row.pk for row in rows if row.pk])
        return [_path(row) for row in self.with_page(stored)]

    def leave(self, former: list[str], obj: Any) -> None:
        """Lead from where it was to where it is."""
        for path in former:
            addresses.move(path, _path(obj), now=timezone.now())


def _path(row: Any) -> str:
    with override(settings.LANGUAGE_CODE):
        path: str = row.get_absolute_url()
        return path
