"""What a service manager is told: a socket of the test's takes the place of systemd's."""

import os
import pathlib
import signal
import socket
import time

import pytest

import proc
from control import wait_until

SECONDS = 20


class Manager:
    """The end of NOTIFY_SOCKET that systemd would have."""

    def __init__(self, name):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + name[1:] if name.startswith("@") else name)
        self.socket.settimeout(SECONDS)
        self.environment = {"NOTIFY_SOCKET": name}

    def next(self):
        """One message, as its assignments."""
        text = self.socket.recv(4096).decode()
        return dict(line.split("=", 1) for line in text.splitlines())

    def until(self, name):
        """The messages up to one that assigns this."""
        seen = []
        while not seen or name not in seen[-1]:
            seen.append(self.next())
        return seen


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path):
    name = str(tmp_path / "notify") if request.param == "path" else f"@portcullis-{os.getpid()}"
    made = Manager(name)
    yield made
    made.socket.close()


def test_it_is_ready_when_clients_are_served(serve, manager):
    gateway = serve(environment=manager.environment)
    assert manager.next() == {"READY": "1", "STATUS": "connections: 0"}
    gateway.control().expect("NOOP", 200, 530)


def test_a_reload_begins_and_ends(serve, manager):
    gateway = serve(environment=manager.environment)
    manager.until("READY")
    before = time_in_microseconds()
    gateway.process.send_signal(signal.SIGHUP)
    begin = manager.next()
    assert begin["RELOADING"] == "1"
    assert before <= int(begin["MONOTONIC_USEC"]) <= time_in_microseconds()
    assert manager.next()["READY"] == "1"
    assert "certificates loaded" in gateway.log


def test_a_reload_that_fails_ends_too_and_the_server_goes_on(serve, manager, certificate, tmp_path):
    key = tmp_path / "key"
    key.write_bytes(certificate.key.read_bytes())
    key.chmod(0o600)
    gateway = serve(environment=manager.environment, rsa_private_key_file=key)
    manager.until("READY")
    key.write_bytes(b"broken")
    gateway.process.send_signal(signal.SIGHUP)
    assert manager.next()["RELOADING"] == "1" and manager.next()["READY"] == "1"
    wait_until(lambda: "the old ones stay" in gateway.log, what="the failure")
    gateway.control().secure()


def test_the_end_is_told_with_the_time_that_it_may_take(serve, manager, account):
    gateway = serve(environment=manager.environment, shutdown_timeout="100")
    manager.until("READY")
    session = gateway.session(account)
    data = session.connect_data()
    session.expect("STOR there", 150)
    gateway.terminate()
    end = manager.next()
    assert end["STOPPING"] == "1" and end["STATUS"] == "ending, connections: 1"
    # A service manager that waits for less would end the transfer.
    assert int(end["EXTEND_TIMEOUT_USEC"]) > 100_000_000
    data = session.wrap_data(data)
    data.sendall(b"content")
    data.unwrap()
    data.close()
    session.next(226)


def test_signs_of_life_come_while_there_is_life(serve, manager):
    gateway = serve(environment={**manager.environment, "WATCHDOG_USEC": "400000"})
    manager.until("READY")
    for _ in range(3):
        assert manager.next()["WATCHDOG"] == "1"
    gateway.control()
    while manager.until("WATCHDOG")[-1]["STATUS"] != "connections: 1":
        pass
    # A process that hangs gives none.
    os.kill(gateway.pid, signal.SIGSTOP)
    try:
        wait_until(lambda: proc.stat(gateway.pid)[2] == "T", what="the stop")
        manager.socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            while True:
                manager.next()
        manager.socket.settimeout(2)
        with pytest.raises(TimeoutError):
            manager.next()
    finally:
        os.kill(gateway.pid, signal.SIGCONT)
    manager.socket.settimeout(SECONDS)
    manager.until("WATCHDOG")


def test_signs_that_another_process_is_to_give_are_left_to_it(serve, manager):
    gateway = serve(environment={
        **manager.environment, "WATCHDOG_USEC": "200000", "WATCHDOG_PID": str(os.getpid())})
    manager.until("READY")
    manager.socket.settimeout(1)
    with pytest.raises(TimeoutError):
        manager.next()
    assert gateway.control().alive()


def test_nobody_but_the_first_process_has_the_socket(serve, account, tmp_path):
    name = str(tmp_path / "notify")
    made = Manager(name)
    with made.socket:
        gateway = serve(environment=made.environment)
        made.until("READY")
        session = gateway.session(account)
        mine = inodes(gateway.pid, datagram_sockets())
        assert len(mine) == 1
        children = proc.tree(gateway.pid)
        assert len(children) >= 4
        for pid in children:
            if pid != gateway.pid:
                assert not inodes(pid, mine), proc.name(pid)
        assert session.alive()


@pytest.mark.parametrize("value", ["", "relative", "/nonexistent/socket", "@nobody-is-there",
                                   "/" + "x" * 200])
def test_a_service_manager_that_is_not_there_keeps_nobody_waiting(serve, account, value):
    gateway = serve(environment={"NOTIFY_SOCKET": value, "WATCHDOG_USEC": "100000"})
    gateway.session(account).store("STOR there", b"content")


def test_a_service_manager_that_reads_nothing_keeps_nobody_waiting(serve, account, tmp_path):
    made = Manager(str(tmp_path / "notify"))
    with made.socket:
        gateway = serve(environment={**made.environment, "WATCHDOG_USEC": "2000"})
        session = gateway.session(account)
        # The queue is full after some hundred signs at most.
        for number in range(20):
            session.store(f"STOR f{number}", b"content")
        assert made.next()["READY"] == "1"


def time_in_microseconds():
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000


def datagram_sockets():
    """The inodes of datagram sockets of the Unix family."""
    lines = pathlib.Path("/proc/net/unix").read_text().splitlines()[1:]
    return {line.split()[6] for line in lines if line.split()[4] == "0002"}


def inodes(pid, wanted):
    """Which of these sockets the process has."""
    found = set()
    for path in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            name = os.readlink(path)
        except OSError:
            continue
        if name.startswith("socket:[") and name[8:-1] in wanted:
            found.add(name[8:-1])
    return found
