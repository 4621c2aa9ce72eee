"""A name server of a test, which answers, answers late, or keeps silent."""

import collections
import random
import socket
import struct
import threading


class NameServer:
    """Knows one name, whatever is asked; without addresses it does not exist."""

    def __init__(self, *addresses):
        self.addresses = collections.deque(addresses)
        self.silent = False
        # Queries that were asked and not answered, in the order in which they came.
        self.waiting = []
        self.answered = 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        # resolv.conf(5) has no port but 53, so the address is the test's own.
        self.host = f"127.53.{random.randrange(256)}.{random.randrange(1, 255)}"
        self.socket.bind((self.host, 53))
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        while True:
            query, client = self.socket.recvfrom(2048)
            if not query:
                return
            self.waiting.append((query, client))
            if not self.silent:
                self.answer()

    def answer(self):
        """Answers what waits; the order of the addresses is another one each time."""
        while self.waiting:
            query, client = self.waiting.pop(0)
            self.socket.sendto(self._response(query), client)
            self.addresses.rotate()
            self.answered += 1

    def _response(self, query):
        # RFC 1035 section 4.1: the name ends with an empty label, and type and class follow.
        question = query[12:query.index(b"\0", 12) + 5]
        flags = 0x8180 if self.addresses else 0x8183
        header = query[:2] + struct.pack(">HHHHH", flags, 1, len(self.addresses), 0, 0)
        return header + question + b"".join(
            struct.pack(">HHHIH", 0xC00C, 1, 1, 0, 4) + socket.inet_aton(address)
            for address in self.addresses)

    def tell(self, *addresses):
        """From now on these are the addresses."""
        self.addresses = collections.deque(addresses)

    def close(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
            own.sendto(b"", self.socket.getsockname())
        self.thread.join(5)
        self.socket.close()
