"""The service of the package, as an administrator has it in hand."""

import json
import pathlib
import re
import shutil
import subprocess

from control import Control, client_context, wait_until

NAME = "portcullis.service"
SOCKETS = ("portcullis.socket", "portcullis-implicit.socket")
CONFIGURATION = pathlib.Path("/etc/portcullis.conf")
GROUP = pathlib.Path(f"/sys/fs/cgroup/system.slice/{NAME}/cgroup.procs")
DROP_INS = pathlib.Path(f"/etc/systemd/system/{NAME}.d")


def run(*words, status=0):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=100)
    if status is not None and done.returncode != status:
        journal = subprocess.run(["journalctl", "--no-pager", "--lines=30"], capture_output=True,
                                 text=True, timeout=60)
        raise AssertionError(f"{words}:\n{done.stdout}{done.stderr}{journal.stdout}")
    return done.stdout


def systemctl(*words, status=0):
    return run("systemctl", "--no-pager", *words, status=status)


class Service:
    def __init__(self, certificate):
        self.certificate = certificate
        self.clients = []
        self.original = CONFIGURATION.read_text()
        self.begin = run("journalctl", "--show-cursor", "--lines=0").split("cursor: ")[1].strip()

    def configure(self, **options):
        """Writes the package's file with other values; later lines hold."""
        options = {"rsa_cert_file": self.certificate.chain, "delay_failed_login": "0",
                   "rsa_private_key_file": self.certificate.key, "write_enable": "YES", **options}
        lines = [f"{name}={value}" for name, value in options.items()]
        names = "|".join(options)
        kept = re.sub(rf"^(?:{names})=.*\n", "", self.original, flags=re.MULTILINE)
        CONFIGURATION.write_text(kept + "\n".join(lines) + "\n")
        return self

    def override(self, text):
        """What `systemctl edit` writes."""
        DROP_INS.mkdir(exist_ok=True)
        (DROP_INS / "test.conf").write_text(f"[Service]\n{text}\n")
        systemctl("daemon-reload")
        return self

    def start(self, **options):
        self.configure(**options)
        systemctl("restart", NAME)
        return self

    def show(self, name):
        return systemctl("show", "--value", "--property", name, NAME).strip()

    @property
    def pid(self):
        return int(self.show("MainPID"))

    def processes(self):
        """Every process of the service, those of before a restart too."""
        try:
            return {int(pid) for pid in GROUP.read_text().split()}
        except OSError:
            return set()

    def control(self, source=None, version=None, port=21, greet=True):
        client = Control("127.0.0.1", port, client_context(self.certificate.chain, version),
                         source, greet)
        self.clients.append(client)
        return client

    def session(self, account, version=None):
        session = self.control(version=version).secure().protect().login(account)
        session.expect("TYPE I", 200)
        return session

    def _entries(self):
        # Matched here: journalctl passes over the first of those that match behind a cursor.
        told = run("journalctl", f"--after-cursor={self.begin}", "--output=json", "--all")
        return [json.loads(line) for line in told.splitlines()]

    def journal(self, priority=7):
        """What it has said since the test began, and systemd about it, as far as it matters that much."""
        return [entry for entry in self._entries() if int(entry.get("PRIORITY", 6)) <= priority
                and NAME in (entry.get("_SYSTEMD_UNIT"), entry.get("UNIT"))]

    def said(self, words, priority=7):
        return [entry for entry in self.journal(priority) if words in entry["MESSAGE"]]

    def filtered(self):
        """What the kernel has said of processes that a filter of system calls ended (AUDIT_SECCOMP)."""
        return [entry["MESSAGE"] for entry in self._entries()
                if entry.get("_TRANSPORT") in ("kernel", "audit") and "1326" in entry["MESSAGE"]]

    def forget(self):
        """Leaves the machine as the package has made it."""
        for client in self.clients:
            client.close()
        systemctl("stop", *SOCKETS, NAME)
        systemctl("kill", "--signal=KILL", NAME, status=None)
        wait_until(lambda: not self.processes(), 20, "the end of the service")
        CONFIGURATION.write_text(self.original)
        shutil.rmtree(DROP_INS, ignore_errors=True)
        systemctl("daemon-reload")
        systemctl("reset-failed", NAME, status=None)
        assert not self.filtered()
