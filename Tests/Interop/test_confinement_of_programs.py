"""What the kernel lets the processes of a program do that a server is part of, and that keeps its files
in its own way."""

import io

import pytest

import proc
from control import wait_until
from hostile_calls import ANSWERED, EVERYTHING, attempt
from injection import KILLED, Inside, needs_injection
from test_library import example  # noqa: F401

# What files in memory take, and nobody else's Agent has.
ALLOWED = {"ftps-agent": {"keep_a_file_in_memory"}}


@pytest.fixture
def concurrency():
    return "processes"


def process_of(server, role):
    return wait_until(lambda: [pid for pid in proc.tree(server.process.pid)
                               if proc.name(pid) == role], what=role)[0]


@needs_injection
@pytest.mark.parametrize("role", ["ftps-session", "ftps-agent"])
def test_what_a_program_leaves_to_its_processes_is_no_more_than_the_daemon_does(
        example, victim, role):  # noqa: F811
    server = example("InMemoryFileSystem")
    answers, allowed = ANSWERED[role], ALLOWED.get(role, set())
    client = server.ftp()
    with Inside(process_of(server, role)) as process:
        for what, answer in answers.items():
            assert attempt(process, what, victim) == answer, what
        for what in allowed:
            assert isinstance(attempt(process, what, victim), int), what
    assert client.nlst() == []
    client.close()
    for what in sorted(set(EVERYTHING) - set(answers) - allowed):
        wait_until(lambda: len(proc.tree(server.process.pid)) < 3, what="the end of the session")
        client = server.ftp()
        with Inside(process_of(server, role)) as process:
            assert attempt(process, what, victim) == KILLED, what
        client.close()


def test_what_acts_on_files_has_the_accounts_rights_and_hears_of_events_alone(
        example, account):  # noqa: F811
    server = example("MovingUploads", None, account.name)
    server.ftp().storbinary("STOR f", io.BytesIO(b"content"))
    hooks, keeper = (wait_until(lambda: of_name(server, name), what=name)
                     for name in ("ftps-hooks", "ftps-events"))
    wait_until(lambda: proc.status(hooks)["Uid"].split() == [str(account.uid)] * 4, what="its rights")
    status = proc.status(hooks)
    assert {int(status[key], 16) for key in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {0}
    assert proc.numbers(status["Gid"]) == [account.gid] * 4
    assert sorted(proc.numbers(status["Groups"])) == account.groups
    # A channel each, and what hangs up with the last event; neither ports nor clients.
    for pid, most in ((hooks, 1), (keeper, 4)):
        kept = {number: target for number, target in proc.descriptors(pid).items() if number > 2}
        assert len(kept) <= most, kept
        assert all(target.startswith(("socket:", "pipe:")) for target in kept.values()), kept
        assert not proc.internet_states(pid)


def of_name(server, name):
    found = [pid for pid in proc.of_session(server.process.pid) if proc.name(pid) == name]
    return found[0] if found else None
