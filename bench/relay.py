"""The floor for bench/pop.py: AMI bytes in, one WebSocket frame out, nothing understood in between.

relay.py AMI_PORT ... ; prints {"ws": ..., "cookies": {}}
"""

import asyncio
import base64
import hashlib
import json
import struct
import sys

MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Out(asyncio.Protocol):
    """The page's socket."""

    page: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep it."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Shake hands; whatever comes later is not for us."""
        if b"Sec-WebSocket-Key" not in data:
            return
        key = data.partition(b"Sec-WebSocket-Key: ")[2].partition(b"\r\n")[0].decode()
        accept = base64.b64encode(hashlib.sha1((key + MAGIC).encode()).digest()).decode()  # noqa: S324 - RFC 6455
        head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        self.transport.write(f"{head}Sec-WebSocket-Accept: {accept}\r\n\r\n".encode())
        Out.page = self.transport


class In(asyncio.Protocol):
    """The AMI socket: a frame for each AgentCalled."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Log in."""
        assert isinstance(transport, asyncio.Transport)
        self.left = b""
        transport.write(b"Action: Login\r\nUsername: x\r\nSecret: x\r\n\r\n")

    def data_received(self, data: bytes) -> None:
        """Pass on."""
        *messages, self.left = (self.left + data).split(b"\r\n\r\n")
        for message in messages:
            if b"Event: AgentCalled" in message and Out.page is not None:
                uid = message.partition(b"\r\nUniqueid: ")[2].partition(b"\r\n")[0].decode()
                body = json.dumps({"type": "card", "card": {"call": f"hq:{uid}"}}).encode()
                Out.page.write(struct.pack("!BB", 0x81, len(body)) + body)


async def main() -> None:
    """Serve until killed."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Out, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    sys.stdout.write(json.dumps({"ws": f"ws://127.0.0.1:{port}/ws", "cookies": {}}) + "\n")
    sys.stdout.flush()
    await loop.create_connection(In, "127.0.0.1", int(sys.argv[1]))
    await asyncio.Event().wait()


asyncio.run(main())
