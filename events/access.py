"""Whose host is it: the one place that says what an organizer may see and change.

Roles come from memberships alone; nobody assigns Django's model permissions by hand. Whoever signs in must be staff to
reach the admin at all, and superusers may do everything.

A host may demand a second step of signing in (Host.requires_second_factor). Whoever has not taken it in this session
may do nothing there. Superusers may do nothing at all until they have, as soon as any host demands it: what they may do
reaches that host, too.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.http import HttpRequest

from events.models import Host, Membership, User

Role = Membership.Role
_RANKS = {Role.VIEWER: 1, Role.EDITOR: 2, Role.OWNER: 3}
# Recovery codes are none: they stand for one of these whose telephone is lost.
SECOND_STEPS = frozenset({Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN})


@dataclass(frozen=True)
class Access:
    """What one person may do, host by host."""

    is_superuser: bool = False
    roles: Mapping[int, Role] = field(default_factory=dict)
    # The hosts that wait for a second step before they let the person do anything.
    waiting: frozenset[int] = frozenset()

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


def access_for(user: User | AnonymousUser, *, taken: Collection[int] = ()) -> Access:
    """What that user may do now. Whoever is not staff, or not active any more, may do nothing.

    `taken` are the keys of the authenticators with which they took the second step in this session.
    """
    if not isinstance(user, User) or not (user.is_active and user.is_staff):
        return Access()
    rows = list(Membership.objects.filter(user=user).values_list("host_id", "role", "host__requires_second_factor"))
    roles = {host_id: Role(role) for host_id, role, _demands in rows}
    demanding = _demanding_hosts() if user.is_superuser else frozenset(key for key, _role, demands in rows if demands)
    if not demanding or has_taken_second_step(user, taken):
        return Access(is_superuser=user.is_superuser, roles=roles)
    if user.is_superuser:
        # Not even where nobody demands it: Django's own rights of a superuser know no hosts.
        return Access(waiting=demanding)
    return Access(roles={key: role for key, role in roles.items() if key not in demanding}, waiting=demanding)


def has_taken_second_step(user: User, taken: Collection[int]) -> bool:
    """Whether one of these authenticators is still theirs, beside a passkey or an app."""
    types = dict(Authenticator.objects.filter(user=user).values_list("pk", "type"))
    return not SECOND_STEPS.isdisjoint(types.values()) and not types.keys().isdisjoint(taken)


def has_second_step(user: User) -> bool:
    """Whether they have a passkey or an app, used in this session or not."""
    return Authenticator.objects.filter(user=user, type__in=SECOND_STEPS).exists()


def _demanding_hosts() -> frozenset[int]:
    return frozenset(Host.objects.filter(requires_second_factor=True).values_list("pk", flat=True))


# A page asks a hundred times what its reader may do; the memberships are read once.
_by_request: WeakKeyDictionary[HttpRequest, Access] = WeakKeyDictionary()


def access_of(request: HttpRequest) -> Access:
    """`access_for` the request's user in their session, read once for a request."""
    access = _by_request.get(request)
    if access is None:
        access = _by_request[request] = access_for(request.user, taken=_taken_in(request))
    return access


def _taken_in(request: HttpRequest) -> frozenset[int]:
    """The authenticators of allauth's notes about how this session began and what was proved in it since."""
    if not (isinstance(request.user, User) and request.user.is_staff):
        return frozenset()
    notes = get_authentication_records(request, request.user)
    return frozenset(note["id"] for note in notes if note.get("method") == "mfa" and "id" in note)


def may_enter(request: HttpRequest) -> bool:
    """Whether the admin opens: not for those who may do nothing there until they have taken the second step."""
    user = request.user
    if not (isinstance(user, User) and user.is_active and user.is_staff):
        return False
    access = access_of(request)
    return not access.waiting or bool(access.roles)


def is_organizer(request: HttpRequest) -> bool:
    """Whether the menu shows what belongs to hosts."""
    return access_of(request).may_somewhere()


def is_superuser(request: HttpRequest) -> bool:
    """Whether the menu shows what belongs to nobody in particular."""
    return access_of(request).is_superuser
