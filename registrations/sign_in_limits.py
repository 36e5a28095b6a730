"""How long somebody has to wait who tried too often to sign in. allauth counts, and does not say until when."""

import time
from collections.abc import Iterator
from datetime import timedelta
from weakref import WeakKeyDictionary

from allauth.account import app_settings as account_settings
from allauth.core.internal import ratelimit
from allauth.mfa import app_settings as mfa_settings
from django.contrib.sites.shortcuts import get_current_site
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from events.limits import TooManyError

# What allauth has refused in the course of a request, until its answer is ready.
_refused: WeakKeyDictionary[HttpRequest, TooManyError] = WeakKeyDictionary()
# Where nothing is counted out any more when we look: the shortest that anything is counted.
_SHORTEST = timedelta(minutes=1)


def refuse(request: HttpRequest) -> TooManyError:
    """Note that this request is refused, and say until when: then nothing holds its sender back any more.

    All limits are looked at that hold this source, person or address, so that nobody comes back for another refusal.
    """
    longest = max(_waits(request), default=0.0)
    refusal = TooManyError(timedelta(seconds=longest) if longest > 0 else _SHORTEST)
    _refused[request] = refusal
    return refusal


def refusal_of(request: HttpRequest) -> TooManyError | None:
    """Why the request was refused, where it was."""
    return _refused.get(request)


def _waits(request: HttpRequest) -> Iterator[float]:
    """Seconds until each limit that is used up takes another try."""
    for app, config in (("allauth.account", account_settings.RATE_LIMITS), ("allauth.mfa", mfa_settings.RATE_LIMITS)):
        for action in config:
            for rate in ratelimit.get_rates(app=app, action=action, config=config):
                for cache_key in _cache_keys(request, app=app, action=action, rate=rate):
                    yield _wait(cache_key, rate)


def _wait(cache_key: str, rate: ratelimit.Rate) -> float:
    now = time.time()
    # The newest first, as allauth keeps them.
    tries = [at for at in cache.get(cache_key, []) if at > now - rate.duration]
    return float(tries[rate.amount - 1] + rate.duration - now) if len(tries) >= rate.amount else 0.0


def _cache_keys(request: HttpRequest, *, app: str, action: str, rate: ratelimit.Rate) -> Iterator[str]:
    if rate.per == "user" and not request.user.is_authenticated:
        return
    keys = _keys(request) if rate.per == "key" else [None]
    for key in keys:
        try:
            yield ratelimit.get_cache_key(request, app=app, action=action, rate=rate, key=key)
        except PermissionDenied:
            # A proxy that writes nonsense where the source should stand.
            return


def _keys(request: HttpRequest) -> list[str]:
    """By what allauth counts the tries of this request: an address, the same with the site's name, a person."""
    typed = {request.POST.get(name, "").strip().lower() for name in ("email", "login")}
    people = [request.user if request.user.is_authenticated else None]
    stage = getattr(request, "_login_stage", None)
    people.append(stage.login.user if stage else None)
    known = [person for person in people if person is not None]
    typed |= {person.email.lower() for person in known}
    domain = get_current_site(request).domain
    addresses = sorted(typed - {""})
    return [
        *addresses,
        *(f"{domain}:{address}" for address in addresses),
        *(f"mfa-auth-user-{person.pk}" for person in known),
    ]
