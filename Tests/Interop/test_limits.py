"""Limits: how many may come, how long they may idle, how much a listing may cost, and the end."""

import os
import socket
import time

import proc
from control import Closed, finish, read_all, wait_until


def test_the_number_of_clients_is_limited(serve):
    gateway = serve(max_clients="2")
    first, second = gateway.control(), gateway.control()
    third = gateway.control(greet=False)
    assert third.next(421) and third.ended()
    assert first.alive() and second.alive()
    first.expect("QUIT", 221)

    def comes_in():
        control = gateway.control(greet=False)
        return control.reply().code == 220

    wait_until(comes_in, what="a place for one more")


def test_the_number_of_clients_of_one_address_is_limited(serve):
    gateway = serve(max_per_ip="1")
    first = gateway.control()
    second = gateway.control(greet=False)
    assert second.next(421) and second.ended()
    assert gateway.control(source="127.0.0.2").alive()
    assert first.alive()


def test_many_clients_come_at_once(serve, account):
    gateway = serve()
    sessions = [gateway.session(account) for _ in range(20)]
    for number, session in enumerate(sessions):
        session.store(f"STOR {number}", b"x")
    assert len(os.listdir(account.home)) == 20


def test_idle_clients_are_sent_away(serve, account):
    gateway = serve(idle_session_timeout="2")
    before_login = gateway.control()
    session = gateway.session(account)
    start = time.monotonic()
    assert session.next(421) and session.ended()
    assert 1 < time.monotonic() - start < 15
    assert before_login.ended(421)
    wait_until(lambda: not gateway.wardens(), what="the end of the sessions")


def test_half_a_line_does_not_hold_a_place_for_ever(serve):
    control = serve(idle_session_timeout="2").control()
    control.raw(b"NO")
    assert control.ended(421)


def test_a_client_that_never_begins_its_handshake_is_sent_away(serve):
    gateway = serve(ssl_handshake_timeout="2", idle_session_timeout="5")
    control = gateway.control()
    control.expect("AUTH TLS", 234)
    assert control.ended()
    wait_until(lambda: not gateway.wardens(), what="the end of the session")


def test_a_long_transfer_is_not_idle(serve, account):
    session = serve(idle_session_timeout="2").session(account)
    data = session.connect_data()
    session.expect("STOR f", 150)
    data = session.wrap_data(data)
    for _ in range(8):
        data.sendall(b"x")
        time.sleep(0.5)
    finish(data)
    session.next(226)
    assert session.alive()


def test_login_attempts_are_limited(serve, account):
    gateway = serve(max_login_fails="2")
    gateway.secrets.append(account.password)
    control = gateway.control().secure()
    control.expect(f"USER {account.name}", 331)
    control.expect("PASS wrong", 530)
    control.expect(f"USER {account.name}", 331)
    control.expect("PASS wrong", 530, 421)
    assert control.ended(421)
    gateway.session(account)


def test_a_failed_login_costs_time(serve, account):
    control = serve(delay_failed_login="2").control().secure()
    control.expect(f"USER {account.name}", 331)
    start = time.monotonic()
    control.expect("PASS wrong", 530)
    assert time.monotonic() - start > 1.9


def test_a_passive_port_that_nobody_uses_is_given_up(serve, account):
    session = serve(accept_timeout="2").session(account)
    session.passive_port()
    reply = session.expect("NLST", 150, 425)
    if reply.code == 150:
        session.next(425)
    assert session.retrieve("NLST") == b""


def test_an_active_connection_that_nobody_answers_is_given_up(serve, account):
    session = serve(connect_timeout="2").session(account)
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        # The queue holds one connection; further ones are not answered.
        waiting = []
        for _ in range(4):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", port))
            waiting.append(client)
        session.expect(f"PORT 127,0,0,1,{port >> 8},{port & 255}", 200)
        reply = session.command("NLST")
        if reply.code == 150:
            reply = session.reply()
        assert reply.code == 425
        for client in waiting:
            client.close()
    assert session.retrieve("NLST") == b""


def test_a_reader_that_stops_is_given_up(serve, account):
    account.sparse("big", 1 << 28)
    gateway = serve(data_connection_timeout="2")
    session = gateway.session(account)
    data = session.connect_data()
    session.expect("RETR big", 150)
    data = session.wrap_data(data)
    data.recv(1)
    assert session.next(426, 421)
    data.close()


def test_a_writer_that_stops_is_given_up(serve, account):
    session = serve(data_connection_timeout="2").session(account)
    data = session.connect_data()
    session.expect("STOR f", 150)
    data = session.wrap_data(data)
    data.sendall(b"x")
    assert session.next(426, 421)
    data.close()


def test_the_end_waits_for_running_transfers_and_for_nothing_else(serve, account):
    size = 1 << 26
    account.sparse("big", size)
    gateway = serve()
    idle = gateway.session(account)
    anonymous = gateway.control()
    busy = gateway.session(account)
    data = busy.connect_data()
    busy.expect("RETR big", 150)
    data = busy.wrap_data(data)
    first = len(data.recv(1000))
    gateway.terminate()
    assert idle.ended(421) and anonymous.ended(421)
    try:
        late = socket.create_connection((gateway.host, gateway.port), 5)
        with late:
            assert late.recv(100) == b""
    except ConnectionError:
        pass
    assert gateway.process.poll() is None
    assert first + len(read_all(data)) == size
    finish(data)
    busy.next(226)
    assert busy.ended(421)
    assert gateway.process.wait(20) == 0


def test_the_end_does_not_wait_for_ever(serve, account):
    account.sparse("big", 1 << 28)
    gateway = serve(shutdown_timeout="1")
    session = gateway.session(account)
    data = session.connect_data()
    session.expect("RETR big", 150)
    data = session.wrap_data(data)
    data.recv(1)
    gateway.terminate()
    assert gateway.process.wait(20) == 0
    data.close()


def test_listing_twenty_thousand_files_costs_little_memory(gateway, account):
    count = 20_000
    account.file("file 00000")
    for number in range(1, count):
        descriptor = os.open(account.home / f"file {number:05}", os.O_CREAT | os.O_WRONLY, 0o644)
        os.close(descriptor)
    session = gateway.session(account)
    warden, = gateway.wardens()
    nobody = [pid for pid in proc.children(warden)
              if proc.numbers(proc.status(pid)["Uid"])[0] != account.uid]
    session.store("STOR file 00000", b"x")
    before = {pid: proc.kibibytes(pid, "VmHWM") for pid in nobody}
    for line in ("MLSD", "LIST", "NLST"):
        assert session.retrieve(line).count(b"\r\n") == count
    for pid in nobody:
        assert proc.kibibytes(pid, "VmHWM") - before[pid] < 6 * 1024


def test_a_closed_session_says_nothing_more(gateway):
    control = gateway.control()
    control.expect("QUIT", 221)
    try:
        control.send("NOOP")
        control.reply()
    except (Closed, OSError):
        return
    raise AssertionError("a reply after 221")


def test_a_client_that_only_chats_is_sent_away_before_login(serve):
    control = serve(login_timeout="2").control().secure()
    for _ in range(8):
        control.send("NOOP")
        if control.reply().code == 421:
            break
        time.sleep(0.5)
    else:
        raise AssertionError("still there")
    assert control.ended()


def test_a_busy_machine_turns_clients_away(serve, account, busy):
    gateway = serve(max_load="0.02")
    refused = gateway.control(greet=False)
    assert "too busy" in refused.next(421).text and refused.ended()
    assert "max_load is reached" in gateway.log
    assert serve(max_load="100000").session(account).alive()
