"""SIGKILL for one process of a session at any point, and what is left of it (FIELD.md D7, E8)."""

import contextlib
import os
import re
import signal
import socket

import pytest

import proc
import uploading
from control import Closed, finish, read_all, wait_until
from injection import copies_of_sockets
from tracing import calls, kills_at, traced
from uploading import kill
from witness import Witness

OLD, NEW = b"the old content", b"the new one " * 5_000

# Replies to what a killed process had a part in.
FAILED = {421, 425, 426, 450, 451, 530, 550, 553}


class Sessions:
    """A gateway whose sessions are killed, and what must hold after each of them."""

    def __init__(self, gateway, account, witness):
        self.gateway = gateway
        self.account = account
        self.witness = witness
        self.kept = []

    def begin(self):
        """A new session and its processes; nothing is open of the last one."""
        self.witness.forget()
        session = self.gateway.session(self.account)
        return session, self.roles()

    def roles(self):
        warden, = [pid for pid in self.gateway.wardens() if pid not in self.kept]
        return {"warden": warden} | {
            proc.name(pid).removeprefix("ftps-"): pid for pid in proc.children(warden)}

    def keep(self, session):
        """A session that goes on beside those that are killed."""
        self.kept = self.gateway.wardens()
        return session

    def end(self):
        """Waits until nothing is left of a session: no process, and so no port and no lock."""
        wait_until(lambda: self.gateway.wardens() == self.kept, what="the end of the session")
        # Those whose parent is gone are nobody's children.
        wait_until(lambda: set(proc.of_session(self.gateway.pid)) == self.lasting(),
                   what="the end of every process")
        self.witness.expect(0)

    def lasting(self):
        """The processes that go on without the session."""
        lasting = {self.gateway.pid, *self.gateway.signers(), *self.kept}
        return lasting.union(*(proc.tree(pid) for pid in self.kept))

    def kill_everywhere(self, role, report, act, check, prepare=lambda: None, step=1):
        """Has a process killed at each of the calls that it makes while a client acts.

        `act` is given the session and returns the codes of all replies, and `check` these codes.
        """
        prepare()
        session, processes = self.begin()
        with traced(processes[role], report):
            codes = act(session)
            assert codes and codes[-1] < 400, codes
            check(codes)
            leave(session)
            self.end()
        points = calls(report)[::step]
        killed = 0
        for point in points:
            prepare()
            session, processes = self.begin()
            with traced(processes[role], report, *kills_at(point)):
                codes = act(session)
                leave(session)
                self.end()
            killed += "killed by SIGKILL" in report.read_text()
            try:
                check(codes)
            except AssertionError as error:
                raise AssertionError(f"{role} killed at {point}: {codes}") from error
        # Now and then a process gets by with fewer calls.
        assert killed >= max(3, len(points) // 2)


@pytest.fixture
def sessions(serve, account, root, tmp_path):
    def start(**options):
        witness = Witness(tmp_path)
        return Sessions(serve(pam_conf_dir=witness.directory, **options), account, witness)
    return start


# What clients do, until they have all replies or none comes any more.


def leave(session):
    with contextlib.suppress(OSError, Closed):
        session.send("QUIT")
        while True:
            session.reply()
    session.close()


def commands(*lines):
    def act(session):
        codes = []
        with contextlib.suppress(OSError, Closed):
            for line in lines:
                codes.append(session.command(line).code)
                if codes[-1] >= 400:
                    break
        return codes
    return act


def transfer(line, move):
    """`move` is given the data connection."""
    def act(session):
        codes = []
        data = None
        with contextlib.suppress(OSError, Closed):
            session.send("EPSV")
            answer = session.reply()
            codes.append(answer.code)
            if answer.code == 229:
                data = session.connect_data(int(re.search(r"\|(\d+)\|", answer.text)[1]))
                session.send(line)
                codes.append(session.reply().code)
                if codes[-1] == 150:
                    data = session.wrap_data(data)
                    move(data)
        # The client reads on, even when its data connection has broken.
        with contextlib.suppress(OSError, Closed):
            while codes[-1:] != [226]:
                codes.append(session.reply().code)
        if data:
            data.close()
        return codes
    return act


def upload(line):
    def move(data):
        data.sendall(NEW)
        finish(data)
    return transfer(line, move)


def only_failures(codes):
    assert set(codes) <= {229, 150, 350} | FAILED, codes


# Uploads.


@pytest.mark.parametrize("role, step", [("agent", 1), ("session", 4), ("warden", 4)])
def test_an_atomic_upload_is_whole_or_never_was(sessions, account, tmp_path, role, step):
    def check(codes):
        content = (account.home / "f").read_bytes()
        if 226 in codes:
            assert content == NEW
        else:
            only_failures(codes)
            assert content in (OLD, NEW)
        # Neither a part nor anything else.
        assert os.listdir(account.home) == ["f"]

    sessions(atomic_uploads="YES", fsync_uploads="YES").kill_everywhere(
        role, tmp_path / "trace", upload("STOR f"), check,
        prepare=lambda: account.file("f", OLD), step=step)


@pytest.mark.parametrize("role, step", [("agent", 2), ("session", 6)])
def test_an_upload_in_place_is_not_acknowledged_before_it_is_whole(
        sessions, account, tmp_path, role, step):
    def check(codes):
        names = os.listdir(account.home)
        if 226 in codes:
            assert names == ["f"] and (account.home / "f").read_bytes() == NEW
        else:
            only_failures(codes)
            # `delete_failed_uploads` holds whoever is killed; between the making of a file and
            # the note of it the empty file stays.
            assert names == [] or (account.home / "f").read_bytes() in (b"", NEW)

    sessions(delete_failed_uploads="YES", fsync_uploads="YES").kill_everywhere(
        role, tmp_path / "trace", upload("STOR f"), check,
        prepare=lambda: (account.home / "f").unlink(missing_ok=True), step=step)


def test_an_append_keeps_what_was_there(sessions, account, tmp_path):
    def check(codes):
        content = (account.home / "f").read_bytes()
        if 226 in codes:
            assert content == OLD + NEW
        else:
            only_failures(codes)
            assert content.startswith(OLD) and (OLD + NEW).startswith(content)

    sessions().kill_everywhere("agent", tmp_path / "trace", upload("APPE f"), check,
                               prepare=lambda: account.file("f", OLD), step=2)


def used(session):
    """(bytes, files) as SITE QUOTA tells them."""
    text = session.expect("SITE QUOTA", 211).text
    return tuple(int(line.split()[0]) for line in text.splitlines() if " used" in line)


@pytest.mark.parametrize("atomic", ["YES", "NO"])
def test_a_quota_is_right_although_others_of_the_user_go_on(sessions, account, tmp_path, atomic):
    made = sessions(atomic_uploads=atomic, quota_bytes="1000000", quota_files="10",
                    delete_failed_uploads="YES")
    other = made.keep(made.gateway.session(account))

    def prepare():
        other.store("STOR f", OLD)

    def check(_):
        files = [path.stat().st_size for path in account.home.iterdir()]
        assert used(other) == (sum(files), len(files))

    made.kill_everywhere("agent", tmp_path / "trace", upload("STOR f"), check, prepare, step=2)


# What is no upload.


def test_a_download_that_is_called_whole_is(sessions, account, tmp_path):
    account.file("f", NEW)
    received = []

    def move(data):
        received.clear()
        received.append(read_all(data))
        finish(data)

    def check(codes):
        # An end without close_notify has raised.
        assert not received or received[0] == NEW
        if 226 in codes:
            assert received
        else:
            only_failures(codes)
        received.clear()

    made = sessions()
    for role, step in (("session", 5), ("agent", 1)):
        made.kill_everywhere(role, tmp_path / "trace", transfer("RETR f", move), check, step=step)


@pytest.mark.parametrize("line", ["LIST", "MLSD"])
def test_a_listing_that_is_called_whole_is(sessions, account, tmp_path, line):
    names = {f"file {number}".encode() for number in range(300)}
    for name in names:
        account.file(name.decode())
    received = []

    def move(data):
        received.clear()
        received.append(read_all(data))
        finish(data)

    def check(codes):
        if 226 in codes:
            assert received and {name for name in names if name in received[0]} == names
        else:
            only_failures(codes)
        assert not received or received[0].count(b"\n") >= len(names)
        received.clear()

    # A look at each of the files is a call.
    sessions().kill_everywhere("agent", tmp_path / "trace", transfer(line, move), check, step=30)


def test_a_name_is_the_old_or_the_new_one(sessions, account, tmp_path):
    def prepare():
        account.empty()
        account.file("f", OLD)

    def check(codes):
        found = os.listdir(account.home)
        assert found == (["g"] if 250 in codes else found) and found in (["f"], ["g"])
        assert (account.home / found[0]).read_bytes() == OLD

    made = sessions()
    for role, step in (("agent", 1), ("session", 4)):
        made.kill_everywhere(role, tmp_path / "trace", commands("RNFR f", "RNTO g"), check,
                             prepare, step)


@pytest.mark.parametrize("role, step", [("warden", 8), ("session", 4)])
def test_nobody_stays_logged_in_halfway(sessions, account, tmp_path, role, step):
    made = sessions()
    log_in = commands(f"USER {account.name}", f"PASS {account.password}")
    report = tmp_path / "trace"

    def once(*rules):
        made.witness.forget()
        control = made.gateway.control().secure()
        with traced(made.roles()[role], report, *rules):
            codes = log_in(control)
            leave(control)
            made.end()
        return codes

    assert once() == [331, 230]
    points = calls(report)[::step]
    for point in points:
        codes = once(*kills_at(point))
        assert set(codes) <= {331, 230, 421}, (point, codes)


@pytest.mark.parametrize("role", ["session", "agent", "warden"])
def test_a_port_that_waits_for_its_client_is_closed(sessions, role):
    made = sessions()
    session, processes = made.begin()
    port = session.passive_port()
    socket.create_connection(("127.0.0.1", port), 5).close()
    kill(made.gateway, role)
    made.end()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 5)
    leave(session)


@pytest.mark.parametrize("role", ["session", "agent", "warden"])
def test_a_file_that_was_locked_is_free(sessions, account, role):
    made = sessions()
    session, _ = made.begin()
    data = session.connect_data()
    session.expect("STOR f", 150)
    data = session.wrap_data(data)
    data.sendall(NEW)
    kill(made.gateway, role)
    made.end()
    data.close()
    again, _ = made.begin()
    assert again.store("STOR f", NEW).code == 226
    assert again.retrieve("RETR f") == NEW


@pytest.mark.parametrize("server_ends", [False, True])
def test_an_agent_that_outlives_its_warden_is_ended(serve, account, server_ends):
    gateway = serve()
    gateway.session(account)
    warden, = gateway.wardens()
    parts = {proc.name(pid): pid for pid in proc.children(warden)}
    agent = parts["ftps-agent"]
    # It does not hear that its session is over.
    copies = copies_of_sockets(parts["ftps-session"])
    os.kill(warden, signal.SIGKILL)
    if server_ends:
        gateway.terminate()
        assert gateway.process.wait(20) == 0
        assert not proc.identity(agent)
    else:
        wait_until(lambda: not proc.identity(agent), what="the end of the Agent")
        assert gateway.session(account).store("STOR f", NEW).code == 226
    for copy in copies:
        os.close(copy)


@pytest.mark.parametrize("atomic", ["YES", "NO"])
def test_what_an_agent_leaves_that_is_ended_after_its_warden_is_no_whole_file(
        serve, account, atomic):
    """Nobody is left who could end its upload."""
    gateway = serve(atomic_uploads=atomic, delete_failed_uploads="YES", quota_bytes="1000000",
                    fsync_uploads="YES")
    account.file("f", OLD)
    session = gateway.session(account)
    parts = uploading.roles(gateway)
    data = uploading.begin(session, "STOR f", NEW)
    wait_until(lambda: any(len(NEW) == path.stat().st_size for path in account.home.iterdir()),
               what="the content")
    copies = copies_of_sockets(parts["session"])
    os.kill(parts["warden"], signal.SIGKILL)
    wait_until(lambda: not proc.identity(parts["agent"]), what="the end of the Agent")
    for copy in copies:
        os.close(copy)
    data.close()
    with contextlib.suppress(OSError, Closed):
        assert session.reply().code in FAILED
    again = gateway.session(account)
    left = uploading.parts(account.home)
    if atomic == "YES":
        assert len(left) == 1 and again.retrieve("NLST") == b"f\r\n"
        assert again.retrieve("RETR f") == OLD
    else:
        assert not left
    # It counts as what it is, and is in nobody's way.
    assert used(again)[0] == sum(path.stat().st_size for path in account.home.iterdir())
    assert again.store("STOR f", OLD).code == 226
    assert again.retrieve("RETR f") == OLD and uploading.parts(account.home) == left


# Everything at once, and the Listener.


def test_a_shutdown_closes_what_it_kills(sessions, account):
    """A second SIGTERM kills the sessions; their PAM sessions are closed all the same."""
    account.sparse("big", 1 << 28)
    made = sessions()
    session, _ = made.begin()
    data = session.connect_data()
    session.expect("RETR big", 150)
    data = session.wrap_data(data)
    data.recv(1)
    gateway = made.gateway
    gateway.terminate()
    wait_until(lambda: "ending" in gateway.log, what="the end to begin")
    gateway.terminate()
    assert gateway.process.wait(20) == 0
    made.witness.expect(0)
    data.close()


def test_a_killed_listener_leaves_its_port_and_its_transfers(serve, account, tmp_path):
    witness = Witness(tmp_path)
    place = tmp_path / "temporary"
    place.mkdir()
    shared = set(os.listdir("/dev/shm"))
    options = {"pam_conf_dir": witness.directory, "quota_bytes": 1 << 30, "local_max_rate": 0,
               "environment": {"TMPDIR": str(place)}}
    size = 1 << 26
    account.sparse("big", size)
    first = serve(**options)
    idle, busy, storing = (first.session(account) for _ in range(3))
    data = busy.connect_data()
    busy.expect("RETR big", 150)
    data = busy.wrap_data(data)
    received = len(data.recv(1000))
    upward = storing.connect_data()
    storing.expect("STOR f", 150)
    upward = storing.wrap_data(upward)
    upward.sendall(NEW)
    first.kill()
    second = serve(**options, listen_port=first.port)
    # Whoever does nothing is told to come again, and whoever does something may finish.
    assert idle.ended(421)
    fresh = second.session(account)
    assert fresh.store("STOR g", NEW).code == 226
    assert received + len(read_all(data)) == size
    finish(data)
    busy.next(226)
    assert busy.ended(421)
    upward.sendall(NEW)
    finish(upward)
    storing.next(226)
    assert storing.ended(421)
    assert (account.home / "f").read_bytes() == NEW * 2
    wait_until(lambda: not proc.of_session(first.pid), what="the end of every old process")
    witness.expect(1)
    fresh.expect("QUIT", 221)
    witness.expect(0)
    assert os.listdir(place) == [] and set(os.listdir("/dev/shm")) <= shared


@pytest.mark.parametrize("moment", ["before", "during"])
def test_a_killed_signer_costs_handshakes_alone(serve, account, moment):
    gateway = serve()
    account.sparse("big", 1 << 26)
    session = gateway.session(account, "TLSv1.3")
    data = session.connect_data()
    session.expect("RETR big", 150)
    data = session.wrap_data(data)
    received = len(data.recv(1000))
    handshaking = gateway.control()
    if moment == "during":
        handshaking.expect("AUTH TLS", 234)
    signer, = gateway.signers()
    os.kill(signer, 9)
    wait_until(lambda: gateway.signers() not in ([], [signer]), what="another one")
    # The session that was in the middle of it may fail, but not hang.
    with contextlib.suppress(OSError, Closed, AssertionError):
        handshaking.secure() if moment == "before" else handshaking.handshake()
    assert received + len(read_all(data)) == 1 << 26
    finish(data)
    session.next(226)
    assert session.alive()
    assert gateway.session(account).store("STOR f", NEW).code == 226
