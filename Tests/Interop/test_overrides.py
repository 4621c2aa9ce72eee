"""Every override point of a server inside another program is called, in both forms of concurrency.

The program is Tests/Probe, which may use what a program outside of this package may use.
"""

import ftplib
import io
import os
import pathlib
import pwd
import re
import socket
import subprocess
import time

import pytest

import proc
from control import finish, wait_until
from embedding import BUILT, combined
from gateway import PAM
from test_options import listen_locally, port_command
from test_pam_conversations import module, stack  # noqa: F401
from test_settings import CLEAR, CONTENT, plain, session
from uploading import begin, drop


def hooks(server):
    return re.findall(r"hook: (.*)", server.log)


def test_a_session_under_tls_from_its_beginning_to_its_end(probe, account):
    server = probe()
    ftp = server.ftp()
    ftp.storbinary("STOR f", io.BytesIO(CONTENT))
    ftp.retrbinary("RETR f", bytes)
    ftp.quit()
    server.wait_for("hook: disconnected")
    place = f"at {account.home}/f, {len(CONTENT)} bytes, took time: true"
    assert hooks(server) == [
        "connected to 127.0.0.1 from 127.0.0.1, port true", "secures", "flushed", "TLS stands",
        "user is in, secure: true", 'PASS with ""', f"received /f {place}", f"sent /f {place}",
        "TLS is over", "user is out", "disconnected"]


def test_parts_of_files_are_told_of_with_what_has_moved(probe, account):
    server = probe()
    control = session(server)
    data = begin(control, "STOR f")
    drop(data)
    control.next(426)
    server.wait_for(rf"hook: has a part of /f at {account.home}/f, \d+ bytes")
    account.file("large", bytes(50_000_000))
    data = control.connect_data()
    control.expect("RETR large", 150)
    data = control.wrap_data(data)
    data.recv(1)
    control.send("ABOR")
    control.next(426)
    control.next(226)
    data.close()
    server.wait_for(rf"hook: sent a part of /large at {account.home}/large, \d+ bytes")


def test_a_login_that_fails_has_a_hook_that_sees_no_password(probe):
    server = probe()
    with pytest.raises(ftplib.error_perm, match="530"):
        server.ftp("user", "secret-54321")
    server.wait_for("hook: user is not in")
    assert "secret-54321" not in server.log


def test_a_handler_may_greet_and_answer_in_its_own_way(probe):
    server = probe(ownGreeting=True)
    ftp = server.connect()
    assert ftp.getwelcome() == "220-Welcome\n220 in two lines"
    assert ftp.sendcmd("SYST") == "215 A system of its own."


@pytest.mark.parametrize(("limit", "words"), [
    ("maximumConnections", "All places are taken."),
    ("maximumConnectionsPerIP", "All your places are taken.")])
def test_who_finds_no_room_is_told_in_the_handlers_words(probe, limit, words):
    server = probe(**{limit: 1})
    first = server.connect()
    with pytest.raises(ftplib.error_temp, match=f"421 {words}"):
        server.connect()
    assert first.sendcmd("NOOP").startswith("200")


def test_a_session_may_close_itself_later(probe):
    server = probe(closeLater=300)
    with pytest.raises((EOFError, OSError, ftplib.Error)):
        server.ftp().getline()
    server.wait_for("hook: disconnected")
    assert "closes" in hooks(server) and "never" not in hooks(server)


def test_a_command_may_close_the_session(probe):
    control = probe().control().secure()
    control.expect("SITE BYE", 200)
    assert control.ended()


@pytest.mark.parametrize("end", ["stop", "close", "closeAll"])
def test_the_server_ends_when_it_is_told_to(probe, account, end):
    account.file("large", bytes(50_000_000))
    server = probe(**{end: 4000})
    idle, busy = session(server), session(server)
    data = busy.connect_data()
    busy.expect("RETR large", 150)
    data = busy.wrap_data(data)
    received = len(data.recv(1))
    server.wait_for(f"{end} is called")
    assert idle.ended(421)
    if end == "closeAll":
        server.process.wait(20)
    try:
        while piece := data.recv(1 << 20):
            received += len(piece)
    except OSError:
        pass
    data.close()
    # Transfers that run are finished, or ended where they are.
    assert (received == 50_000_000) == (end != "closeAll")
    assert server.process.wait(20) == 0
    assert "has served" in server.log and "never" not in server.log


def test_a_handshake_that_fails_is_told_of(probe):
    server = probe()
    control = server.control()
    control.expect("AUTH TLS", 234)
    control.raw(b"GET / HTTP/1.1\r\n\r\n")
    server.wait_for("hook: TLS failed")
    server.wait_for("hook: disconnected")
    assert "TLS stands" not in hooks(server)


def test_data_connections_have_override_points(probe, account):
    server = probe(ownDTP=True)
    control = session(server)
    assert control.store("STOR f", bytes(20_000)).code == 226
    assert len(control.retrieve("RETR f")) == 20_000
    assert (account.home / "f").stat().st_size == 20_000
    control.expect("NOOP", 200)
    said = hooks(server)
    assert not [line for line in said if line.startswith("a piece of")]
    order = ["127.0.0.1 at true, for user", "127.0.0.1 is it", "TLS stands for data"]
    assert [line for line in said if line in order] == order * 2
    assert said.count("TLS is over for data") == 2
    moved = [re.match(r"(\d+) bytes, receiving: (\w+), true", line) for line in said]
    assert [match[2] for match in moved if match] == ["true", "false"]
    # Five pieces of no more than a thousand bytes.
    assert all(int(match[1]) <= 5_000 for match in moved if match)


def test_an_upload_that_fails_ends_tls_without_a_word(probe):
    server = probe(ownDTP=True)
    control = session(server)
    drop(begin(control, "STOR f"))
    control.next(426)
    assert "TLS is over for data" not in hooks(server)


def test_a_subclass_says_how_long_the_client_may_take_to_connect(probe):
    server = probe(ownDTP=True)
    control = session(server)
    control.passive_port()
    start = time.monotonic()
    control.expect("LIST", 150)
    control.next(425)
    assert 0.5 < time.monotonic() - start < 15
    server.wait_for("hook: nobody came")


def test_a_subclass_turns_connections_away_that_the_rules_would_let_through(probe, account):
    account.file("f", CONTENT)
    server = probe(ownDTP=True, unwelcome="127.0.0.2", permitForeignAddresses=True, **CLEAR)
    ftp = plain(server)
    ftp.voidcmd("TYPE I")
    address = ftp.makepasv()
    with socket.create_connection(address, 20, source_address=("127.0.0.2", 0)) as other:
        assert ftp.sendcmd("RETR f").startswith("150")
        assert other.recv(1) == b""
    with socket.create_connection(address, 20) as data:
        assert b"".join(iter(lambda: data.recv(65536), b"")) == CONTENT
    assert ftp.voidresp().startswith("226")


def test_a_data_connection_without_tls_is_told_of(probe):
    server = probe(ownDTP=True)
    control = session(server)
    with control.connect_data() as data:
        control.expect("LIST", 150)
        data.sendall(b"GET / HTTP/1.1\r\n\r\n")
        control.next(522, 425)
    server.wait_for("hook: 127.0.0.1 cannot shake hands")


def test_active_connections_have_override_points(probe, account):
    server = probe(ownDTP=True)
    control = session(server)
    with listen_locally() as listener:
        command = port_command(listener)
        control.expect(command, 200)
        control.expect("LIST", 150)
        data, _ = listener.accept()
        finish(control.wrap_data(data))
        control.next(226)
        server.wait_for("hook: reached 127.0.0.1, port true")
        control.expect(command, 200)
        control.expect("LIST", 150)
        data, _ = listener.accept()
        data.sendall(b"GET / HTTP/1.1\r\n\r\n")
        control.next(522, 425)
        data.close()
        server.wait_for("hook: reached no TLS")
    control.expect(command, 200)
    control.expect("LIST", 150)
    control.next(425)
    server.wait_for("hook: 127.0.0.1 is not there")


def test_a_throttled_subclass_has_rates_of_its_own(probe):
    ftp = probe(throttled=True).ftp()
    begin_time = time.monotonic()
    ftp.storbinary("STOR f", io.BytesIO(bytes(450_000)))
    middle = time.monotonic()
    ftp.retrbinary("RETR f", lambda piece: None)
    # Less what may be made up for.
    assert middle - begin_time > 1
    assert time.monotonic() - middle > 1.5


def test_a_command_sends_what_a_sequence_holds(probe):
    control = session(probe())
    content = control.retrieve("SITE COUNT 10000")
    assert content == b"".join(b"number %d\r\n" % number for number in range(10_000))
    assert control.retrieve("SITE COUNT 0") == b""
    # By the rules that hold for downloads.
    control.expect("SITE COUNT 3", 425)
    control.expect("SITE COUNT", 501)


def test_a_command_sends_a_file_of_the_users(probe, account):
    account.file("f", CONTENT)
    (account.home / "way-out").symlink_to("/etc/passwd")
    control = session(probe())
    assert control.retrieve("SITE FETCH /f") == CONTENT
    for path in ("/none", "/way-out", "/../../../etc/passwd"):
        control.expect(f"SITE FETCH {path}", 550)


def test_a_producer_that_breaks_breaks_the_transfer(probe):
    control = session(probe())
    data = control.connect_data()
    control.expect("SITE BREAK", 150)
    with control.wrap_data(data) as data:
        assert data.recv(100) == b"one piece"
        # Without the end that TLS has: it must not look complete.
        with pytest.raises(OSError):
            data.recv(100)
    control.next(451)
    assert control.alive()


def test_nothing_is_sent_in_clear_by_a_command_of_the_programs_own(probe):
    control = probe().control().secure()
    control.expect("SITE COUNT 3", 530)
    control.expect("USER user", 331)
    control.expect("PASS 12345", 230)
    control.passive_port()
    control.expect("SITE COUNT 3", 521)


def test_files_may_be_called_otherwise_on_this_machine(probe, account, concurrency):
    server = probe(elsewhere=True)
    server.ftp().storbinary("STOR f", io.BytesIO(b"x"))
    # Another process keeps the files where sessions are processes; it puts the home in front.
    place = "elsewhere:/f" if concurrency == "threads" else f"{account.home}/f"
    server.wait_for(f"hook: received /f at {place}, 1 bytes")


def listed(ftp, command="LIST"):
    lines = []
    ftp.retrlines(command, lines.append)
    return lines


@pytest.mark.parametrize(("wishes", "targets"), [
    ({}, {"link": "/etc/passwd", "secret": "f"}),
    ({"elsewhere": True}, {"link": "/etc/passwd", "secret": "f"}),
    ({"ownFiles": True}, {"link": "told?by the program"})], ids=["kernel", "inherited", "own"])
def test_listings_show_where_links_lead(probe, account, wishes, targets):
    account.file("f", b"")
    (account.home / "link").symlink_to("/etc/passwd")
    (account.home / "secret").symlink_to("f")
    ftp = probe(**wishes).ftp()
    shown = [re.search(r"\d\d:\d\d (.*)", line)[1] for line in listed(ftp)]
    names = ["f", "link", "secret"]
    expected = [f"{name} -> {targets[name]}" if name in targets else name for name in names]
    assert sorted(shown) == expected
    assert f"link -> {targets['link']}" in ftp.sendcmd("STAT /")
    assert sorted(ftp.nlst()) == names


def test_lines_of_listings_are_the_programs_and_remain_lines(probe, account):
    account.file("f", b"12")
    (account.home / "d").mkdir()
    account.file("d/g", b"")
    ftp = probe(ownLines=True).ftp()
    assert listed(ftp) == ["/: d, true", "/: f, false??and more"]
    assert listed(ftp, "LIST d") == ["/d: g, false??and more"]
    assert listed(ftp, "LIST f") == ["/: f, false??and more"]
    assert " /: f, false??and more" in ftp.sendcmd("STAT f").split("\n")


def test_facts_are_the_programs_and_end_before_the_name(probe, account):
    account.file("a name", b"12")
    ftp = probe(ownLines=True).ftp()
    assert listed(ftp, "MLSD") == ["type=file;X.place=/a?name??at; a name"]
    assert ftp.sendcmd("MLST a name").split("\n")[1] == " type=file;X.place=/a?name??at; /a name"


def test_a_program_changes_an_entry_and_leaves_the_line_to_the_library(probe, account):
    account.file("f", b"12")
    ftp = probe(ownSizes=True).ftp()
    assert re.fullmatch(r"-rw-.* 1000002 \w{3} \d\d \d\d:\d\d f\*?", listed(ftp)[0])
    assert ftp.sendcmd("OPTS MLST type;size;").startswith("200")
    assert listed(ftp, "MLSD") == ["type=file;size=1000002; f"]


def test_lines_of_the_log_about_commands_and_transfers_are_the_programs(probe):
    server = probe(ownLog=True)
    ftp = server.ftp()
    ftp.storbinary("STOR f", io.BytesIO(CONTENT))
    with pytest.raises(ftplib.error_perm, match="550"):
        ftp.delete("none")
    with pytest.raises(ftplib.error_perm, match="501"):
        ftp.sendcmd("NOOP now")
    with pytest.raises(ftplib.error_perm, match="500"):
        ftp.sendcmd("PSAS secret-54321")
    with pytest.raises(ftplib.error_perm, match="50[0-4]"):
        ftp.sendcmd("SITE PSWD secret-54321 other")
    listed(ftp)
    ftp.sendcmd("XECHO hello")
    ftp.sendcmd("SITE CHMOD 600 f")
    ftp.quit()
    server.wait_for(r'own: QUIT "" 221')
    told = re.findall(r'own: (.*)', server.log)
    assert [line for line in told if line.startswith("PASS")] == ['PASS "" 230 Login successful.']
    transfers = [line for line in told if line.startswith("transfer")]
    assert transfers == [f"transfer STOR /f {len(CONTENT)} true\\x0Ain two lines"]
    assert any(line.startswith('STOR "f" 226') for line in told)
    assert any(line.startswith('DELE "none" 550') for line in told)
    assert any(line.startswith('NOOP "now" 501') for line in told)
    assert 'XECHO "hello" 200 hello' in told
    assert any(line.startswith('SITE "CHMOD 600 f" 200') for line in told)
    # The usual line is gone, and the one of a listing altogether.
    assert "proof=" not in server.log
    assert not [line for line in told if "54321" in line]


def test_paths_are_mapped_both_ways(probe):
    assert probe(elsewhere=True).ftp().sendcmd("AVBL").startswith("213 1")


def test_a_command_without_site_is_gated_and_shown_like_the_others(probe):
    server = probe()
    stranger = server.connect()
    stranger.auth()
    with pytest.raises(ftplib.error_perm, match="530"):
        stranger.sendcmd("XECHO hello")
    ftp = server.ftp()
    assert ftp.sendcmd("xecho hello there") == "200 hello there"
    with pytest.raises(ftplib.error_perm, match="501"):
        ftp.sendcmd("XECHO")
    assert "XECHO" in ftp.sendcmd("HELP")
    assert ftp.sendcmd("HELP XECHO") == "214 XECHO text: Say it again."
    assert " XECHO" in ftp.sendcmd("FEAT").split("\n")
    with pytest.raises(ftplib.error_perm, match="550"):
        server.ftp("anonymous", "").sendcmd("XECHO hello")


def test_a_command_that_fails_is_no_end_of_the_session(probe):
    server = probe()
    ftp = server.ftp()
    with pytest.raises(ftplib.error_perm, match="550 SITE FAIL failed"):
        ftp.sendcmd("SITE FAIL")
    assert ftp.sendcmd("NOOP").startswith("200")
    server.wait_for("SITE FAIL failed: failed")


def sleepers(server):
    """Every process and thread of the server that sleeps: its name, and whose rights it has."""
    found = set()
    for pid in {server.process.pid, *proc.of_session(server.process.pid)}:
        for task in os.listdir(f"/proc/{pid}/task"):
            place = pathlib.Path(f"/proc/{pid}/task/{task}")
            try:
                if "nanosleep" in (place / "wchan").read_text(encoding="ascii"):
                    status = (place / "status").read_text(encoding="ascii")
                    owner = re.search(r"Uid:\t(\d+)", status)[1]
                    found.add(((place / "comm").read_text(encoding="ascii").strip(), int(owner)))
            except (FileNotFoundError, ProcessLookupError):
                pass
    return found


@pytest.mark.parametrize(("slow", "wishes", "process", "owner", "thread"), [
    ("hook", {}, "ftps-session", "nobody", "ftp-session"),
    ("authorizer", {"watchful": True}, "ftps-warden", "root", "ftp-session"),
    ("files", {"elsewhere": True}, "ftps-agent", None, "ftp-session"),
    ("event", {"eventAccount": None}, "ftps-hooks", None, "ftp-hooks"),
    ("timer", {}, "ftps-listener", "root", "Probe")])
def test_what_a_program_has_written_runs_where_it_is_said_to(
        probe, account, concurrency, slow, wishes, process, owner, thread):
    wishes = {name: account.name if value is None else value for name, value in wishes.items()}
    server = probe(slow=slow, **wishes)
    # While its own thread or process sleeps, nobody comes in.
    if slow != "timer":
        control = server.control().secure()
        control.expect("USER user", 331)
        control.send("PASS 12345")
    if slow == "files":
        control.next(230)
        control.send("CWD /")
    uid = pwd.getpwnam(owner or account.name).pw_uid
    expected = (process, uid) if concurrency == "processes" else (thread, 0)
    wait_until(lambda: sleepers(server) == {expected}, 10, expected)
    if slow not in ("event", "timer"):
        control.next(230, 250)


def test_anybody_may_be_an_account_of_the_system(probe, account):
    account.file("f", b"content")
    server = probe(services=PAM, anonymousUser=account.name)
    ftp = server.ftp("anonymous", "somebody@example.com")
    received = bytearray()
    ftp.retrbinary("RETR f", received.extend)
    assert received == b"content"
    ftp.storbinary("STOR new", io.BytesIO(b"new"))
    assert (account.home / "new").stat().st_uid == account.uid
    ftp.quit()
    assert server.ftp(account.name, account.password).nlst()
    with pytest.raises(ftplib.error_perm, match="530"):
        server.ftp(account.name, "wrong")


def test_a_user_of_the_system_may_have_another_home_and_other_permissions(probe, account):
    place = account.home / "inner"
    place.mkdir()
    os.chown(place, account.uid, account.gid)
    (place / "f").write_bytes(b"inner")
    server = probe(services=PAM, overrideUser=account.name, overrideHome=place,
                   overridePermissions="elr")
    ftp = server.ftp(account.name, account.password)
    assert ftp.nlst() == ["f"]
    with pytest.raises(ftplib.error_perm, match="550"):
        ftp.storbinary("STOR g", io.BytesIO(b"x"))
    assert probe(services=PAM, overrideUser="nobody", overridePermissions="e").ftp(
        account.name, account.password).nlst() == ["inner"]


def test_a_server_is_there_while_something_else_is_done(
        probe, account, certificate, tmp_path, concurrency):
    if concurrency == "threads":
        account.file("f", b"")
        server = probe(serveWhile=3000)
        assert server.ftp().nlst() == ["f"]
        server.wait_for("the body is over")
        assert server.process.wait(20) == 0
        assert "hook: disconnected" in server.log
        return
    ended = subprocess.run(
        [BUILT / "Probe", "0", account.home, combined(certificate, tmp_path), "serveWhile=1",
         concurrency], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode != 0
    assert "concurrency: processes cannot be forked" in ended.stderr, ended.stderr
    assert "the body runs" not in ended.stderr


def test_an_authorizer_is_told_who_acts_as_whom(probe, concurrency):
    server = probe(watchful=True)
    server.ftp().quit()
    # The session's last words come before its user is given up.
    server.wait_for("hook: disconnected" if concurrency == "processes" else "no longer impersonates")
    told = re.findall(r"(?:no longer )?impersonates user", server.log)
    assert told == (["impersonates user", "no longer impersonates user"]
                    if concurrency == "threads" else [])


def test_a_hook_does_something_with_the_rights_of_the_user(probe, account, concurrency, tmp_path):
    server = probe(services=PAM)
    ftp = server.ftp(account.name, account.password)
    file = account.home / "made"
    if concurrency == "threads":
        assert ftp.sendcmd(f"SITE TOUCH {file}").startswith("200")
        assert file.stat().st_uid == account.uid
        with pytest.raises(ftplib.error_perm, match="550"):
            ftp.sendcmd(f"SITE TOUCH {tmp_path}/made")
        return
    # A session that is a process has no files at all, and ends by the first that it opens.
    with pytest.raises((EOFError, OSError, ftplib.Error)):
        ftp.sendcmd(f"SITE TOUCH {file}")
    assert not file.exists()


def test_a_second_question_is_asked_by_processes_and_refused_by_threads(
        probe, account, concurrency, stack):  # noqa: F811
    services = stack('unix\nask shown [Code: ] 654321')["pam_conf_dir"]
    server = probe(services=services)
    ftp = server.connect()
    ftp.auth()
    ftp.sendcmd(f"USER {account.name}")
    if concurrency == "processes":
        assert ftp.sendcmd(f"PASS {account.password}").startswith("332")
        assert ftp.sendcmd("ACCT 654321").startswith("230")
        return
    with pytest.raises(ftplib.error_perm, match="530"):
        ftp.sendcmd(f"PASS {account.password}")
    server.wait_for("login refused")
