"""What journald is told of each line: how much it matters."""

import os
import re
import subprocess

import pytest

from control import wait_until
from gateway import BINARY

MARKED = re.compile(r"<(?P<priority>[0-7])>\d{4}-\d\d-\d\dT\S+ (?P<level>[a-z]+) portcullis: .*")
PRIORITIES = {"critical": "2", "error": "3", "warning": "4", "notice": "5", "info": "6",
              "debug": "7"}


class Journal:
    """A pipe as standard error, of which the daemon is told that the journal reads it."""

    def __init__(self, number=None):
        self.reader, self.writer = os.pipe()
        facts = os.fstat(self.writer if number is None else number)
        self.environment = {"JOURNAL_STREAM": f"{facts.st_dev}:{facts.st_ino}"}
        self.text = b""
        os.set_blocking(self.reader, False)

    def lines(self):
        try:
            while chunk := os.read(self.reader, 65536):
                self.text += chunk
        except BlockingIOError:
            pass
        return self.text.decode().splitlines()

    def close(self):
        os.close(self.reader)
        os.close(self.writer)


@pytest.fixture
def journal():
    made = Journal()
    yield made
    made.close()


def serve_into(serve, journal, **options):
    gateway = serve(log=journal.writer, environment=journal.environment, **options)
    return gateway


def test_every_line_says_how_much_it_matters(journal, serve, account):
    gateway = serve_into(serve, journal)
    session = gateway.session(account)
    session.store("STOR f", b"content")
    wrong = gateway.control().secure().protect()
    wrong.expect(f"USER {account.name}", 331)
    wrong.expect("PASS wrong-word", 530)
    os.kill(gateway.signers()[0], 9)
    wait_until(lambda: "the process that signs handshakes has ended" in "".join(journal.lines()),
               what="the error")
    levels = set()
    for line in journal.lines():
        match = MARKED.fullmatch(line)
        assert match, line
        assert match["priority"] == PRIORITIES[match["level"]], line
        levels.add(match["level"])
    assert {"info", "notice", "error"} <= levels
    gateway.errors += journal.text


def test_without_a_journal_lines_stand_as_they_are(serve, account, tmp_path):
    # The variable is inherited by whatever a service starts, with another file as standard error.
    with open(tmp_path / "other", "wb") as other:
        made = Journal(other.fileno())
        gateway = serve_into(serve, made)
        gateway.session(account)
        wait_until(lambda: any("login" in line for line in made.lines()), what="the login")
        assert not [line for line in made.lines() if line.startswith("<")]
        gateway.errors += made.text
        made.close()


@pytest.mark.parametrize("value", ["", ":", "1", "1:2:3", "x:y", "-1:-1", "9" * 40 + ":1"])
def test_a_variable_without_sense_is_no_journal(journal, serve, value):
    journal.environment = {"JOURNAL_STREAM": value}
    serve_into(serve, journal, max_clients="0", delay_failed_login="0").stop()
    assert journal.lines() and not [line for line in journal.lines() if line.startswith("<")]


def test_a_configuration_that_cannot_be_used_is_an_error_there(journal):
    done = subprocess.run(
        [str(BINARY), "serve", "--set", "no_such_option=1", "--set", "isolate=NO"],
        stderr=journal.writer, stdin=subprocess.DEVNULL, timeout=30,
        env={**os.environ, **journal.environment}, check=False)
    assert done.returncode == 78
    lines = journal.lines()
    assert lines and {line[:3] for line in lines} == {"<3>"}
    assert any("no_such_option" in line for line in lines)


def test_the_variable_goes_no_further(journal, serve, account):
    gateway = serve_into(serve, journal)
    gateway.session(account)
    for pid in [gateway.pid, *gateway.wardens()]:
        with open(f"/proc/{pid}/environ", "rb") as file:
            assert b"JOURNAL_STREAM" not in file.read()
