"""What administrators see of a server that runs, and have it do: who, kick, reload and status."""

import json
import os
import re
import signal
import socket as sockets
import stat
import subprocess
import time

import pytest

import proc
import proxying
import uploading
from administering import answer, ask, sessions, status
from certificates import make_certificate
from control import wait_until
from gateway import BINARY, PAM
from witness import Witness


@pytest.fixture
def administered(serve, place):
    """Starts daemons whose admin socket is `.socket`."""
    def start(**options):
        gateway = serve(admin_socket=place / "admin", **options)
        gateway.socket = place / "admin"
        return gateway
    return start


def clerk(gateway):
    found = [pid for pid in proc.children(gateway.pid) if proc.name(pid) == "ftps-clerk"]
    return found[0] if found else None


def only(gateway):
    session, = sessions(gateway.socket)
    return session


# Who.

@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_who_shows_what_a_session_is_at(administered, account, version):
    gateway = administered()
    assert answer(gateway.socket, "who") == "no sessions\n"
    control = gateway.control()
    assert only(gateway)["user"] is None and only(gateway)["says"]["tls"] is None
    control.close()
    wait_until(lambda: not gateway.wardens(), what="the end of the first session")
    session = gateway.session(account, version)
    shown = only(gateway)
    assert shown["user"] == account.name and shown["address"] == "127.0.0.1"
    assert shown["says"]["tls"].startswith(version) and shown["says"]["command"] is None
    assert shown["logged_in"] >= shown["connected"] > 0 and not shown["leaving"]
    assert f"session={shown['session']}" in gateway.log
    data = uploading.begin(session, "STOR a file", b"x" * 300_000)
    wait_until(lambda: only(gateway)["says"]["bytes"] == 300_000, what="the bytes so far")
    says = only(gateway)["says"]
    assert says["command"] == "STOR" and says["file"] == "/a file"
    assert says["expected_bytes"] is None and says["bytes_per_second"] > 0
    header, row = answer(gateway.socket, "who").splitlines()
    assert header.split()[:3] == ["SESSION", "USER", "ADDRESS"]
    assert row.split()[:5] == [shown["session"], account.name, "127.0.0.1", version, "STOR"]
    assert row.endswith("/a file") and "300 kB" in row
    uploading.end(session, data)
    assert only(gateway)["says"]["file"] is None


def test_who_shows_how_far_a_download_is(administered, account):
    gateway = administered(local_max_rate="500000")
    account.file("large", b"x" * 1_000_000)
    session = gateway.session(account)
    session.expect("TYPE I", 200)
    data = session.connect_data()
    session.expect("RETR large", 150)
    data = session.wrap_data(data)
    assert data.recv(1_000)
    says = only(gateway)["says"]
    assert says["command"] == "RETR" and says["expected_bytes"] == 1_000_000
    assert "% of 1.0 MB" in answer(gateway.socket, "who")
    data.close()


def test_who_shows_clients_behind_a_load_balancer_by_their_own_address(balanced, place, account):
    gateway = balanced(admin_socket=place / "admin")
    proxying.session(gateway, account, proxying.line(proxying.CLIENT))
    shown, = sessions(place / "admin")
    assert shown["address"] == proxying.CLIENT


def test_names_of_files_move_nobodys_cursor(administered, account):
    gateway = administered()
    session = gateway.session(account)
    data = uploading.begin(session, b"STOR a\x1b[2Jb\xe2\x80\xaec\xff")
    wait_until(lambda: only(gateway)["says"]["bytes"], what="the upload")
    shown = answer(gateway.socket, "who")
    assert "\x1b" not in shown and "\u202e" not in shown and "\\x1B[2Jb" in shown
    uploading.end(session, data)


def test_a_long_list_comes_in_parts(administered):
    gateway = administered()
    clients = [gateway.control() for _ in range(40)]
    shown = sessions(gateway.socket)
    assert len({session["session"] for session in shown}) == len(clients)


# Who may ask.

def test_members_of_the_group_may_ask_and_nobody_else(administered, account, other_account):
    # Of accounts of a run the second group is one of their own.
    group = f"{account.name}x"
    gateway = administered(admin_group=group)
    facts = os.stat(gateway.socket)
    assert stat.S_IMODE(facts.st_mode) == 0o660 and facts.st_uid == 0
    assert facts.st_gid in account.groups and facts.st_gid != account.gid
    assert ask(gateway.socket, "status", user=account).returncode == 0
    for words in (["who"], ["status"], ["reload"], ["kick", "--user", account.name],
                  ["unlock", "--user", account.name]):
        refused = ask(gateway.socket, *words, user=other_account)
        assert refused.returncode == 77 and refused.stdout == ""
        assert "only root and the members of the server's admin_group may ask" in refused.stderr
    # The mode of the file is not all that keeps others out.
    gateway.socket.chmod(0o666)
    assert ask(gateway.socket, "status", user=account).returncode == 0
    refused = ask(gateway.socket, "status", user=other_account)
    assert refused.returncode == 77 and "admin_group" in refused.stderr


def test_without_a_server_there_is_a_clear_answer(place):
    done = ask(place / "none", "who")
    assert done.returncode == 69 and "no server answers" in done.stderr


@pytest.mark.parametrize("case", ["writable", "absent", "relative", "file"])
def test_a_socket_stands_only_where_nobody_else_can_put_one(place, certificate, case):
    directory = place / "run"
    directory.mkdir(mode=0o755)
    path = directory / "admin"
    if case == "writable":
        directory.chmod(0o777)
    elif case == "absent":
        path = place / "nowhere" / "admin"
    elif case == "relative":
        path = "admin"
    else:
        path.write_text("precious")
    options = {
        "listen_port": 0, "rsa_cert_file": certificate.chain, "pam_conf_dir": PAM,
        "rsa_private_key_file": certificate.key, "admin_socket": path}
    words = [word for name, value in options.items() for word in ("--set", f"{name}={value}")]
    done = subprocess.run([BINARY, "serve", *words], capture_output=True, text=True, timeout=30)
    assert done.returncode == 78 and "admin_socket" in done.stderr, done.stderr
    if case == "file":
        assert path.read_text() == "precious"


def test_the_socket_of_a_server_that_was_killed_is_replaced(administered, serve, place):
    gateway = administered()
    gateway.kill()
    assert gateway.socket.exists()
    later = serve(admin_socket=place / "admin")
    assert status(gateway.socket)["processes"]["ftps-listener"] == later.pid
    later.stop()
    assert os.listdir(place) == [] or not (place / "admin").exists()


# Words that none of ours says.

def raw(path):
    connection = sockets.socket(sockets.AF_UNIX, sockets.SOCK_SEQPACKET)
    connection.connect(str(path))
    connection.settimeout(20)
    return connection


@pytest.mark.parametrize("message", [
    b"\0", b"\xff" * 60_000, b"\1", b"\1\1", b"\1\2\0\0\0\0", b"\4\1\0", b"\2\1\1\xff\xff\xff\xff",
    b"\2\1\3\4\0\0\0abcd\0\0\0\0", b"\5\1\1\0\0\0",
], ids=range(9))
def test_words_without_sense_are_refused_and_harm_nobody(administered, message):
    gateway = administered()
    with raw(gateway.socket) as connection:
        connection.send(message)
        assert connection.recv(100) == b"\7\2"
        assert connection.recv(100) == b""
    assert status(gateway.socket)["sessions"]["logged_in"] == 0
    assert "violation" not in gateway.log


def test_whoever_says_nothing_takes_nobodys_place(administered):
    gateway = administered()
    begin = time.monotonic()
    silent = [raw(gateway.socket) for _ in range(34)]
    # Many times as many as are served at a time, each of whom may take five seconds.
    assert status(gateway.socket)["version"] and time.monotonic() - begin < 8
    for connection in silent:
        connection.close()


def test_a_crowd_in_which_everybody_asks_is_answered(administered):
    gateway = administered()
    callers = [raw(gateway.socket) for _ in range(12)]
    for _ in range(200):
        for caller in callers:
            caller.send(b"\4\1")
        for caller in callers:
            assert caller.recv(65536)[0] == 4
    # Whoever asks and reads no answer is sent away, and holds up nobody.
    for _ in range(3_000):
        try:
            callers[0].send(b"\4\1", sockets.MSG_DONTWAIT)
        except (BlockingIOError, BrokenPipeError, ConnectionResetError):
            break
    assert status(gateway.socket)["version"]
    for caller in callers:
        caller.close()


def test_the_process_that_listens_to_people_holds_nothing(administered, account):
    gateway = administered()
    gateway.session(account)
    pid = clerk(gateway)
    assert proc.is_confined(pid) and proc.internet_states(pid) == []
    targets = [target for number, target in proc.descriptors(pid).items() if number > 2]
    assert len(targets) == 2 and all(target.startswith("socket:") for target in targets)


def test_another_one_takes_its_place_when_it_ends(administered, account):
    gateway = administered()
    session = gateway.session(account)
    first = clerk(gateway)
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: clerk(gateway) not in (None, first), what="another process")
    assert only(gateway)["user"] == account.name
    assert session.alive()


def test_no_session_has_anothers_page(administered, account):
    gateway = administered()
    for _ in range(3):
        gateway.session(account)
    for warden in gateway.wardens():
        for pid in proc.tree(warden):
            with open(f"/proc/{pid}/maps", encoding="utf-8") as maps:
                pages = [line for line in maps if "memfd:portcullis" in line]
            name = proc.name(pid)
            # An Agent has a journal of its own, which its Warden has too.
            assert len(pages) == {"ftps-session": 1, "ftps-agent": 1}[name], (name, pages)


# Kick.

def test_a_kicked_session_ends_in_the_middle_of_an_upload(administered, account, other_account):
    gateway = administered()
    session, other = gateway.session(account), gateway.session(other_account)
    data = uploading.begin(session, "STOR half")
    shown, = [one for one in sessions(gateway.socket) if one["user"] == account.name]
    assert answer(gateway.socket, "kick", shown["session"]) == "1 session ended\n"
    last = session.next(421)
    assert "administrator" in last.text and session.ended()
    data.close()
    wait_until(lambda: len(sessions(gateway.socket)) == 1, what="the end of the session")
    assert other.alive()
    log = gateway.log
    assert "session ended by an administrator" in log and "uid=0" in log
    # As with every other upload that was not brought to its end.
    assert re.search(r'STOR "/half" failed', log)


@pytest.mark.parametrize("atomic", ["YES", "NO"])
def test_a_kicked_upload_is_never_taken_for_a_whole_one(administered, account, atomic):
    gateway = administered(atomic_uploads=atomic)
    session = gateway.session(account)
    data = uploading.begin(session, "STOR f")
    answer(gateway.socket, "kick", "--user", account.name)
    assert session.ended(421)
    data.close()
    wait_until(lambda: not gateway.wardens(), what="the end of the session")
    if atomic == "YES":
        assert "f" not in uploading.names(account.home)
    assert not re.search(r'STOR "/f" ok', gateway.log)


def test_sessions_are_kicked_by_address(administered, account):
    gateway = administered()
    here = gateway.session(account)
    there = [gateway.session(account, source=f"127.0.1.{last}") for last in (1, 2)]
    before = gateway.control(source="127.0.1.3")
    assert answer(gateway.socket, "kick", "--address", "127.0.1.0/24") == "3 sessions ended\n"
    for session in (*there, before):
        assert session.ended(421)
    assert here.alive()
    done = ask(gateway.socket, "kick", "--address", "127.0.1.0/24")
    assert done.returncode == 1 and "no such session" in done.stderr
    done = ask(gateway.socket, "kick", "--address", "127.0.1.0/24", "--json")
    assert done.returncode == 1 and json.loads(done.stdout) == {"sessions": 0}
    shown, = wait_until(lambda: len(found := sessions(gateway.socket)) == 1 and found,
                        what="the end of the others")
    said = answer(gateway.socket, "kick", shown["session"], "--json")
    assert json.loads(said) == {"sessions": 1} and here.ended(421)


def test_a_kick_closes_the_pam_session(administered, account, tmp_path):
    witness = Witness(tmp_path)
    gateway = administered(pam_conf_dir=witness.directory)
    session = gateway.session(account)
    assert witness.open() == 1
    answer(gateway.socket, "kick", "--user", account.name)
    assert session.ended(421)
    witness.expect(0)


@pytest.mark.parametrize("words", [
    [], ["a", "--user", "b"], ["--address", "somewhere"], ["--address", "10.0.0.1/8"],
], ids=["nothing", "two", "no-address", "host-bits"])
def test_a_kick_names_exactly_what_is_meant(place, words):
    assert ask(place / "none", "kick", *words).returncode == 64


# Unlock.

GUESSING = {"delay_failed_login": "0", "max_login_fails": "9"}


def test_a_user_who_is_locked_out_is_let_in_again(administered, account, other_account):
    gateway = administered(user_lock_failures="1", ban_failures="0", **GUESSING)
    for each in (account, other_account):
        gateway.secrets.append(each.password)
        assert gateway.guess(each.name).code == 530
        assert gateway.guess(each.name, password=each.password).code == 530
    assert answer(gateway.socket, "unlock", "--user", account.name.upper()) \
        == "1 kept out no longer\n"
    assert gateway.guess(account.name, password=account.password).code == 230
    assert gateway.guess(other_account.name, password=other_account.password).code == 530
    done = ask(gateway.socket, "unlock", "--user", account.name, "--json")
    assert done.returncode == 1 and json.loads(done.stdout) == {"unlocked": 0}
    assert re.search(r'uid=0 which="user [^"]*" .*1 kept out no longer', gateway.log)


def test_addresses_that_are_banned_are_let_in_again(administered, account):
    gateway = administered(ban_failures="1", **GUESSING)
    sources = [f"127.0.1.{last}" for last in (1, 2, 3)]
    for source in sources:
        assert gateway.guess("nobody-of-ours", source).code == 530
        wait_until(lambda: gateway.control(source, greet=False).ended(421), what="the ban")
    assert answer(gateway.socket, "unlock", "--address", sources[0]) == "1 kept out no longer\n"
    assert gateway.session(account, source=sources[0]).alive()
    assert gateway.control(sources[1], greet=False).ended(421)
    said = answer(gateway.socket, "unlock", "--address", "127.0.1.0/24", "--json")
    assert json.loads(said) == {"unlocked": 2}
    assert gateway.session(account, source=sources[1]).alive()
    done = ask(gateway.socket, "unlock", "--address", sources[1])
    assert done.returncode == 1 and "nobody was kept out" in done.stderr


@pytest.mark.parametrize("words", [
    [], ["--user", "a", "--address", "127.0.0.1"], ["--address", "somewhere"],
], ids=["nothing", "two", "no-address"])
def test_an_unlock_names_exactly_who_is_meant(place, words):
    assert ask(place / "none", "unlock", *words).returncode == 64


# Reload.

def test_a_reload_exchanges_certificates_and_says_so(administered, account, tmp_path):
    first = make_certificate(tmp_path, "first")
    gateway = administered(rsa_cert_file=first.chain, rsa_private_key_file=first.key)
    assert status(gateway.socket)["last_reload"] is None
    assert "certificates loaded" in answer(gateway.socket, "reload")
    assert status(gateway.socket)["last_reload_done"] is True
    first.chain.write_text("nothing")
    done = ask(gateway.socket, "reload")
    assert done.returncode == 1 and "the old ones stay" in done.stderr
    assert status(gateway.socket)["last_reload_done"] is False
    done = ask(gateway.socket, "reload", "--json")
    said = json.loads(done.stdout)
    assert done.returncode == 1 and said["done"] is False and len(said["lines"]) == 1
    gateway.certificate = first


# Status.

def test_status_tells_how_the_server_is(administered, account, certificate):
    gateway = administered(max_clients="17", implicit_listen_port="0")
    gateway.session(account)
    gateway.control()
    shown = status(gateway.socket)
    assert shown["sessions"] == {"logged_in": 1, "before_login": 1, "leaving": 0}
    assert shown["limits"]["max_clients"] == 17
    assert shown["listening"][0] == f"127.0.0.1:{gateway.port}"
    assert shown["listening"][1].endswith(", implicit TLS")
    assert shown["processes"] == {
        "ftps-listener": gateway.pid, "ftps-signer": gateway.signers()[0],
        "ftps-clerk": clerk(gateway)}
    expiry = subprocess.run(
        ["openssl", "x509", "-in", certificate.chain, "-noout", "-enddate", "-dateopt", "iso_8601"],
        capture_output=True, text=True, check=True).stdout
    day = re.search(r"notAfter=(\S+)", expiry).group(1)
    lines = answer(gateway.socket, "status")
    assert f"certificate: {certificate.chain}, expires in" in lines
    assert day[:4] in lines and "last reload: never" in lines
    assert abs(shown["certificates"][0]["expires"] - shown["since"]) < 40 * 365 * 86_400
