"""A control connection whose every byte is ours to choose, in clear and under TLS."""

import re
import socket
import ssl
import time
from typing import NamedTuple

TIMEOUT = 20
VERSIONS = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}

# What a client sent as a password, well or badly typed; shorter ones are like many other words.
PASSWORD = re.compile(rb"^[^\w\n]*(?:PASS|ACCT)[^\w\n]*?([^\s\0]{8,})\r?$",
                      re.IGNORECASE | re.MULTILINE)


class Reply(NamedTuple):
    code: int
    lines: list

    @property
    def text(self):
        return "\n".join(self.lines)


class Closed(Exception):
    """The server closed the control connection where a reply was expected."""


def client_context(certificate, version=None, alpn=None):
    """A verifying TLS client that trusts only the certificate of this run."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(certificate)
    # Python takes any end of a connection for a clean one unless it is told not to.
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    if version:
        context.minimum_version = context.maximum_version = VERSIONS[version]
    if alpn:
        context.set_alpn_protocols(alpn)
    return context


def read_all(data):
    """Everything up to the end; a missing close_notify raises under TLS."""
    content = bytearray()
    while True:
        chunk = data.recv(1 << 18)
        if not chunk:
            return bytes(content)
        content += chunk


class Control:
    def __init__(self, host, port, context, source=None, greet=True):
        self.host = host
        self.context = context
        self.pending = b""
        self.protected = False
        self.source = source
        # Every password that was sent, for whoever looks for them afterwards.
        self.secrets = []
        self.socket = socket.create_connection(
            (host, port), TIMEOUT, source_address=(source, 0) if source else None)
        self.greeting = self.reply() if greet else None

    # Bytes and lines.

    def raw(self, data):
        self.secrets += [word.decode("utf-8", "replace") for word in PASSWORD.findall(data)]
        self.socket.sendall(data)

    def send(self, line):
        self.raw((line.encode() if isinstance(line, str) else line) + b"\r\n")

    def line(self):
        while b"\n" not in self.pending:
            try:
                chunk = self.socket.recv(65536)
            except (ConnectionError, ssl.SSLError) as error:
                raise Closed(str(error)) from error
            if not chunk:
                raise Closed(repr(self.pending))
            self.pending += chunk
        line, _, self.pending = self.pending.partition(b"\n")
        assert line.endswith(b"\r"), f"a reply line without CR: {line!r}"
        # Names need not be UTF-8; surrogateescape gives their bytes back.
        return line[:-1].decode("utf-8", "surrogateescape")

    def reply(self):
        """The next whole reply, RFC 959 section 4.2."""
        first = self.line()
        assert re.match(r"[1-5][0-9][0-9][ -]", first), f"not a reply: {first!r}"
        lines = [first]
        if first[3] == "-":
            while not lines[-1].startswith(first[:3] + " "):
                lines.append(self.line())
        return Reply(int(first[:3]), lines)

    def command(self, line):
        self.send(line)
        return self.reply()

    def expect(self, line, *codes):
        reply = self.command(line)
        assert reply.code in codes, f"{line!r} was answered {reply.text!r}, expected {codes}"
        return reply

    def next(self, *codes):
        reply = self.reply()
        assert reply.code in codes, f"{reply.text!r}, expected {codes}"
        return reply

    def silent(self, seconds):
        """True when nothing arrives for a while."""
        if self.pending:
            return False
        self.socket.settimeout(seconds)
        try:
            self.pending += self.socket.recv(65536)
            return False
        except (TimeoutError, ssl.SSLWantReadError):
            return True
        finally:
            self.socket.settimeout(TIMEOUT)

    def ended(self, *last_words):
        """True when the server closes; on the way only replies with the given codes may come."""
        try:
            while True:
                reply = self.reply()
                assert reply.code in last_words, f"unexpected last words {reply.text!r}"
        except Closed:
            return True

    def alive(self):
        self.expect("NOOP", 200)
        return True

    def close(self):
        self.socket.close()

    # TLS and login.

    def handshake(self, context=None, session=None):
        self.context = context or self.context
        self.pending = b""
        self.socket = self.context.wrap_socket(
            self.socket, server_hostname=self.host, session=session)
        return self

    def secure(self, mechanism="TLS", context=None, session=None):
        self.expect(f"AUTH {mechanism}", 234)
        return self.handshake(context, session)

    def protect(self):
        self.expect("PBSZ 0", 200)
        self.expect("PROT P", 200)
        self.protected = True
        return self

    def login(self, account):
        self.expect(f"USER {account.name}", 331)
        self.expect(f"PASS {account.password}", 230)
        return self

    # Data connections.

    def passive_port(self, command="EPSV"):
        if command == "EPSV":
            reply = self.expect("EPSV", 229)
            found = re.search(r"\(\|\|\|(\d+)\|\)", reply.text)
            assert found, reply.text
            return int(found.group(1))
        reply = self.expect("PASV", 227)
        found = re.search(r"(\d+),(\d+),(\d+),(\d+),(\d+),(\d+)", reply.text)
        assert found, reply.text
        return int(found.group(5)) * 256 + int(found.group(6))

    def connect_data(self, port=None, command="EPSV", source=None):
        if port is None:
            port = self.passive_port(command)
        source = source or self.source
        return socket.create_connection(
            (self.host, port), TIMEOUT, source_address=(source, 0) if source else None)

    def wrap_data(self, data, resume=False, session=None, context=None):
        if resume:
            session = self.socket.session
        if not self.protected:
            return data
        return (context or self.context).wrap_socket(
            data, server_hostname=self.host, session=session, suppress_ragged_eofs=False)

    def retrieve(self, line, command="EPSV", resume=False, source=None, port=None):
        """Runs a command that sends data to us; its content."""
        data = self.connect_data(port, command, source)
        try:
            self.expect(line, 125, 150)
            data = self.wrap_data(data, resume)
            content = read_all(data)
            finish(data)
        finally:
            data.close()
        self.next(226)
        return content

    def store(self, line, content, command="EPSV", resume=False):
        """Runs a command that takes data from us; its last reply."""
        data = self.connect_data(command=command)
        try:
            self.first = self.expect(line, 125, 150)
            data = self.wrap_data(data, resume)
            data.sendall(content)
            finish(data)
        finally:
            data.close()
        return self.next(226)


def finish(data):
    """Ends our side of a data connection in order: close_notify both ways under TLS, then FIN."""
    if isinstance(data, ssl.SSLSocket):
        data = data.unwrap()
    data.close()


def wait_until(condition, seconds=10, what="the condition"):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"{what} did not come true in {seconds} s")
