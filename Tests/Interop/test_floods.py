"""Clients that use up what a server has: others are served, limits hold, all of it comes back."""

import contextlib
import os
import pathlib
import random
import resource
import select
import socket
import ssl
import struct
import subprocess
import threading
import time

import pytest

import proc
from bystanders import at_rest, releases_everything, serves_others, settled
from control import Closed, finish, wait_until
from injection import Inside, channel_to_warden, needs_injection
from test_tls_records import drip, hello_record


@pytest.fixture(autouse=True)
def many_descriptors():
    """Our own end needs some thousand of them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 20_000), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def proportional_kibibytes(pid):
    """The memory of a process, with its share of what it has in common with others."""
    try:
        text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return int(text.split("Pss:")[1].split()[0])


def silent(gateway, source):
    """A connection that is made and says nothing."""
    plain = socket.socket()
    plain.bind((source, 0))
    plain.settimeout(20)
    plain.connect((gateway.host, gateway.port))
    return plain


def session_process(gateway):
    (warden,) = gateway.wardens()
    return min(proc.children(warden))


# Slow clients.

def test_bytes_one_by_one_do_not_put_the_end_off(serve, account):
    gateway = serve(login_timeout="2", idle_session_timeout="2")
    before_login = gateway.control().secure()
    session = gateway.session(account)
    start = time.monotonic()
    ended = set()
    while len(ended) < 2 and time.monotonic() - start < 20:
        for control in {before_login, session} - ended:
            try:
                control.raw(b"N")
                control.socket.settimeout(0.1)
                if control.socket.recv(100):
                    ended.add(control)
            except TimeoutError:
                pass
            except (OSError, ssl.SSLError):
                ended.add(control)
    assert len(ended) == 2 and time.monotonic() - start < 15
    wait_until(lambda: not gateway.wardens(), what="the end of the sessions")


@pytest.mark.parametrize("say", [b"", b"\x16", "drip"])
def test_a_data_connection_that_stops_in_its_handshake_is_given_up(serve, account, say):
    session = serve(ssl_handshake_timeout="2", accept_timeout="3").session(account)
    data = session.connect_data()
    session.expect("STOR f", 150)
    if say == "drip":
        with contextlib.suppress(OSError):
            assert drip(data, hello_record(), 20) < 15
    else:
        data.sendall(say)
    session.next(425, 426, 522)
    data.close()
    assert session.alive()
    assert session.store("STOR f", b"whole")


# Clients that do not read.

@pytest.mark.parametrize("logged_in", [False, True])
def test_a_client_that_reads_no_replies_is_sent_away(serve, account, logged_in):
    gateway = serve(login_timeout="3", idle_session_timeout="4")
    control = gateway.session(account) if logged_in else gateway.control().secure()
    process = session_process(gateway)
    before = proc.kibibytes(process, "VmHWM")
    identity = proc.identity(process)
    control.socket.settimeout(1)
    # Until the server reads no more, because nobody takes its replies.
    with contextlib.suppress(OSError):
        while True:
            control.raw(b"HELP\r\n" * 1000)
    assert serves_others(gateway, account)
    wait_until(lambda: proc.identity(process) != identity or
               proc.kibibytes(process, "VmHWM") - before < 4096, 1, "little memory")
    wait_until(lambda: not gateway.wardens(), 20, "the end of the session")


def test_a_client_that_reads_slowly_does_not_put_its_login_off(serve):
    gateway = serve(login_timeout="3")
    control = gateway.control().secure()
    control.socket.settimeout(0.5)
    with contextlib.suppress(OSError):
        while True:
            control.raw(b"HELP\r\n" * 1000)
    # Some of the replies, again and again, so that none is refused for long.
    start = time.monotonic()
    with contextlib.suppress(OSError, ssl.SSLError):
        while time.monotonic() - start < 15 and control.socket.recv(16_384):
            time.sleep(0.02)
    assert time.monotonic() - start < 14
    wait_until(lambda: not gateway.wardens(), what="the end of the session")


# Very many of something.

def test_a_hundred_thousand_commands_in_one_go_cost_little_memory(gateway, account):
    # In clear: Python's TLS cannot send and receive at once.
    session = gateway.control()
    process = session_process(gateway)
    before = proc.kibibytes(process, "VmHWM")
    count = 100_000
    flood = threading.Thread(target=session.raw, args=(b"NOOP\r\n" * count,))
    flood.start()
    assert [session.reply().code for _ in range(count // 2)] == [200] * (count // 2)
    assert serves_others(gateway, account)
    assert [session.reply().code for _ in range(count // 2)] == [200] * (count // 2)
    flood.join()
    assert session.alive()
    assert proc.kibibytes(process, "VmHWM") - before < 2048


def test_a_flood_of_lines_for_the_log_is_cut_and_counted(gateway):
    with releases_everything(gateway):
        control = gateway.control()
        start = time.monotonic()
        count = 5000
        flood = threading.Thread(target=control.raw, args=(b"CLNT chatter\r\n" * count,))
        flood.start()
        for _ in range(count):
            control.next(200)
        flood.join()
        periods = (time.monotonic() - start) // 10 + 2
        assert 100 < gateway.log.count("chatter") <= 500 * periods
        gateway.control().secure().expect("CLNT quiet", 200)
        wait_until(lambda: "quiet" in gateway.log, what="the line of another session")


LOG_ACTION = 16


@needs_injection
def test_what_sessions_write_about_their_users_is_bounded_for_all_of_them_together(
        serve, account):
    """Lines that are never dropped have to wait: 4 MiB a second, whoever they are from."""
    gateway = serve(ssl_enable="NO", plain_system_logins="YES")
    gateway.secrets.append(account.password)
    line = b"x" * 4096
    message = struct.pack("<BBI", LOG_ACTION, 2, len(line)) + line

    def taken():
        control = gateway.control()
        warden, = set(gateway.wardens()) - known
        known.add(warden)
        process, = proc.children(warden)
        channel = channel_to_warden(process)
        control.login(account)
        return process, channel

    def write(process, channel):
        with Inside(process) as session:
            for _ in range(2000):
                assert session.call("sendto", channel, message, len(message), 0, 0, 0) > 4096

    with releases_everything(gateway, 2048):
        known = set()
        sessions = [taken() for _ in range(2)]
        start = time.monotonic()
        writers = [threading.Thread(target=write, args=one) for one in sessions]
        for writer in writers:
            writer.start()
        # Somebody else waits for a turn at most.
        other = gateway.control().login(account)
        other.expect("MKD d", 257)
        assert time.monotonic() - start < 3
        for writer in writers:
            writer.join()
        wait_until(lambda: gateway.log.count("xxxx\n") == 4000, 20, "every line")
        assert time.monotonic() - start > 2 * 2000 * 4096 / (4 << 20) - 1


def test_refused_connections_do_not_fill_the_log(serve):
    gateway = serve(max_per_ip="1")
    gateway.control()
    count = 3000
    for _ in range(count):
        with contextlib.suppress(OSError):
            plain = silent(gateway, "127.0.0.1")
            assert plain.recv(100).startswith(b"421")
            plain.close()
    assert 10 < gateway.log.count("client refused") < 1100
    assert gateway.control(source="127.0.0.2").alive()


def test_clients_that_come_and_go_do_not_fill_the_log(serve, account):
    gateway = serve()
    start = time.monotonic()
    for _ in range(1500):
        with contextlib.suppress(OSError):
            silent(gateway, "127.0.0.1").close()
    session = gateway.session(account, source="127.0.0.2")
    wait_until(lambda: len(gateway.wardens()) == 1, 20, "the end of the others")
    periods = (time.monotonic() - start) // 10 + 2
    # Whoever logs in is told of all the same.
    assert gateway.log.count("] connected") <= 500 * periods
    assert gateway.log.count("] disconnected") <= 500 * periods
    assert "] login" in gateway.log
    session.store("STOR f", b"x")
    wait_until(lambda: 'STOR "/f" ok' in gateway.log, what="the line about the upload")


def test_silent_connections_from_many_addresses_keep_nobody_out(serve, account):
    gateway = serve(max_clients="100", max_before_login="60", max_per_ip="10")
    standing = gateway.session(account)
    before = at_rest(gateway)
    # Sixty places, which sixty addresses hold.
    held = [silent(gateway, f"127.0.2.{number + 1}") for number in range(60)]
    for plain in held:
        assert plain.recv(100).startswith(b"220")
    wait_until(lambda: len(gateway.wardens()) == 61, what="every session")
    late = silent(gateway, "127.0.2.99")
    assert late.recv(100).startswith(b"421"), "those who have just come are given their time"

    wait_until(lambda: greets(gateway, "127.0.2.100"), 20, "a place for one more")
    for number in range(20):
        assert serves_others(gateway, account, source=f"127.0.3.{number + 1}")
    assert len(gateway.wardens()) <= 62
    assert "sent away before the login, to make room" in gateway.log
    assert standing.alive(), "whoever is logged in makes no room"
    for plain in [*held, late]:
        plain.close()
    gateway.close_clients()
    wait_until(lambda: not gateway.wardens(), 20, "the end of every session")
    # The last to be forgotten may be on its way out still.
    wait_until(lambda: at_rest(gateway)["descriptors"] < before["descriptors"], 5, "its descriptors")


def test_one_address_does_not_take_the_places_of_others(serve, account):
    gateway = serve(max_before_login="20", max_per_ip="0")
    held = [silent(gateway, "127.0.5.1") for _ in range(20)]
    for plain in held:
        assert plain.recv(100).startswith(b"220")
    with silent(gateway, "127.0.5.1") as more:
        assert more.recv(100).startswith(b"421")
    wait_until(lambda: greets(gateway, "127.0.5.2"), 20, "a place for one from elsewhere")
    for number in range(5):
        assert serves_others(gateway, account, source=f"127.0.5.{number + 3}", seconds=4)
    # Those that came last, as long as all are new.
    gone, _, _ = select.select(held, [], [], 20)
    assert b"421 Too many clients are waiting to log in" in gone[-1].recv(200)
    for plain in held:
        plain.close()


def test_few_addresses_that_come_and_go_keep_nobody_out(serve):
    """None of their connections lives as long as one that has just come is spared."""
    gateway = serve(max_before_login="20", max_per_ip="10")
    stop = threading.Event()

    def churn(source):
        while not stop.is_set():
            with contextlib.suppress(OSError), silent(gateway, source) as plain:
                stop.wait(0.05 if plain.recv(100).startswith(b"421") else 1)

    threads = [threading.Thread(target=churn, args=(f"127.0.6.{number % 3 + 1}",))
               for number in range(30)]
    for thread in threads:
        thread.start()
    try:
        wait_until(lambda: len(gateway.wardens()) >= 20, what="a full server")
        greeted = []
        for _ in range(40):
            greeted.append(greets(gateway, "127.0.7.1"))
            time.sleep(0.1)
        assert greeted.count(True) >= 36, greeted
    finally:
        stop.set()
        for thread in threads:
            thread.join(20)


def test_who_shares_an_address_with_few_is_not_pushed_out_by_who_comes_alone(serve):
    gateway = serve(max_before_login="2")
    pair = [gateway.control("127.0.5.1") for _ in range(2)]
    # Before the second one may have to go for anybody, it has five seconds.
    start = time.monotonic()
    wait_until(lambda: greets(gateway, "127.0.5.2"), 20, "a place for one from elsewhere")
    assert time.monotonic() - start > 3
    assert pair[1].alive()


def greets(gateway, source):
    """Whether a client from there is let in."""
    with contextlib.suppress(Closed, OSError):
        client = gateway.control(source, greet=False)
        try:
            return client.reply().code == 220
        finally:
            client.close()
    return False


def test_two_thousand_half_open_connections_keep_nobody_out(serve, account):
    gateway = serve()
    before = settled(gateway)
    listener = proportional_kibibytes(gateway.pid)
    held = []
    try:
        for number in range(2000):
            held.append(silent(gateway, f"127.0.4.{number % 50 + 1}"))
            if number % 4 == 1:
                # Half of a handshake takes its place just as silence does.
                with contextlib.suppress(OSError):
                    held[-1].sendall(b"AUTH TLS\r\n")
        wait_until(lambda: greets(gateway, "127.0.5.1"), 30, "a place for one more")
        assert serves_others(gateway, account, seconds=30)
        # max_before_login=1000, and who is leaving.
        wardens = gateway.wardens()
        assert len(wardens) <= 1000 + 256 + 1
        sample = random.Random(1).sample(wardens, 20)
        for warden in sample:
            session = sum(proportional_kibibytes(pid) for pid in [warden, *proc.children(warden)])
            assert session < 3 * 1024
        assert proportional_kibibytes(gateway.pid) - listener < 16 * 1024
    finally:
        for plain in held:
            plain.close()
        gateway.close_clients()
    wait_until(lambda: not gateway.wardens(), 60, "the end of every session")
    wait_until(lambda: at_rest(gateway) == before, 10, "what there was before")


# Names.

@pytest.fixture
def million(account):
    """A directory of a million names."""
    place = account.home / "million"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1g,nr_inodes=1100000,mode=755", "tmpfs",
                    place], check=True)
    try:
        (place / "f0000000").touch()
        directory = os.open(place, os.O_RDONLY)
        for number in range(1, 1_000_000):
            os.link("f0000000", f"f{number:07}", src_dir_fd=directory, dst_dir_fd=directory)
        os.close(directory)
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def lines_of(session, line):
    """How many lines a listing has; it is not kept."""
    data = session.connect_data()
    session.expect(line, 150)
    data = session.wrap_data(data)
    count = 0
    while chunk := data.recv(1 << 18):
        count += chunk.count(b"\r\n")
    finish(data)
    session.next(226)
    return count


def test_a_directory_of_a_million_files_streams(gateway, account, million):
    session = gateway.session(account)
    (warden,) = gateway.wardens()
    assert lines_of(session, "LIST") == 1
    before = {pid: proc.kibibytes(pid, "VmHWM") for pid in proc.children(warden)}
    assert len(before) == 2
    for line in ("NLST million", "MLSD million", "LIST million"):
        counts = []
        reader = threading.Thread(target=lambda line=line: counts.append(lines_of(session, line)))
        reader.start()
        # Somebody else at the same time.
        assert serves_others(gateway, account)
        reader.join(60)
        assert counts == [1_000_000]
    assert session.expect("STAT million/f0000001", 213).lines
    for pid, kibibytes in before.items():
        limit = 24 if proc.name(pid) == "ftps-agent" else 4
        assert proc.kibibytes(pid, "VmHWM") - kibibytes < limit * 1024, proc.name(pid)


def test_patterns_made_to_take_long_do_not(gateway, account):
    for number in range(300):
        account.file("a" * 250 + f"{number:03}")
    with releases_everything(gateway):
        session = gateway.session(account)
        for pattern in ("a*" * 100 + "b", "*a" * 120 + "*b", "?*" * 120 + "[!0-9]",
                        "[a-z]*" * 40 + "x", "[" * 200, "\\*" * 100):
            start = time.monotonic()
            session.retrieve(f"NLST {pattern}")
            session.expect(f"STAT {pattern}", 211, 212, 213, 550)
            assert time.monotonic() - start < 10, pattern
        assert session.alive()


def test_a_deep_tree_costs_neither_stack_nor_time(serve, account):
    gateway = serve(ls_recurse_enable="YES")
    with releases_everything(gateway):
        session = gateway.session(account)
        try:
            # As deep as a path may be: every step works until one is refused.
            depth = 0
            while session.command("MKD d").code == 257 and session.command("CWD d").code == 250:
                depth += 1
                assert depth < 5000
            assert depth > 100
            session.expect("PWD", 257)
            session.expect("CWD /", 250)
            assert lines_of(session, "LIST -R") < 100
            assert serves_others(gateway, account)
            for line in ("RMD d", "DELE d", "SITE RMDIR d"):
                session.expect(line, 550)
            assert session.alive()
        finally:
            # Too deep for those who name files by their paths.
            subprocess.run(["rm", "-rf", account.home / "d"], check=True)


def test_a_wide_tree_is_listed_up_to_the_limits(serve, account):
    place = account.directory("wide")
    for number in range(101):
        (place / f"{number:03}").mkdir()
        for inner in range(100):
            (place / f"{number:03}" / f"{inner:03}").mkdir()
    gateway = serve(ls_recurse_enable="YES")
    with releases_everything(gateway):
        session = gateway.session(account)
        data = session.connect_data()
        session.expect("LIST -R wide", 150)
        data = session.wrap_data(data)
        while data.recv(1 << 18):
            pass
        finish(data)
        assert "cut after" in session.next(226).text
        assert session.alive()
        subprocess.run(["rm", "-rf", place], check=True)
