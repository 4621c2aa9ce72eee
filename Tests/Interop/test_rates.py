"""How fast transfers may be (`local_max_rate` and its kin) and have to be (`min_rate`)."""

import concurrent.futures
import re
import socket
import struct
import time

import pytest

import proc
from control import finish, read_all
from injection import Inside, channel_to_warden, needs_injection
from uploading import begin, end, roles

RATE = 200_000


def timed_download(session, name):
    start = time.monotonic()
    content = session.retrieve(f"RETR {name}")
    return len(content) / (time.monotonic() - start)


def timed_upload(session, name, size):
    start = time.monotonic()
    session.store(f"STOR {name}", b"x" * size)
    return size / (time.monotonic() - start)


def clear(serve, account, **options):
    """A session without TLS."""
    gateway = serve(ssl_enable="NO", plain_system_logins="YES", **options)
    gateway.secrets.append(account.password)
    return gateway.control().login(account)


@pytest.mark.parametrize("how", ["TLSv1.2", "TLSv1.3", "clear"])
@pytest.mark.parametrize("option", ["local_max_rate", "download_max_rate", "user_max_rate"])
def test_downloads_keep_to_the_rate(serve, account, how, option):
    account.sparse("f", 3 * RATE)
    options = {option: RATE}
    session = (clear(serve, account, **options) if how == "clear"
               else serve(**options).session(account, how))
    assert 0.6 * RATE < timed_download(session, "f") < 1.1 * RATE


@pytest.mark.parametrize("how", ["TLSv1.2", "TLSv1.3", "clear"])
@pytest.mark.parametrize("option", ["local_max_rate", "upload_max_rate", "user_max_rate"])
def test_uploads_keep_to_the_rate(serve, account, how, option):
    options = {option: RATE}
    session = (clear(serve, account, **options) if how == "clear"
               else serve(**options).session(account, how))
    assert 0.6 * RATE < timed_upload(session, "f", 3 * RATE) < 1.1 * RATE
    assert (account.home / "f").stat().st_size == 3 * RATE


def test_the_rate_is_exact_over_a_longer_time(serve, account):
    account.sparse("f", 6 * RATE)
    session = serve(local_max_rate=RATE).session(account)
    assert 0.9 * RATE < timed_download(session, "f") < 1.05 * RATE


def test_a_direction_of_its_own_leaves_the_other_alone(serve, account):
    account.sparse("f", 20 * RATE)
    session = serve(upload_max_rate=RATE).session(account)
    assert timed_download(session, "f") > 3 * RATE


def test_many_small_transfers_are_no_way_around_it(serve, account):
    account.sparse("f", RATE // 4)
    session = serve(local_max_rate=RATE).session(account)
    start = time.monotonic()
    for _ in range(8):
        session.retrieve("RETR f")
    assert time.monotonic() - start > 1.6


def test_without_a_rate_nothing_is_slow(serve, account):
    account.sparse("f", 50 * RATE)
    session = serve(local_max_rate="0", anon_max_rate=RATE).session(account)
    assert timed_download(session, "f") > 10 * RATE


def test_two_sessions_share_what_their_user_has(serve, account):
    account.sparse("f", 2 * RATE)
    gateway = serve(user_max_rate=RATE)
    sessions = [gateway.session(account) for _ in range(2)]
    start = time.monotonic()
    connections = []
    for session in sessions:
        data = session.connect_data()
        session.expect("RETR f", 150)
        connections.append(session.wrap_data(data))
    size = 0
    for session, data in zip(sessions, connections):
        size += len(read_all(data))
        finish(data)
        session.next(226)
    assert size == 4 * RATE
    assert size / (time.monotonic() - start) < 1.1 * RATE


def test_another_user_has_a_rate_of_its_own(serve, account, other_account):
    account.sparse("f", 40 * RATE)
    other_account.sparse("f", RATE)
    gateway = serve(user_max_rate=RATE)
    busy = gateway.session(account)
    data = busy.connect_data()
    busy.expect("RETR f", 150)
    data = busy.wrap_data(data)
    data.recv(1)
    assert timed_download(gateway.session(other_account), "f") > 0.6 * RATE
    data.close()


@pytest.mark.parametrize("rate", [RATE, 2_000])
def test_the_control_connection_is_answered_while_a_transfer_waits(serve, account, rate):
    account.sparse("f", 100 * RATE)
    session = serve(local_max_rate=rate, data_connection_timeout="2").session(account)
    data = session.connect_data()
    session.expect("RETR f", 150)
    data = session.wrap_data(data)
    assert data.recv(1)
    start = time.monotonic()
    for _ in range(5):
        session.expect("NOOP", 200)
        session.expect("STAT", 211)
    session.send("ABOR")
    session.next(426)
    session.next(226)
    assert time.monotonic() - start < 2
    data.close()
    assert session.alive()


def test_our_own_waits_are_no_timeout(serve, account):
    account.sparse("f", 2_000)
    # A piece of 512 bytes at this rate takes longer than data may stand still, or be slow.
    session = serve(local_max_rate="300", data_connection_timeout="1", min_rate="400",
                    min_rate_period="1").session(account)
    assert len(session.retrieve("RETR f")) == 2_000


def test_a_transfer_that_is_too_slow_fails_and_the_session_goes_on(serve, account):
    account.sparse("f", 1 << 28)
    session = serve(min_rate="100000", min_rate_period="1").session(account)
    data = begin(session, "STOR up", b"x")
    for _ in range(30):
        try:
            data.sendall(b"x" * 100)
        except OSError:
            break
        if not session.silent(0.1):
            break
    session.next(426)
    data.close()
    assert session.alive()
    data = session.connect_data()
    session.expect("RETR f", 150)
    data = session.wrap_data(data)
    assert data.recv(1)
    session.next(426)
    data.close()
    assert session.alive()
    assert session.store("STOR quick", b"x" * 10).code == 226


def test_a_slow_transfer_that_is_fast_enough_goes_on(serve, account):
    session = serve(min_rate="500", min_rate_period="1").session(account)
    data = begin(session, "STOR f", b"x")
    for _ in range(25):
        time.sleep(0.1)
        data.sendall(b"x" * 200)
    end(session, data)
    assert (account.home / "f").stat().st_size == 5_001


def test_the_size_of_a_piece_is_bounded(serve, account):
    account.sparse("f", 10 * RATE)
    gateway = serve(local_max_rate=10 * RATE, trans_chunk_size="4096", ssl_enable="NO",
                    force_local_logins_ssl="NO", plain_system_logins="YES", force_local_data_ssl="NO")
    gateway.secrets.append(account.password)
    session = gateway.control().login(account)
    assert 5 * RATE < timed_download(session, "f") < 11 * RATE


def test_the_whole_server_keeps_to_one_rate(serve, account, other_account):
    gateway = serve(server_max_rate=RATE)
    for owner in (account, other_account):
        owner.sparse("f", 3 * RATE // 2)
    sessions = [gateway.session(account), gateway.session(other_account, "TLSv1.2")]
    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        spans = list(pool.map(lambda session: finish_time(session, start), sessions))
    # Two together take as long as all of it takes one, and neither waits for the other's end.
    assert 2.6 < max(spans) < 5
    assert min(spans) > 0.6 * max(spans), spans


def finish_time(session, start):
    session.retrieve("RETR f")
    return time.monotonic() - start


def test_uploads_count_towards_the_rate_of_the_server(serve, account):
    session = serve(server_max_rate=RATE).session(account)
    assert 0.6 * RATE < timed_upload(session, "f", 3 * RATE) < 1.1 * RATE


@pytest.mark.parametrize("option", ["local_max_rate", "user_max_rate", "server_max_rate"])
def test_broken_off_transfers_are_no_way_around_it(serve, account, option):
    account.sparse("f", 100 * RATE)
    session = serve(**{option: RATE}).session(account)
    session.expect("TYPE I", 200)
    received = 0
    start = time.monotonic()
    while time.monotonic() - start < 2:
        data = session.connect_data()
        session.expect("RETR f", 150)
        data = session.wrap_data(data)
        received += len(data.recv(1 << 20))
        session.send("ABOR")
        data.close()
        session.next(426)
        # 225 where the server has seen the end of the data connection first.
        session.next(225, 226)
    # A piece at the beginning, and what came between the look and the end.
    assert received < 1.5 * RATE * (time.monotonic() - start), received


SHARED = pytest.mark.parametrize("option", ["user_max_rate", "server_max_rate"])


@SHARED
def test_no_session_can_write_what_others_share(serve, account, option):
    """Whoever can write such a page can stop the transfers of everybody who shares it."""
    account.file("f", b"content")
    gateway = serve(**{option: RATE}, quota_bytes="1000000", pasv_max_per_ip="9")
    session = gateway.session(account)
    assert session.retrieve("RETR f") == b"content"
    processes = roles(gateway)
    for role in ("session", "agent"):
        with open(f"/proc/{processes[role]}/maps", encoding="utf-8") as file:
            shared = re.findall(r"^\S+ \S+s .*memfd:.*$", file.read(), re.MULTILINE)
        # An Agent's are the user's quota, and what it tells its Warden of its upload.
        assert len(shared) == {"session": 0, "agent": 2}[role], role


CHARGE = 11


@needs_injection
@SHARED
def test_a_session_that_is_taken_over_uses_up_its_own_turns(serve, account, option):
    account.sparse("f", 2 * RATE)
    gateway = serve(ssl_enable="NO", plain_system_logins="YES", **{option: RATE})
    gateway.secrets.append(account.password)
    hostile = gateway.control()
    warden, = gateway.wardens()
    taken, = proc.children(warden)
    channel = channel_to_warden(taken)
    hostile.login(account)
    other = gateway.control().login(account)
    turn = struct.pack("<BI", CHARGE, RATE // 20)
    with Inside(taken) as process:
        # Five seconds of what everybody has, in one moment.
        for _ in range(100):
            assert process.call("sendto", channel, turn, len(turn), 0, 0, 0) == len(turn)
            assert process.call("recvfrom", channel, bytes(64), 64, 0, 0, 0) == 10
    assert timed_download(other, "f") > 0.6 * RATE
