"""Commands that a client sends before it may expect an answer to them."""

import pytest

import proc
from control import finish, read_all, wait_until


@pytest.fixture
def session(gateway, account):
    return gateway.session(account)


def begin_upload(session, name="f"):
    data = session.connect_data()
    session.expect(f"STOR {name}", 150)
    return session.wrap_data(data)


@pytest.mark.parametrize("before", ["NOOP", "", "PWD", "\0junk", "STAT f"])
def test_abor_is_found_behind_other_commands(session, before):
    data = begin_upload(session)
    session.send(before)
    session.send("ABOR")
    codes = [session.reply().code]
    while codes[-1] != 226:
        codes.append(session.reply().code)
    assert codes[-2:] == [426, 226]
    data.close()
    if before == "PWD":
        session.next(257)
    elif before == "STAT f":
        session.next(213, 550)
    assert session.alive()


def test_noop_is_answered_during_a_transfer(session, account):
    data = begin_upload(session)
    for _ in range(3):
        session.expect("NOOP", 200)
    data.sendall(b"whole")
    finish(data)
    session.next(226)
    assert (account.home / "f").read_bytes() == b"whole"


def test_other_commands_wait_for_their_turn(session, account):
    data = begin_upload(session)
    session.raw(b"PWD\r\nNOOP\r\n")
    assert session.silent(0.5)
    data.sendall(b"x")
    finish(data)
    session.next(226)
    session.next(257)
    session.next(200)


def test_an_upload_is_completed_after_quit_by_a_client_that_hangs_up(gateway, session, account):
    data = begin_upload(session)
    session.expect("QUIT", 221)
    session.close()
    data.sendall(b"x" * 300_000)
    finish(data)
    wait_until(lambda: 'STOR "/f" ok, 300000 bytes' in gateway.log, what="the end of the upload")
    assert (account.home / "f").stat().st_size == 300_000


def test_abor_still_counts_after_quit(session):
    data = begin_upload(session)
    session.expect("QUIT", 221)
    session.expect("ABOR", 426)
    session.next(226)
    data.close()
    assert session.ended()


def test_a_denied_stat_is_denied_during_a_transfer_too(serve, account):
    session = serve(cmds_denied="STAT").session(account)
    data = begin_upload(session)
    session.expect("STAT", 550)
    finish(data)
    session.next(226)


def session_process(gateway):
    (warden,) = gateway.wardens()
    return min(proc.children(warden))


@pytest.mark.parametrize("logged_in", [False, True])
def test_a_flood_of_empty_lines_costs_no_memory(gateway, account, logged_in):
    if logged_in:
        client = gateway.session(account)
        data = begin_upload(client)
    else:
        client = gateway.control().secure()
        client.expect("USER nobody-at-all", 331)
        client.send("PASS wrong")
    process = session_process(gateway)
    before = proc.kibibytes(process, "VmHWM")
    client.socket.settimeout(1)
    try:
        for _ in range(64):
            client.raw(b"\n" * 262_144)
    except (OSError, ConnectionError):
        pass
    if proc.identity(process):
        assert proc.kibibytes(process, "VmHWM") - before < 4 * 1024
    if logged_in:
        data.close()


def test_the_reply_does_not_wait_for_a_client_that_closes_late(session, account):
    account.file("f", b"content")
    data = session.connect_data()
    session.expect("RETR f", 150)
    data = session.wrap_data(data)
    assert read_all(data) == b"content"
    session.socket.settimeout(1)
    session.next(226)
    data.close()
    session.socket.settimeout(20)
    assert session.alive()
