"""A name server on this machine, for tests: it knows what it is told, and can be difficult."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.resolver
import dns.rrset
import pytest


@dataclass
class NameServer:
    """Answers over UDP (RFC 1035) in a thread of its own."""

    endpoint: socket.socket
    records: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    # Names for which it says that it has failed, and those for which it says nothing at all.
    fails: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    is_over: bool = False

    @property
    def resolver(self) -> dns.resolver.Resolver:
        """One that asks nobody else."""
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers = ["127.0.0.1"]
        resolver.port = self.endpoint.getsockname()[1]
        return resolver

    def knows(self, name: str, kind: str, *values: str) -> None:
        """Give a name records, in the words of a zone file; texts without their quotation marks."""
        self.records[(name, kind)] = [_quoted(value) if kind == "TXT" else value for value in values]

    def run(self) -> None:
        while True:
            question, address = self.endpoint.recvfrom(4096)
            if self.is_over:
                return
            answer = self._answer(dns.message.from_wire(question))
            if answer is not None:
                self.endpoint.sendto(answer.to_wire(), address)

    def _answer(self, query: dns.message.Message) -> dns.message.Message | None:
        question = query.question[0]
        name, kind = question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype)
        self.asked.append(f"{name} {kind}")
        if name in self.silent:
            return None
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        if name in self.fails:
            response.set_rcode(dns.rcode.SERVFAIL)
        elif (name, kind) in self.records:
            response.answer.append(dns.rrset.from_text_list(question.name, 60, "IN", kind, self.records[(name, kind)]))
        elif not any(known == name or known.endswith(f".{name}") for known, _kind in self.records):
            response.set_rcode(dns.rcode.NXDOMAIN)
        return response


def _quoted(text: str) -> str:
    """In pieces of at most 255 octets, as TXT records have them."""
    pieces = [text[start : start + 200] for start in range(0, len(text), 200)] or [""]
    return " ".join(f'"{piece}"' for piece in pieces)


@pytest.fixture
def name_server() -> Iterator[NameServer]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as endpoint:
        endpoint.bind(("127.0.0.1", 0))
        server = NameServer(endpoint)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        yield server
        # Closing would leave the thread waiting for a datagram: this one ends it.
        server.is_over = True
        endpoint.sendto(b"", endpoint.getsockname())
        thread.join()
