"""A mailbox that is looked into again and again (IMAP, RFC 9051): for those whose mail server runs no program for us.

What was not taken in yet is what nobody has seen (\\Seen). Two who look at once take the same mail in twice, which
does no harm.
"""

import logging
import ssl
import time
from datetime import datetime
from imaplib import IMAP4
from typing import Any, Protocol

from billiard.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import InterfaceError, OperationalError
from imap_tools import AND, BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted, MailMessageFlags
from imap_tools.errors import ImapToolsError

from registrations.inbound.reading import MAX_BYTES
from registrations.inbound.receiving import receive
from registrations.signup import SignupError

logger = logging.getLogger(__name__)

# For each answer of the server.
TIMEOUT_SECONDS = 20
# In one look. The rest stays unseen until the next, a minute later.
MOST_AT_ONCE = 100
LOOK_SECONDS = 60


class Server(Protocol):
    """Where the mailbox is: what is needed of the setting."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def starttls(self) -> bool: ...
    @property
    def tls_from_the_start(self) -> bool: ...


def look(*, now: datetime) -> int:
    """Take in what nobody has seen in the mailbox of IMAP_URL, and mark it as seen. Returns how many mails.

    What cannot be taken in for now stays unseen: the database is away, or the registration changes all the time.
    Nothing else is looked at twice, whatever it is. A server that does not answer leaves a line in the log. Without
    IMAP_URL there is nothing to do.
    """
    server = settings.IMAP_SERVER
    if server is None:
        return 0
    try:
        with _connected(server) as box:
            log_in = box.login if (server.user + server.password).isascii() else box.login_utf8
            log_in(server.user, server.password, initial_folder=server.folder)
            return _take_in_unseen(box, now)
    except (OSError, IMAP4.error, ImapToolsError) as error:
        logger.warning("The mailbox of IMAP_URL could not be read: %s: %s", type(error).__name__, error)
        return 0


def _connected(server: Server) -> BaseMailBox:
    # Without a context of ours, Python would take any certificate.
    trusted = ssl.create_default_context()
    if server.starttls:
        return MailBoxStartTls(server.host, server.port, timeout=TIMEOUT_SECONDS, ssl_context=trusted)
    if server.tls_from_the_start:
        return MailBox(server.host, server.port, timeout=TIMEOUT_SECONDS, ssl_context=trusted)
    return MailBoxUnencrypted(server.host, server.port, timeout=TIMEOUT_SECONDS)


def _take_in_unseen(box: BaseMailBox, now: datetime) -> int:
    deadline = time.monotonic() + LOOK_SECONDS
    too_large = box.uids(AND(seen=False, size_gt=MAX_BYTES))
    if too_large:
        logger.info("Mails in the mailbox that are too large to be read: %d.", len(too_large))
        box.flag(too_large, MailMessageFlags.SEEN, True)
    taken = 0
    for uid in box.uids(AND(seen=False))[:MOST_AT_ONCE]:
        if time.monotonic() >= deadline:
            break
        if _take_in(box, uid, now):
            box.flag(uid, MailMessageFlags.SEEN, True)
            taken += 1
    return taken


def _take_in(box: BaseMailBox, uid: str, now: datetime) -> bool:
    """Whether that mail is done with; false when it is to be looked at again."""
    raw = _content(box, uid)
    try:
        receive(raw, now=now)
    except SoftTimeLimitExceeded:
        raise
    except (OperationalError, InterfaceError, SignupError) as error:
        logger.warning("Mail %s cannot be taken in now, and stays unseen: %s.", uid, type(error).__name__)
        return False
    except Exception:
        # Whatever it is about this mail, it would be so the next time, and hold up all that come after it.
        logger.exception("Mail %s could not be taken in.", uid)
    return True


def _content(box: BaseMailBox, uid: str) -> bytes:
    """The mail as it is; nothing where another has taken it away meanwhile. Looking does not mark it as seen."""
    _status, answer = box.client.uid("FETCH", uid, "(BODY.PEEK[])")
    parts: list[Any] = answer or []
    return next((bytes(part[1]) for part in parts if isinstance(part, tuple)), b"")
