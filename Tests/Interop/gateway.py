"""Starts the daemon for one test, and holds it to its contract when the test is over."""

import ftplib
import functools
import os
import pathlib
import re
import select
import signal
import subprocess
import sys
import threading

import proc
from accounts import PASSWORDS
from control import TIMEOUT, Control, client_context, wait_until
from namespaces import cover
from quiet import await_quiet, unread

ROOT = pathlib.Path(__file__).resolve().parents[2]
CLIENTS = ROOT / "Sources/Examples/Clients"
sys.path.append(str(CLIENTS))

import resuming_ftplib  # noqa: E402

BINARY = pathlib.Path(os.environ.get("PORTCULLIS", ROOT / ".build/release/portcullis"))
PAM = ROOT / "pam.d"

# Options of every server, to see whether something else changes with them: NAME=VALUE, and blanks.
EVERYWHERE = dict(word.split("=", 1) for word in os.environ.get("PORTCULLIS_OPTIONS", "").split())

LISTENING = re.compile(r"^listening on (?:\[(?P<v6>[0-9a-f:]+)(?:%\d+)?\]|(?P<v4>[0-9.]+)):(?P<port>\d+)"
                       r"(?:, implicit TLS|, plain FTP)?$")

# Children of the Listener that are no Wardens.
SERVANTS = {"ftps-signer", "ftps-resolver", "ftps-auditor", "ftps-clerk", "ftps-metrics"}


class Daemon:
    """A portcullis process whose output is collected while it runs."""

    def __init__(self, *arguments, cwd=None, log=None, environment=None, covers=None,
                 enter=None):
        """`log` takes what is written to standard error, which is then not collected; where it is no
        file, its reader adds what it has read to `errors`. `covers` has the daemon see some files in
        place of others, and `enter` is called before it is one."""
        self.secrets = []
        self.log_file = log
        self.status = 0
        self.out = []
        self.errors = bytearray()
        self.lock = threading.Lock()
        enter = functools.partial(cover, covers) if covers else enter
        before = {"preexec_fn": enter} if enter else {}
        self.process = subprocess.Popen(
            [str(BINARY), *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=log or subprocess.PIPE, start_new_session=True, cwd=cwd,
            env={**os.environ, **(environment or {})}, **before)
        self.readers = [threading.Thread(target=reader, daemon=True)
                        for reader in (self._read_out, self._read_errors)[:1 if log else 2]]
        for reader in self.readers:
            reader.start()

    def _read_out(self):
        for line in self.process.stdout:
            self.out.append(line.decode("utf-8", "replace").rstrip("\n"))

    def _read_errors(self):
        number = self.process.stderr.fileno()
        while True:
            select.select([number], [], [])
            with self.lock:
                chunk = os.read(number, 65536)
                self.errors += chunk
            if not chunk:
                return

    @property
    def pid(self):
        return self.process.pid

    @property
    def log(self):
        """What the daemon has written once it is quiet: lines about a command come from processes that
        the reply does not wait for, and a reader has to come to them."""
        await_quiet(self._look)
        return self.errors.decode("utf-8", "replace")

    def _look(self):
        with self.lock:
            stream = self.process.stderr
            return len(self.errors), stream is not None and unread(stream)

    def wait_for_line(self, pattern, count=1, seconds=20):
        def search():
            found = [match for line in list(self.out) if (match := re.search(pattern, line))]
            if len(found) >= count:
                return found
            assert self.process.poll() is None, \
                f"ended with {self.process.returncode} before {pattern!r}:\n{self.log}"
            return None
        return wait_until(search, seconds, f"output like {pattern!r} from the daemon")

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def kill(self):
        """SIGKILL for the Listener, and for nobody else."""
        self.process.kill()
        self.process.wait(5)
        self.status = -signal.SIGKILL

    def stop(self, seconds=25):
        """SIGTERM ends it with its status, and nothing of it remains."""
        known = [proc.identity(pid) for pid in [self.pid] + proc.tree(self.pid)]
        if self.process.poll() is None:
            self.terminate()
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._kill()
            raise AssertionError(f"SIGTERM did not end it in {seconds} s:\n{self.log}") from None
        try:
            wait_until(lambda: not self._remains(known), 5, "the end of every process")
        except AssertionError:
            remains = {pid: proc.status(pid) for pid in self._remains(known)}
            self._kill()
            raise AssertionError(f"these processes remain: {remains}") from None
        for reader in self.readers:
            reader.join(5)
        assert status == self.status, f"ended with {status}:\n{self.log}"

    def _remains(self, known):
        alive = {pid for identity in known if identity
                 for pid in [identity[0]] if proc.identity(pid) == identity}
        return alive | set(proc.of_session(self.pid))

    def _kill(self):
        for pid in self._remains([]) | {self.pid}:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait(5)

    def _written(self):
        """What stands in a log that is a file."""
        name = getattr(self.log_file, "name", None)
        if not isinstance(name, str) or not os.path.isfile(name):
            return ""
        return pathlib.Path(name).read_text(encoding="utf-8", errors="replace")

    def check_log(self):
        everything = self.log + "\n".join(self.out) + self._written()
        for secret in {*self.secrets, *PASSWORDS}:
            assert secret not in everything, "a password or a key stands in the output"
        for word in ("Fatal error", "Precondition failed", "Illegal instruction"):
            assert word not in everything, everything


def key_lines(path):
    """The lines of a private key, each of which is secret enough."""
    try:
        text = pathlib.Path(path or "").read_text(encoding="ascii")
    except (OSError, ValueError):
        return []
    keys = re.findall("-----BEGIN [A-Z ]*PRIVATE KEY-----(.*?)-----END", text, re.DOTALL)
    return [line for key in keys for line in key.split() if len(line) > 20]


class Gateway(Daemon):
    """`portcullis serve` on a free port of the loopback, with the certificate of this run."""

    def __init__(self, certificate, options, family=4, config=None, **starting):
        self.certificate = certificate
        self.clients = []
        settings = {
            "listen_port": "0",
            "rsa_cert_file": certificate.chain,
            "rsa_private_key_file": certificate.key,
            "pam_conf_dir": PAM,
            "write_enable": "YES",
            "delay_failed_login": "0",
        }
        if family == 4:
            settings["listen_address"] = "127.0.0.1"
        else:
            settings.update(listen="NO", listen_ipv6="YES", listen_address6="::1")
        settings.update(EVERYWHERE)
        settings.update(options)
        arguments = ["serve"]
        if config:
            arguments += ["--config", str(config)]
        for name, value in settings.items():
            if value is not None:
                arguments += ["--set", f"{name}={value}"]
        super().__init__(*arguments, **starting)
        for name in ("rsa_private_key_file", "ec_private_key_file"):
            self.secrets += key_lines(settings.get(name))
        try:
            found = self.wait_for_line(LISTENING)[0]
        except BaseException:
            # Nobody else knows of it yet.
            self._kill()
            raise
        self.host = found["v6"] or found["v4"]
        self.port = int(found["port"])

    def context(self, version=None, alpn=None):
        return client_context(self.certificate.chain, version, alpn)

    def control(self, source=None, context=None, greet=True):
        client = Control(self.host, self.port, context or self.context(), source, greet)
        client.secrets = self.secrets
        self.clients.append(client)
        return client

    def session(self, account, version=None, source=None, context=None):
        """A control connection that is logged in and protects its data."""
        self.secrets.append(account.password)
        client = self.control(source, context or self.context(version))
        return client.secure().protect().login(account)

    def guess(self, name, source=None, password="wrong"):
        """What is answered to a password."""
        control = self.control(source).secure().protect()
        control.expect(f"USER {name}", 331)
        reply = control.command(f"PASS {password}")
        control.close()
        return reply

    def ftp(self, account, version=None, kind=ftplib.FTP_TLS):
        self.secrets.append(account.password)
        client = kind(context=self.context(version), timeout=TIMEOUT)
        self.clients.append(client)
        client.connect(self.host, self.port)
        client.login(account.name, account.password)
        client.prot_p()
        return client

    def wardens(self):
        return [pid for pid in proc.children(self.pid) if proc.name(pid) not in SERVANTS]

    def signers(self):
        """The processes that keep private keys: one, and older ones whose sessions go on."""
        return [pid for pid in proc.children(self.pid) if proc.name(pid) == "ftps-signer"]

    def close_clients(self):
        for client in self.clients:
            client.close()


class ResumingFTP(resuming_ftplib.ResumingFTP_TLS):
    """The class that users are given, which also tells whether the server resumed."""

    reused = None

    def ntransfercmd(self, cmd, rest=None):
        data, size = super().ntransfercmd(cmd, rest)
        if self._prot_p:
            self.reused = data.session_reused
        return data, size
