"""What mail providers hand on is parsed by anymail before we see it: within the bounds that `reading` has.

Anymail parses with Python's newer policy, which takes apart each MIME header in time that grows with the square of its
length: one mail of a stranger would hold a thread of the web server for hours.
"""

from collections.abc import Iterable
from email.parser import BytesParser
from email.policy import EmailPolicy

from anymail.inbound import AnymailInboundMessage

from registrations.inbound.reading import IgnoredError, require_bounds

# Nobody needs more of one, and this much takes no time to speak of.
MAX_HEADER_CHARS = 1_000


class _CuttingPolicy(EmailPolicy):
    """Python's own policy for headers of ordinary length; the rest of longer ones is cut off."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:MAX_HEADER_CHARS]


_POLICY = _CuttingPolicy()


def bound_parsing() -> None:
    """From now on anymail parses within bounds; what is beyond them becomes an empty mail. May run twice."""
    AnymailInboundMessage.parse_raw_mime_bytes = classmethod(_parse)
    AnymailInboundMessage.parse_raw_mime_chunks = classmethod(_parse_chunks)


def _parse(kind: type[AnymailInboundMessage], raw: bytes) -> AnymailInboundMessage:
    try:
        require_bounds(raw)
    except IgnoredError:
        raw = b""
    return BytesParser(kind, policy=_POLICY).parsebytes(raw)


def _parse_chunks(kind: type[AnymailInboundMessage], chunks: Iterable[bytes]) -> AnymailInboundMessage:
    return _parse(kind, b"".join(chunk for chunk in chunks if chunk))
