"""Whether everything is as it must be, for whoever runs the site.

`examining` has the checks in their order; what each looks at is a function in the module of its subject. A check gets
what it needs and says in sentences what it saw and, where that is not as it should be, what to do. It sends nothing.
"""

from webinar_site.doctor.examining import CHECKS, Look, examine, examine_quickly, examine_slowly, keep, kept
from webinar_site.doctor.seen import Light, Line, Seen

__all__ = [
    "CHECKS",
    "Light",
    "Line",
    "Look",
    "Seen",
    "examine",
    "examine_quickly",
    "examine_slowly",
    "keep",
    "kept",
]
