"""What our own mail server found out about the sender of a mail (Authentication-Results, RFC 8601)."""

import re

from registrations.inbound.reading import Mail

# What may hold any mark: comments, here without others inside, and quoted words.
_COMMENT = re.compile(r"\([^()]*\)")
# One that is never closed goes to the end: looked for from each of its marks, it would take the square of its length.
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)', re.DOTALL)
# Each pass takes away the innermost; nobody writes them so deep.
_COMMENT_DEPTH = 10
MAX_CHARS = 4_000
_DMARC_FAILED = re.compile(r"dmarc\s*=\s*fail", re.IGNORECASE)


def says_forged(mail: Mail, *, authserv_id: str) -> bool:
    """Whether the server of that name says that its writer is not who they say (DMARC); false without a name.

    Only its topmost word counts: it stands above whatever came with the mail. Where it says nothing, nothing is
    concluded.
    """
    for value in mail.header("Authentication-Results") if authserv_id else []:
        server, *results = _without_words(value).split(";")
        if server.split()[:1] == [authserv_id.lower()]:
            return any(_DMARC_FAILED.match(result.strip()) for result in results)
    return False


def _without_words(value: str) -> str:
    """What is left of it without comments and quoted words, in small letters."""
    bare = _QUOTED.sub(" ", value[:MAX_CHARS])
    for _level in range(_COMMENT_DEPTH):
        bare = _COMMENT.sub(" ", bare)
    return bare.lower()
