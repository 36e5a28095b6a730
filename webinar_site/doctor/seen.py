"""What a check says: a light, what was seen, and what to do about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from events.models import Finding

Light = Finding.Light

_GRAVEST_FIRST = (Light.RED, Light.AMBER, Light.GREEN)


@dataclass(frozen=True)
class Seen:
    """What a check saw and what to do about it, each a sentence a line; nothing to do where the light is green."""

    light: Light
    what: str
    to_do: str = ""


@dataclass(frozen=True)
class Line:
    """A check by its topic and its name, with what it saw and when."""

    topic: str
    name: str
    seen: Seen
    looked_at: datetime


def green(what: str) -> Seen:
    return Seen(Light.GREEN, what)


def amber(what: str, to_do: str) -> Seen:
    return Seen(Light.AMBER, what, to_do)


def red(what: str, to_do: str) -> Seen:
    return Seen(Light.RED, what, to_do)


def worst(lights: list[Light]) -> Light:
    """The gravest of them, green where there is none."""
    return next((light for light in _GRAVEST_FIRST if light in lights), Light.GREEN)


def together(found: list[Seen]) -> Seen:
    """Several as one: the gravest light, every sentence, and each thing to do once."""
    gravest_first = sorted(found, key=lambda seen: _GRAVEST_FIRST.index(seen.light))
    to_do = dict.fromkeys(seen.to_do for seen in gravest_first if seen.to_do)
    return Seen(worst([seen.light for seen in found]), "\n".join(seen.what for seen in gravest_first), "\n".join(to_do))


def each_named(found: Mapping[str, Seen]) -> Seen:
    """Several as one, each with the name of what it is about before it; the name of a single one is left out."""
    if len(found) == 1:
        return next(iter(found.values()))
    return together([Seen(seen.light, f"{name}: {seen.what}", seen.to_do) for name, seen in found.items()])
