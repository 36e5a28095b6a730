"""An SMTP server that takes every mail and forgets it: python -m benchmarks.sink PORT DELAY_SECONDS."""

import asyncio
import sys

from aiosmtpd.smtp import SMTP, Envelope, Session


class Sink:
    def __init__(self, delay_seconds: float) -> None:
        self.delay_seconds = delay_seconds

    async def handle_DATA(self, _server: SMTP, _session: Session, _envelope: Envelope) -> str:  # noqa: N802 - its name
        if self.delay_seconds:
            await asyncio.sleep(self.delay_seconds)
        return "250 OK"


async def serve(port: int, delay_seconds: float) -> None:
    """Serve until the process is ended."""
    handler = Sink(delay_seconds)
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(handler), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2])))
