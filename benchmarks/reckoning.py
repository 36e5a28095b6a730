"""What came of the chaos: the mail server's journal beside the table of messages. Nothing here asks a database."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

# A child that was killed while the server was writing down its mail.
ACCEPTED_AFTER_SECONDS = 1.0


@dataclass(frozen=True)
class Acceptance:
    """One mail that the server took responsibility for, by its own clock."""

    at: float
    message_id: str
    to: str
    uid: str = ""
    sequence: int | None = None


@dataclass(frozen=True)
class Row:
    """A message as the table has it in the end. `end`: "sent", "refused" for good, "failed" otherwise, "cancelled",
    "unknown", or "open"."""

    pk: int
    end: str
    to: str
    message_id: str = ""
    answer: str = ""
    sent_at: float = 0


@dataclass(frozen=True)
class Person:
    """Somebody's entry as the table has it in the end."""

    to: str
    uid: str
    sequence: int | None


@dataclass(frozen=True)
class Kill:
    """When processes were killed, and which rows they left behind as being sent."""

    at: float
    whole_worker: bool
    left: tuple[int, ...]


@dataclass(frozen=True)
class Reckoning:
    """All that can be said of a run. `faults` is what must not be."""

    accepted: int
    messages: int
    refused: int
    cancelled: int
    repeats: int
    window_hits: int
    window_ms: list[float]
    unexplained: list[str]
    faults: list[str]


def reckon(
    journal: Sequence[Acceptance], rows: Sequence[Row], people: Sequence[Person], kills: Sequence[Kill]
) -> Reckoning:
    """Compare them. A repeat is explained where a kill left the row behind with its mail accepted already."""
    times = Counter(mail.message_id for mail in journal)
    repeated = {message_id for message_id, count in times.items() if count > 1}
    explained: set[str] = set()
    window_hits = 0
    for kill in sorted(kills, key=lambda kill: kill.at):
        # What an earlier one left lies there still when the next ones come.
        hit = _hit(kill, journal, rows) - explained
        explained |= hit
        window_hits += bool(hit)
    unexplained = [_apart(mail_id, journal) for mail_id in sorted(repeated - explained)]
    return Reckoning(
        accepted=len(journal),
        messages=len(times),
        refused=sum(row.end == "refused" for row in rows),
        cancelled=sum(row.end == "cancelled" for row in rows),
        repeats=sum(count - 1 for count in times.values()),
        window_hits=window_hits,
        window_ms=sorted(_windows(journal, rows)),
        unexplained=unexplained,
        faults=[
            *_of_rows(rows, set(times)),
            *_of_journal(journal, rows, kills),
            *_of_order(journal),
            *_of_people(people, journal, rows),
        ],
    )


def _apart(message_id: str, journal: Sequence[Acceptance]) -> str:
    first, *others = (mail.at for mail in journal if mail.message_id == message_id)
    return f"{message_id} was accepted again after {', '.join(f'{at - first:.1f} s' for at in others)}."


def _hit(kill: Kill, journal: Sequence[Acceptance], rows: Sequence[Row]) -> set[str]:
    """The mails that were accepted when their row was left behind: where the kill hit the window."""
    left = [row for row in rows if row.pk in kill.left]
    ids, unsent = {row.message_id for row in left if row.message_id}, {row.to for row in left if not row.message_id}
    latest = kill.at + ACCEPTED_AFTER_SECONDS
    sent = {row.message_id for row in rows}
    return {
        mail.message_id
        for mail in journal
        if mail.at <= latest and (mail.message_id in ids or (mail.to in unsent and mail.message_id not in sent))
    }


def _windows(journal: Iterable[Acceptance], rows: Iterable[Row]) -> Iterator[float]:
    """From the server's note that it has a mail to the moment at which its mark is written, in milliseconds."""
    accepted_at = {mail.message_id: mail.at for mail in journal}
    for row in rows:
        if row.end == "sent" and row.message_id in accepted_at:
            yield (row.sent_at - accepted_at[row.message_id]) * 1000


def _of_rows(rows: Iterable[Row], accepted: set[str]) -> Iterator[str]:
    for row in rows:
        if row.end == "sent" and row.message_id not in accepted:
            yield f"LOST: message {row.pk} is marked as sent, and was never accepted."
        elif row.end == "open":
            yield f"LOST: message {row.pk} is still open: {row.answer or 'never tried'}"
        elif row.end == "failed":
            yield f"LOST: message {row.pk} was given up, though nobody refused it for good: {row.answer}"


def _of_journal(journal: Iterable[Acceptance], rows: Sequence[Row], kills: Iterable[Kill]) -> Iterator[str]:
    """What was accepted is marked as sent, save where a kill hit the window and its repeat was refused or needless."""
    sent = {row.message_id for row in rows if row.end == "sent"}
    left = {pk for kill in kills for pk in kill.left}
    excused = {row.to for row in rows if row.pk in left and row.end in {"refused", "cancelled", "unknown"}}
    for mail in journal:
        if mail.message_id not in sent and mail.to not in excused:
            yield f"{mail.message_id} was accepted, and no row says so."


def _of_order(journal: Iterable[Acceptance]) -> Iterator[str]:
    """No update is accepted before the invite that it updates, and no repeat after it."""
    newest: dict[str, int] = {}
    for mail in journal:
        if mail.sequence is None:
            continue
        if mail.sequence < newest.get(mail.uid, 0):
            yield f"{mail.to} was told revision {mail.sequence} after {newest[mail.uid]}."
        newest[mail.uid] = max(mail.sequence, newest.get(mail.uid, 0))


def _of_people(people: Iterable[Person], journal: Iterable[Acceptance], rows: Iterable[Row]) -> Iterator[str]:
    """Everybody was told the newest revision of their entry, unless their server refused a mail for good."""
    told = {(mail.uid, mail.sequence) for mail in journal}
    heard, refused = {mail.to for mail in journal}, {row.to for row in rows if row.end == "refused"}
    for person in people:
        if person.to in refused:
            continue
        if person.to not in heard:
            yield f"LOST: {person.to} was told nothing at all."
        elif person.sequence is not None and (person.uid, person.sequence) not in told:
            yield f"LOST: {person.to} was never told revision {person.sequence}."
