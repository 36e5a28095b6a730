"""Whose host is it: the one place that says what an organizer may see and change.

Roles come from memberships alone; nobody assigns Django's model permissions by hand. Whoever signs in must be staff to
reach the admin at all, and superusers may do everything.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.http import HttpRequest

from events.models import Membership, User

Role = Membership.Role
_RANKS = {Role.VIEWER: 1, Role.EDITOR: 2, Role.OWNER: 3}


@dataclass(frozen=True)
class Access:
    """What one person may do, host by host."""

    is_superuser: bool = False
    roles: Mapping[int, Role] = field(default_factory=dict)

    def may(self, host_id: int | None, *, at_least: Role = Role.VIEWER) -> bool:
        """Whether the role at that host is the given one or a higher one."""
        if self.is_superuser:
            return True
        role = self.roles.get(host_id) if host_id is not None else None
        return role is not None and _RANKS[role] >= _RANKS[at_least]

    def may_somewhere(self, *, at_least: Role = Role.VIEWER) -> bool:
        """Whether there is any host at which the role suffices."""
        return self.is_superuser or bool(self.host_ids(at_least=at_least))

    def host_ids(self, *, at_least: Role = Role.VIEWER) -> list[int]:
        """The hosts named by memberships; a superuser's hosts are all and stand in no list."""
        return [host_id for host_id in self.roles if self.may(host_id, at_least=at_least)]

    def among(self, host_path: str, *, at_least: Role = Role.VIEWER) -> models.Q:
        """The condition that keeps rows of those hosts; `host_path` leads from the row to the host's key."""
        return models.Q() if self.is_superuser else models.Q((f"{host_path}__in", self.host_ids(at_least=at_least)))


def access_for(user: User | AnonymousUser) -> Access:
    """What that user may do now. Whoever is not staff, or not active any more, may do nothing."""
    if not isinstance(user, User) or not (user.is_active and user.is_staff):
        return Access()
    roles = {
        host_id: Role(role) for host_id, role in Membership.objects.filter(user=user).values_list("host_id", "role")
    }
    return Access(is_superuser=user.is_superuser, roles=roles)


# A page asks a hundred times what its reader may do; the memberships are read once.
_by_request: WeakKeyDictionary[HttpRequest, Access] = WeakKeyDictionary()


def access_of(request: HttpRequest) -> Access:
    """`access_for` the request's user, read once for a request."""
    access = _by_request.get(request)
    if access is None:
        access = _by_request[request] = access_for(request.user)
    return access


def is_organizer(request: HttpRequest) -> bool:
    """Whether the menu shows what belongs to hosts."""
    return access_of(request).may_somewhere()


def is_superuser(request: HttpRequest) -> bool:
    """Whether the menu shows what belongs to nobody in particular."""
    return access_of(request).is_superuser
