"""What the pages of this floor have in common: they are looked at, not edited, and their lists are long."""

from collections.abc import Sequence
from functools import reduce
from typing import Any, ClassVar

from django.db import models
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.views import ChangeList

from events.access import access_of
from events.admin.scoped import HostScopedAdmin, HostScopedTabularInline
from events.admin.wording import moment_cell
from events.models import Session


def session_time(session: Session) -> SafeString | str:
    """When it is, in its own zone, for a column."""
    return moment_cell(session.starts_at, session.time_zone)


def instant_column(name: str, description: Any, host_path: str) -> Any:
    """A column for an instant, which is shown in the home zone of the host that `host_path` leads to."""

    @display(description=description, ordering=name)
    def column(_page: Any, row: Any) -> SafeString | str:
        host = reduce(lambda found, step: found and getattr(found, step), host_path.split("__"), row)
        return moment_cell(getattr(row, name), host.time_zone if host else "UTC")

    return column


def is_own_address(request: HttpRequest, action: str) -> bool:
    """Whether the request is for that action itself, and not for a page that may offer it.

    Whoever comes there late, by a link or a second click, is told so on the object's page instead of being refused.
    """
    match = request.resolver_match
    return match is not None and (match.url_name or "").endswith(f"_{action}")


class ReadOnly:
    """Rows that acts write and nobody edits. Actions ask for the permission `act` instead of `change`."""

    def has_add_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


class ReadOnlyAdmin(ReadOnly, HostScopedAdmin):
    """A page to look at. Its list may be long: nothing counts what the reader did not ask for."""

    show_full_result_count = False

    def has_act_permission(self, request: HttpRequest) -> bool:
        return access_of(request).may_somewhere(at_least=self.edit_role)


class CompletedChangeList(ChangeList):
    """A list that adds to the rows of one page what would be slow to ask for all of them."""

    result_list: Any

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows = list(self.result_list)
        self.model_admin.complete(rows)
        self.result_list = rows


class CompletesRows:
    """For lists with columns that come from other tables."""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return CompletedChangeList

    def complete(self, rows: Sequence[Any]) -> None:
        """Set on each row what the columns show, in a fixed number of queries."""
        raise NotImplementedError


class ReadOnlyInline(ReadOnly, HostScopedTabularInline):
    """Rows to look at on their registration's page."""

    host_path: ClassVar[str] = "webinar__host"
