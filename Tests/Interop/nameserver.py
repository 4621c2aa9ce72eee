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
        # Answers by TCP alone (RFC 7766 section 5), and how often it has.
        self.only_streams = False
        self.streams = 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        # resolv.conf(5) has no port but 53, so the address is the test's own.
        self.host = f"127.53.{random.randrange(256)}.{random.randrange(1, 255)}"
        self.socket.bind((self.host, 53))
        self.listener = socket.create_server((self.host, 53))
        self.threads = [threading.Thread(target=serve, daemon=True)
                        for serve in (self._serve, self._serve_streams)]
        for thread in self.threads:
            thread.start()

    def _serve(self):
        while True:
            query, client = self.socket.recvfrom(2048)
            if not query:
                return
            self.waiting.append((query, client))
            if not self.silent:
                self.answer()

    def _serve_streams(self):
        while True:
            stream, client = self.listener.accept()
            with stream:
                query = stream.recv(2048)
                if not query:
                    return
                response = self._response(query[2:])
                stream.sendall(struct.pack(">H", len(response)) + response)
                self.streams += 1

    def answer(self):
        """Answers what waits; the order of the addresses is another one each time."""
        while self.waiting:
            query, client = self.waiting.pop(0)
            response = self._response(query)
            if self.only_streams:
                response = response[:2] + struct.pack(">HHHHH", 0x8380, 1, 0, 0, 0) + query[12:]
            self.socket.sendto(response, client)
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
        socket.create_connection(self.listener.getsockname()).close()
        for thread in self.threads:
            thread.join(5)
        self.socket.close()
        self.listener.close()
