"""The clients of all loads: cheap, the same for every server, and in processes of their own."""

import functools
import json
import os
import select
import signal
import socket
import ssl
import threading
import time

from accounting import Failed, end_with_parent
from control import TIMEOUT, Control, client_context

PIECE = 1 << 20
# Seconds without a byte after which everything has arrived.
QUIET = 0.2


class Client(Control):
    """A session that moves bytes without keeping them."""

    @classmethod
    def of(cls, server, context):
        client = cls("127.0.0.1", server.port, context)
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return client

    @classmethod
    def logged_in(cls, server, context):
        client = cls.of(server, context)
        if not server.site.plain:
            client.secure().protect()
        client.expect(f"USER {server.name}", 331)
        client.expect(f"PASS {server.password}", 230)
        client.expect("TYPE I", 200)
        return client

    def quit(self):
        self.expect("QUIT", 221)
        self.close()

    def raw(self, data):
        # Without the list of passwords that the tests keep.
        self.socket.sendall(data)

    def open(self, line, resume):
        """Sends a command about data; the data connection, or None when it is not known."""
        data = self.connect_data()
        data.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        reply = self.command(line)
        if reply.code in (500, 502):
            data.close()
            return None
        assert reply.code in (125, 150), f"{line!r} was answered {reply.text!r}"
        return self.wrap_data(data, resume)

    def download(self, line, resume=True, buffer=None):
        """(bytes, seconds to the first, whether the session was resumed); None: unknown command."""
        start = time.perf_counter()
        # The way to the data connection is part of the time that a user waits.
        data = self.open(line, resume)
        if data is None:
            return None
        buffer = buffer or bytearray(PIECE)
        size, first = 0, None
        while got := data.recv_into(buffer):
            first = first or time.perf_counter() - start
            size += got
        resumed = getattr(data, "session_reused", False)
        end(data)
        self.next(226)
        data.close()
        return size, first or time.perf_counter() - start, bool(resumed)

    def download_without_decrypting(self, line, least):
        """(ciphertext's size, seconds to its end): a client that costs next to nothing."""
        start = time.perf_counter()
        data = self.connect_data()
        self.expect(line, 125, 150)
        came, goes = ssl.MemoryBIO(), ssl.MemoryBIO()
        layer = self.context.wrap_bio(came, goes, server_hostname=self.host)
        size, buffer = 0, bytearray(PIECE)
        while True:
            try:
                layer.do_handshake()
                break
            except ssl.SSLWantReadError:
                data.sendall(goes.read())
                size += came.write(data.recv(PIECE))
        data.sendall(goes.read())
        elapsed = 0
        # A goodbye cannot be told from other ciphertext. Who waits for ours before the connection
        # ends is silent after the last record, and that silence is not counted.
        while select.select([data], [], [], QUIET if size >= least else TIMEOUT)[0]:
            got = data.recv_into(buffer)
            if not got:
                break
            size += got
            elapsed = time.perf_counter() - start
        try:
            layer.unwrap()
        except OSError:
            pass
        try:
            data.sendall(goes.read())
        except OSError:
            # It has ended already.
            pass
        self.next(226)
        data.close()
        return size, elapsed

    def upload(self, line, size, content, resume=True):
        """Whether the session was resumed."""
        data = self.open(line, resume)
        view = memoryview(content)
        while size:
            piece = view[:min(size, len(view))]
            data.sendall(piece)
            size -= len(piece)
        resumed = getattr(data, "session_reused", False)
        end(data)
        self.next(226)
        data.close()
        return bool(resumed)


def end(data):
    """Ends our direction: close_notify, whose answer not every server sends, and FIN."""
    if isinstance(data, ssl.SSLSocket):
        data.setblocking(False)
        while True:
            try:
                data.unwrap()
            except ssl.SSLWantWriteError:
                select.select([], [data], [], TIMEOUT)
                continue
            except OSError:
                # It has been sent; SSLWantReadError tells that there is no answer yet.
                pass
            break
    try:
        data.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def threads(count, work):
    """Runs `work(number)` in so many threads; their results."""
    results, errors = [None] * count, []

    def run(number):
        try:
            results[number] = work(number)
        except BaseException as error:
            errors.append(error)

    running = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(count)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    if errors:
        raise errors[0]
    return results


class Crew:
    """Processes that each run `work(number, context, ready)`; `ready()` waits for the others.

    Inside a `with` block, which ends them whatever happens.
    """

    def __init__(self, ground, count, work, limit):
        self.ground, self.count, self.work = ground, count, work
        self.end = time.monotonic() + limit
        self.members = []

    def __enter__(self):
        for number in range(self.count):
            self.members.append(self._fork(number))
            self.ground.strangers.add(self.members[-1][0])
        return self

    def __exit__(self, *_):
        for pid, hears, tells in self.members:
            os.close(hears)
            os.close(tells)
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            os.waitpid(pid, 0)
            self.ground.strangers.discard(pid)

    def _fork(self, number):
        hears, told = os.pipe()
        hearing, tells = os.pipe()
        pid = os.fork()
        if pid:
            os.close(told)
            os.close(hearing)
            return pid, hears, tells
        try:
            end_with_parent(signal.SIGKILL)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.close(hears)
            os.close(tells)

            def ready():
                os.write(told, b"ready\n")
                os.read(hearing, 1)

            context = client_context(self.ground.certificate.chain)
            answer = {"result": self.work(number, context, ready)}
        except BaseException as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        try:
            text = json.dumps(answer).encode() + b"\n"
            while text:
                text = text[os.write(told, text):]
        finally:
            os._exit(0)

    def _line(self, hears):
        text = b""
        while not text.endswith(b"\n"):
            left = self.end - time.monotonic()
            if left <= 0 or not select.select([hears], [], [], left)[0]:
                raise Failed("no end in time")
            chunk = os.read(hears, 65536)
            if not chunk:
                raise Failed("a client ended without a word")
            text += chunk
        if text != b"ready\n":
            answer = json.loads(text)
            if "error" in answer:
                raise Failed(answer["error"])
            return answer["result"]
        return None

    def await_ready(self):
        """Until everybody has called `ready`, as often as this is called."""
        for _, hears, _ in self.members:
            self._line(hears)

    def go(self):
        for _, _, tells in self.members:
            os.write(tells, b"g")

    def results(self):
        return [self._line(hears) for _, hears, _ in self.members]


def shares(total, count):
    """How many of `total` each of `count` processes takes."""
    return [total // count + (number < total % count) for number in range(count)]


def repeat(seconds, once):
    """Calls `once` until the time is over, and at least one time; how often."""
    stop = time.monotonic() + seconds
    count = 0
    while count == 0 or time.monotonic() < stop:
        once()
        count += 1
    return count


# The cores that the clients and the server share.
PROCESSES = max(2, os.cpu_count() or 2)
spread = functools.partial(shares, count=PROCESSES)
