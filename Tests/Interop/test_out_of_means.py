"""No descriptor, no process and no memory left: what is refused, and that it comes back."""

import os
import subprocess

import pytest

import proc
from control import Closed, wait_until
from tracing import fails_at, traced
from uploading import attempt, roles
from witness import Witness


def limit(pid, count):
    """Lets a process open no descriptor from a number on."""
    # Root in a container often lacks CAP_SYS_RESOURCE; the process's own ids are enough.
    ids = {name: proc.numbers(proc.status(pid)[f"{name}id"])[0] for name in ("U", "G")}
    subprocess.run(["prlimit", "--pid", str(pid), f"--nofile={count}:"], check=True,
                   user=ids["U"], group=ids["G"], extra_groups=[])


def full(pid):
    """Leaves a process no free descriptor below its highest one but those that it holds."""
    numbers = proc.descriptors(pid)
    limit(pid, next(number for number in range(4096) if number not in numbers))


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", "rb") as file:
        fields = file.read().rpartition(b")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def greeting(gateway):
    """The code of the first reply, or `None` where the server hangs up or says nothing yet."""
    control = gateway.control(greet=False)
    control.socket.settimeout(0.5)
    try:
        return control.reply().code
    except (Closed, OSError):
        return None
    finally:
        control.close()


def test_a_listener_without_descriptors_serves_those_it_has(serve, account):
    gateway = serve()
    session = gateway.session(account)
    full(gateway.pid)
    for _ in range(2):
        assert greeting(gateway) in (None, 421)
    session.store("STOR f", b"content")
    assert session.retrieve("RETR f") == b"content"
    # Waiting for better times costs next to nothing.
    before = cpu_seconds(gateway.pid)
    assert greeting(gateway) in (None, 421)
    assert cpu_seconds(gateway.pid) - before < 0.3
    limit(gateway.pid, 1024)
    wait_until(lambda: greeting(gateway) == 220, what="the next client")
    assert gateway.session(account).alive()
    assert gateway.log.count("Too many open files") == 1


def test_a_session_without_descriptors_says_so_and_ends(serve, account):
    gateway = serve()
    session = gateway.session(account)
    full(roles(gateway)["session"])
    session.expect("PASV", 421)
    assert session.ended()
    wait_until(lambda: not gateway.wardens(), what="the end of the session")
    assert gateway.session(account).alive()


def test_an_agent_without_descriptors_refuses_and_goes_on(serve, account):
    gateway = serve(quota_bytes="10000")
    session = gateway.session(account)
    account.file("f", b"content")
    session.store("STOR g", b"content")
    pid = roles(gateway)["agent"]
    full(pid)
    for line in ("RETR f", "STOR f", "STOR h", "APPE f", "LIST", "NLST", "MLSD"):
        session.passive_port()
        reply = session.command(line)
        assert 400 <= reply.code < 600 and reply.code != 421, reply.text
    session.expect("DELE f", 450, 451, 550)
    assert session.alive()
    limit(pid, 64)
    assert session.retrieve("RETR f") == b"content"
    assert session.store("STOR h", b"x" * 9_000).code == 226


def test_a_warden_without_descriptors_lets_nobody_in(serve, account, tmp_path):
    witness = Witness(tmp_path)
    gateway = serve(pam_conf_dir=witness.directory)
    gateway.secrets.append(account.password)
    control = gateway.control().secure().protect()
    pid, = gateway.wardens()
    # A low limit would do, but poll(2) goes by it as well.
    full = ("-f", "-e", "inject=openat,socket,socketpair,pipe2:error=EMFILE")
    with traced(pid, tmp_path / "calls", *full):
        control.expect(f"USER {account.name}", 331)
        control.expect(f"PASS {account.password}", 530)
    witness.expect(0)
    control.login(account)
    witness.expect(1)
    with traced(pid, tmp_path / "calls", *full):
        control.expect("EPSV", 425)
    assert control.retrieve("NLST") == b""
    control.expect("QUIT", 221)
    witness.expect(0)


def test_without_a_fork_clients_are_turned_away_and_come_again(gateway, account, tmp_path):
    session = gateway.session(account)
    with traced(gateway.pid, tmp_path / "trace", *fails_at("/clone.*", "EAGAIN")):
        for _ in range(3):
            refused = gateway.control(greet=False)
            assert refused.next(421) and refused.ended()
        session.store("STOR f", b"content")
    assert session.retrieve("RETR f") == b"content"
    assert gateway.session(account).alive()
    assert len(gateway.wardens()) == 2


def test_a_warden_that_cannot_fork_ends_its_session_alone(gateway, account, tmp_path):
    session = gateway.session(account)
    # The first fork of every process fails: that of the Listener, and then those of its Wardens.
    with traced(gateway.pid, tmp_path / "trace", "-f", *fails_at("/clone.*", "ENOMEM", "1")):
        assert greeting(gateway) == 421
        for _ in range(2):
            assert greeting(gateway) is None
        session.store("STOR f", b"content")
    wait_until(lambda: len(gateway.wardens()) == 1, what="the end of the others")
    assert gateway.session(account).alive()
    assert "session not started" in gateway.log


def test_a_login_without_an_agent_is_refused(serve, account, tmp_path):
    witness = Witness(tmp_path)
    gateway = serve(pam_conf_dir=witness.directory)
    gateway.secrets.append(account.password)
    control = gateway.control().secure().protect()
    warden, = gateway.wardens()
    # The witness's own program is started by the first one.
    with traced(warden, tmp_path / "trace", *fails_at("/clone.*", "EAGAIN", "2")):
        control.expect(f"USER {account.name}", 331)
        control.expect(f"PASS {account.password}", 530)
    assert "Incorrect" not in gateway.log
    witness.expect(0)
    control.login(account)
    assert control.store("STOR f", b"content").code == 226


@pytest.mark.parametrize("call", ["memfd_create", "socketpair"])
def test_a_listener_without_memory_for_more_goes_on(serve, account, tmp_path, call):
    gateway = serve(quota_bytes="1000")
    with traced(gateway.pid, tmp_path / "trace", *fails_at(call, "ENOMEM")):
        greeted = greeting(gateway)
        if call == "memfd_create":
            # The quota then holds for each session alone.
            session = gateway.session(account)
            assert attempt(session, "STOR f", b"x" * 1001).code == 552
        else:
            assert greeted == 421
    assert gateway.session(account).alive()
