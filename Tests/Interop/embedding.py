"""Starts the examples: programs that a server is part of."""

import ftplib
import pathlib
import re
import signal
import subprocess
import threading

import proc
from control import TIMEOUT, Control, client_context, wait_until
from gateway import ROOT
from quiet import await_quiet, unread

BUILT = ROOT / ".build/release"
LISTENING = re.compile(r"listening on \[?([0-9a-f.:]+?)\]?:([0-9]+)")


class Example:
    """A running example, with what it has logged."""

    def __init__(self, name, certificate, *arguments, port=0, cwd=None):
        self.certificate = certificate
        self.lines = []
        self.clients = []
        self.process = subprocess.Popen(
            [BUILT / name, str(port), *map(str, arguments)], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace",
            start_new_session=True, cwd=cwd)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.host, self.port = self.wait_for(LISTENING).groups()
        self.host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        self.port = int(self.port)

    def _read(self):
        for line in self.process.stderr:
            self.lines.append(line.rstrip("\n"))

    @property
    def log(self):
        """What the program has written once it is quiet: somebody has to come to read it."""
        if self.process.poll() is not None:
            self.reader.join(5)
            return self._read_so_far()
        await_quiet(lambda: (len(self.lines), unread(self.process.stderr)))
        return self._read_so_far()

    def _read_so_far(self):
        return "\n".join(self.lines)

    def wait_for(self, pattern, seconds=20):
        def search():
            is_over = self.process.poll() is not None
            if is_over:
                self.reader.join(5)
            found = re.search(pattern, self._read_so_far())
            assert found or not is_over, \
                f"ended with {self.process.returncode}:\n{self.log}"
            return found
        return wait_until(search, seconds, f"a line like {pattern!r} in:\n{self._read_so_far()}")

    def context(self, version=None):
        return client_context(self.certificate.chain, version)

    def connect(self, kind=ftplib.FTP_TLS, version=None):
        options = {"context": self.context(version)} if issubclass(kind, ftplib.FTP_TLS) else {}
        client = kind(timeout=TIMEOUT, **options)
        self.clients.append(client)
        client.connect(self.host, self.port)
        return client

    def ftp(self, user="user", password="12345", kind=ftplib.FTP_TLS, version=None):
        client = self.connect(kind, version)
        client.login(user, password)
        if isinstance(client, ftplib.FTP_TLS):
            client.prot_p()
        return client

    def control(self):
        client = Control(self.host, self.port, self.context())
        self.clients.append(client)
        return client

    def children(self):
        return proc.children(self.process.pid)

    def stop(self, number=signal.SIGTERM, seconds=15):
        """Ends it as its user would, and looks whether anything remains."""
        for client in self.clients:
            client.close()
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            self.process.wait(seconds)
            wait_until(lambda: not proc.of_session(self.process.pid), 5, "the end of every process")
        except (subprocess.TimeoutExpired, AssertionError):
            for pid in [*proc.of_session(self.process.pid), self.process.pid]:
                subprocess.run(["kill", "-9", str(pid)], check=False, capture_output=True)
            raise AssertionError(f"it does not end:\n{self.log}") from None
        self.reader.join(5)
        assert "12345" not in self.log


def combined(certificate, directory):
    """One file with the certificate and its key."""
    file = pathlib.Path(directory) / "both.pem"
    file.write_bytes(certificate.chain.read_bytes() + certificate.key.read_bytes())
    file.chmod(0o600)
    return file
