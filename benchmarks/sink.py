"""An SMTP server that takes every mail and forgets it: python -m benchmarks.sink PORT DELAY_SECONDS.

As little of one as smtplib needs, so that what is measured is the sender and not the sink.
"""

import asyncio
import sys

END = b"\r\n.\r\n"


async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, delay_seconds: float) -> None:
    """One connection, until it says goodbye or goes."""
    writer.write(b"220 sink\r\n")
    while line := await reader.readline():
        command = line[:4].upper().strip()
        if command == b"DATA":
            writer.write(b"354 Go on\r\n")
            await reader.readuntil(END)
            await asyncio.sleep(delay_seconds)
        writer.write(b"221 Bye\r\n" if command == b"QUIT" else b"250 OK\r\n")
        if command == b"QUIT":
            break
    writer.close()


async def serve(port: int, delay_seconds: float) -> None:
    """Serve until the process is ended."""

    async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer, delay_seconds=delay_seconds)
        except (ConnectionError, asyncio.IncompleteReadError):
            writer.close()  # hung up in the middle, as senders that are stopped do

    server = await asyncio.start_server(visit, "127.0.0.1", port, limit=2**24)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2])))
