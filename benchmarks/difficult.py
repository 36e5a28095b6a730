"""An SMTP server that is difficult: python -m benchmarks.difficult PORT JOURNAL SEED

What it accepts stands in the journal, a line of JSON each, on disk before it answers 250. Of a hundred mails it answers
some with 421, 451 or 550, and some with nothing at all; those it has not accepted. TERM ends it between two answers.
"""

import asyncio
import email
import json
import os
import random
import re
import signal
import sys
import time
from dataclasses import asdict
from email.message import Message
from pathlib import Path
from typing import IO

from aiosmtpd.smtp import SMTP, Envelope, Session

from benchmarks.reckoning import Acceptance

# Of a hundred mails. Each trouble comes at RCPT or at DATA, by the toss of a coin.
TROUBLES = {"421 Too busy": 2.0, "451 Try again later": 4.0, "550 No such user": 1.0, "": 0.7}
# What it thinks about a mail, at most.
THINKS_SECONDS = 0.02
HANGS_SECONDS = 3600


class Difficult:
    """aiosmtpd calls these. One for all connections."""

    def __init__(self, journal: IO[str], seed: int) -> None:
        self._journal = journal
        self._random = random.Random(seed)

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        trouble = self._trouble()
        is_early = self._random.random() < 0.5
        if trouble is not None and is_early:
            return await self._be_difficult(trouble)
        session.trouble = trouble  # type: ignore[attr-defined] # until this mail's DATA
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        await asyncio.sleep(self._random.random() * THINKS_SECONDS)
        trouble = session.trouble  # type: ignore[attr-defined]
        if trouble is not None:
            return await self._be_difficult(trouble)
        self._journal.write(json.dumps(asdict(_read(envelope))) + "\n")
        self._journal.flush()
        os.fsync(self._journal.fileno())
        return "250 OK"

    def _trouble(self) -> str | None:
        drawn = self._random.random() * 100
        for reply, share in TROUBLES.items():
            drawn -= share
            if drawn < 0:
                return reply
        return None

    @staticmethod
    async def _be_difficult(reply: str) -> str:
        if not reply:
            # Cancelled when the other side has had enough.
            await asyncio.sleep(HANGS_SECONDS)
        return reply or "421 Sorry"


def _read(envelope: Envelope) -> Acceptance:
    content = envelope.content
    mail = email.message_from_bytes(content if isinstance(content, bytes) else b"")
    invite = next((part for part in mail.walk() if part.get_content_type() == "text/calendar"), None)
    uid, sequence = ("", None) if invite is None else _revision(invite)
    return Acceptance(time.time(), str(mail["Message-ID"]), envelope.rcpt_tos[0], uid, sequence)


def _revision(part: Message) -> tuple[str, int | None]:
    """UID and SEQUENCE of a calendar part."""
    payload = part.get_payload(decode=True)
    lines = (payload if isinstance(payload, bytes) else b"").replace(b"\r\n ", b"").decode()
    uid = re.search(r"(?m)^UID:(\S+)", lines)
    sequence = re.search(r"(?m)^SEQUENCE:(\d+)", lines)
    return uid[1] if uid else "", int(sequence[1]) if sequence else None


async def serve(port: int, journal: IO[str], seed: int) -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    handler = Difficult(journal, seed)
    async with await loop.create_server(lambda: SMTP(handler, loop=loop), "127.0.0.1", port):
        await ended.wait()


if __name__ == "__main__":
    with Path(sys.argv[2]).open("a") as kept:
        asyncio.run(serve(int(sys.argv[1]), kept, int(sys.argv[3])))
