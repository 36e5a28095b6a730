"""Landing pages per second, beside a bare view in the same server process."""

from statistics import median

from benchmarks import wrk
from webinar_site.demonstration.border_security import CASPIAN_SLUG, CENTRAL_ASIA_SLUG

ROUNDS = 3
PAGES = {
    "upcoming, three sessions, with the form": f"/webinars/{CASPIAN_SLUG}/",
    "over, twelve presenters": f"/webinars/{CENTRAL_ASIA_SLUG}/",
}


def measure(site: str, *, seconds: int) -> None:
    """Interleave rounds of both, so that a neighbour's load falls on both."""
    bare: list[float] = []
    pages: dict[str, list[float]] = {name: [] for name in PAGES}
    for path in ("/bare/", *PAGES.values()):
        wrk.load(f"{site}{path}", seconds=1)  # warm
    for _round in range(ROUNDS):
        bare.append(wrk.load(f"{site}/bare/", seconds=seconds).per_second)
        for name, path in PAGES.items():
            pages[name].append(wrk.load(f"{site}{path}", seconds=seconds).per_second)
    print(f"  bare view: {median(bare):,.0f} a second")
    for name, rates in pages.items():
        ratio = median(page / view for page, view in zip(rates, bare, strict=True))
        print(f"  landing page, {name}: {median(rates):,.0f} a second, {ratio:.1%} of the bare view")
