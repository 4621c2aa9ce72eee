"""Servers that are part of another program: each example, in both forms of concurrency."""

import ftplib
import io
import os
import pwd
import re
import signal
import socket
import ssl
import subprocess
import time

import pytest

import proc
from control import VERSIONS, wait_until
from embedding import BUILT, Example, combined
from gateway import PAM, ROOT, ResumingFTP

CONTENT = bytes(range(256)) * 4000


@pytest.fixture
def example(certificate, account, tmp_path, concurrency):
    """Starts examples that serve the account's home."""
    started = []

    def start(name, source=None, *more):
        if not (BUILT / name).exists():
            pytest.skip(f"{name} is not built: swift build -c release --product {name}")
        program = Example(name, certificate, source or account.home,
                          combined(certificate, tmp_path), *more, concurrency)
        started.append(program)
        return program

    yield start
    for program in started:
        program.stop()


def test_no_example_has_forty_lines():
    directories = [path for path in (ROOT / "Sources/Examples").iterdir() if path.name != "Clients"]
    assert len(directories) == 11
    for directory in directories:
        lines = [line for file in directory.rglob("*.swift")
                 for line in file.read_text(encoding="utf-8").splitlines()]
        assert 0 < len(lines) < 40, directory.name


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", [ftplib.FTP_TLS, ResumingFTP])
@pytest.mark.parametrize("passive", [True, False], ids=["passive", "active"])
def test_the_minimal_server_takes_and_sends_files(example, account, version, kind, passive):
    server = example("MinimalServer")
    ftp = server.ftp(kind=kind, version=version)
    ftp.set_pasv(passive)
    assert ftp.sock.version() == version
    for name in ("one", "two"):
        assert ftp.storbinary(f"STOR {name}", io.BytesIO(CONTENT)).startswith("226")
        if kind is ResumingFTP:
            assert ftp.reused
    assert (account.home / "one").read_bytes() == CONTENT
    received = bytearray()
    assert ftp.retrbinary("RETR two", received.extend).startswith("226")
    assert received == CONTENT
    assert sorted(ftp.nlst()) == ["one", "two"]
    assert [name for name, facts in ftp.mlsd() if facts["type"] == "file"] == ["one", "two"]
    ftp.rename("two", "three")
    ftp.mkd("directory")
    ftp.delete("one")
    assert sorted(path.name for path in account.home.iterdir()) == ["directory", "three"]
    assert ftp.quit().startswith("221")


def test_nothing_is_served_in_clear(example):
    server = example("MinimalServer")
    plain = server.connect(ftplib.FTP)
    with pytest.raises(ftplib.error_perm, match="530 TLS is required"):
        plain.login("user", "12345")
    secure = server.connect()
    secure.login("user", "12345")
    secure.sendcmd("PBSZ 0")
    with pytest.raises(ftplib.error_perm, match="534"):
        secure.prot_c()
    with pytest.raises(ftplib.error_perm, match="521"):
        secure.nlst()


def test_nobody_leaves_the_home(example, account):
    (account.home / "way-out").symlink_to("/etc")
    ftp = example("MinimalServer").ftp()
    for path in ("/etc/passwd", "../../../../etc/passwd", "way-out/passwd"):
        with pytest.raises(ftplib.error_perm, match="550"):
            ftp.retrbinary(f"RETR {path}", bytes)


def test_what_the_letters_withhold_is_refused(example, account):
    account.file("here.txt", b"here")
    ftp = example("MinimalServer").ftp("anonymous", "somebody@example.com")
    received = bytearray()
    ftp.retrbinary("RETR here.txt", received.extend)
    assert received == b"here"
    with pytest.raises(ftplib.error_perm, match="550"):
        ftp.delete("here.txt")
    with pytest.raises(ftplib.error_perm, match="55[03]"):
        ftp.storbinary("STOR new.txt", io.BytesIO(b"new"))
    assert [path.name for path in account.home.iterdir()] == ["here.txt"]


def test_a_wrong_password_is_refused_three_times(example):
    server = example("HookedServer")
    ftp = server.connect()
    for _ in range(3):
        with pytest.raises(ftplib.error_perm, match="530 Login incorrect"):
            ftp.login("user", "54321")
    with pytest.raises((EOFError, OSError, ftplib.Error)):
        ftp.login("user", "12345")
    server.wait_for("hook: disconnected")
    assert server.log.count("hook: user is not in") == 3
    assert "54321" not in server.log


def test_hooks_are_called_in_their_order(example, account):
    server = example("HookedServer")
    ftp = server.ftp()
    ftp.storbinary("STOR up.bin", io.BytesIO(CONTENT))
    ftp.retrbinary("RETR up.bin", lambda piece: None)
    ftp.nlst()
    ftp.quit()
    server.wait_for("hook: disconnected")
    said = re.findall(r"hook: (.*)", server.log)
    assert said == ["connected from 127.0.0.1", "user is in, TLS true", "received /up.bin",
                    "sent /up.bin", "user is out", "disconnected"]


def test_transfers_that_break_off_have_hooks_of_their_own(example, account):
    server = example("HookedServer")
    ftp = server.ftp()
    data, _ = ftp.ntransfercmd("STOR part.bin")
    data.sendall(CONTENT)
    # Closed without close_notify: perhaps somebody cut it.
    socket.socket.close(data)
    data.detach()
    with pytest.raises(ftplib.Error, match="426"):
        ftp.voidresp()
    server.wait_for("hook: part of /part.bin")
    assert "hook: received /part.bin" not in server.log
    account.file("large.bin", CONTENT * 16)
    data, _ = ftp.ntransfercmd("RETR large.bin")
    data.recv(1)
    ftp.putcmd("ABOR")
    # Without close_notify: it must not look complete.
    with pytest.raises(ssl.SSLError):
        while data.recv(65536):
            pass
    data.close()
    assert ftp.getline().startswith("426")
    assert ftp.getline().startswith("226")
    server.wait_for("hook: part sent /large.bin")


def test_a_command_of_the_programs_own_is_gated_like_the_others(example):
    server = example("UsageCommand")
    stranger = server.connect()
    stranger.auth()
    with pytest.raises(ftplib.error_perm, match="530"):
        stranger.sendcmd("SITE USAGE")
    ftp = server.ftp()
    assert ftp.sendcmd("SITE USAGE") == "200 user is in /"
    assert ftp.sendcmd("site usage") == "200 user is in /"
    with pytest.raises(ftplib.error_perm, match="501"):
        ftp.sendcmd("SITE USAGE of what")
    assert "SITE USAGE: Tell who is asking." in ftp.sendcmd("SITE HELP")
    assert ftp.sendcmd("SITE HELP usage") == "214 SITE USAGE: Tell who is asking."
    assert " SITE USAGE" in ftp.sendcmd("FEAT").split("\n")
    anonymous = server.ftp("anonymous", "")
    with pytest.raises(ftplib.error_perm, match="550"):
        anonymous.sendcmd("SITE USAGE")


def test_sessions_do_not_wait_for_each_other(example, account):
    account.file("large.bin", CONTENT * 16)
    server = example("MinimalServer")
    slow = server.ftp()
    slow.voidcmd("TYPE I")
    data, _ = slow.ntransfercmd("RETR large.bin")
    others = [server.ftp() for _ in range(10)]
    for number, ftp in enumerate(others):
        assert ftp.storbinary(f"STOR {number}", io.BytesIO(CONTENT)).startswith("226")
    received = bytearray()
    while piece := data.recv(65536):
        received += piece
    data.close()
    assert slow.voidresp().startswith("226")
    assert received == CONTENT * 16


def test_threads_start_no_process(example, concurrency):
    if concurrency != "threads":
        pytest.skip("processes do")
    server = example("MinimalServer")
    ftp = server.ftp()
    ftp.nlst()
    assert not server.children()
    ftp.quit()


def test_a_session_that_ends_leaves_nothing_open(example, concurrency):
    if concurrency != "threads":
        pytest.skip("a process takes everything with it")
    server = example("MinimalServer")
    directory = f"/proc/{server.process.pid}"

    def held():
        return len(os.listdir(f"{directory}/fd")), len(os.listdir(f"{directory}/task"))

    before = held()
    for _ in range(20):
        ftp = server.ftp()
        ftp.storbinary("STOR file", io.BytesIO(b"x"))
        ftp.makepasv()
        ftp.close()
    wait_until(lambda: held() == before, 10, f"{before}, and it is {held()}")


def test_files_in_memory_are_files_like_any_other(example, account):
    ftp = example("InMemoryFileSystem").ftp()
    for name in ("one", "two"):
        assert ftp.storbinary(f"STOR {name}", io.BytesIO(CONTENT)).startswith("226")
    ftp.storbinary("APPE one", io.BytesIO(b"tail"))
    received = bytearray()
    ftp.retrbinary("RETR one", received.extend)
    assert received == CONTENT + b"tail"
    ftp.storbinary("STOR two", io.BytesIO(b"new"), rest=len(CONTENT) - 2)
    ftp.voidcmd("TYPE I")
    assert ftp.size("two") == len(CONTENT) + 1
    received = bytearray()
    ftp.retrbinary("RETR one", received.extend, rest=len(CONTENT))
    assert received == b"tail"
    ftp.mkd("folder")
    ftp.rename("two", "folder/three")
    assert ftp.nlst() == ["folder", "one"]
    assert ftp.nlst("folder") == ["folder/three"]
    # MLSD comes in the order that the files have, which is none here.
    assert sorted((name, facts["type"]) for name, facts in ftp.mlsd()) == [
        ("folder", "dir"), ("one", "file")]
    lines = []
    ftp.retrlines("LIST", lines.append)
    assert [line[0] + line.split()[-1] for line in lines] == ["dfolder", "-one"]
    ftp.sendcmd("MFMT 20200102030405 one")
    assert ftp.sendcmd("MDTM one") == "213 20200102030405"
    with pytest.raises(ftplib.error_perm, match="550"):
        ftp.rmd("folder")
    ftp.cwd("folder")
    assert ftp.pwd() == "/folder"
    ftp.delete("three")
    ftp.cwd("..")
    ftp.rmd("folder")
    assert ftp.nlst() == ["one"]
    with pytest.raises(ftplib.error_perm, match="550"):
        ftp.retrbinary("RETR ../../etc/passwd", bytes)
    assert not list(account.home.iterdir())


def test_an_upload_into_memory_that_breaks_off_is_no_file(example):
    ftp = example("InMemoryFileSystem").ftp()
    ftp.voidcmd("TYPE I")
    data, _ = ftp.ntransfercmd("STOR part")
    data.sendall(CONTENT)
    socket.socket.close(data)
    data.detach()
    with pytest.raises(ftplib.Error, match="426"):
        ftp.voidresp()
    assert ftp.nlst() == []


def test_what_one_client_stores_in_memory_another_one_finds(example, concurrency):
    if concurrency != "threads":
        pytest.skip("processes share no memory")
    server = example("InMemoryFileSystem")
    server.ftp().storbinary("STOR shared", io.BytesIO(b"shared"))
    received = bytearray()
    server.ftp().retrbinary("RETR shared", received.extend)
    assert received == b"shared"


def test_users_of_the_system_work_as_themselves(example, account, other_account):
    server = example("UnixUsers", PAM)
    (account.home / "mine").write_bytes(b"mine")
    (account.home / "roots").write_bytes(b"roots")
    (account.home / "roots").chmod(0o600)
    os.chown(account.home / "mine", account.uid, account.gid)
    first = server.ftp(account.name, account.password)
    other = server.ftp(other_account.name, other_account.password)
    first.storbinary("STOR new", io.BytesIO(b"new"))
    other.storbinary("STOR new", io.BytesIO(b"new"))
    for owner in (account, other_account):
        status = (owner.home / "new").stat()
        assert (status.st_uid, status.st_gid) == (owner.uid, owner.gid)
    received = bytearray()
    first.retrbinary("RETR mine", received.extend)
    assert received == b"mine"
    # What the kernel keeps from the user, the program does not give.
    with pytest.raises(ftplib.error_perm, match="550"):
        first.retrbinary("RETR roots", bytes)
    first.quit()
    other.quit()
    third = server.ftp(other_account.name, other_account.password)
    third.delete("new")
    assert proc.status(server.process.pid)["Uid"].split()[:3] == ["0", "0", "0"]


def test_users_of_the_system_need_their_password(example, account):
    ftp = example("UnixUsers", PAM).connect()
    with pytest.raises(ftplib.error_perm, match="530"):
        ftp.login(account.name, "wrong")
    with pytest.raises(ftplib.error_perm, match="530"):
        ftp.login("root", "wrong")


@pytest.fixture
def user_file(account, tmp_path):
    password_hash = subprocess.run(["openssl", "passwd", "-6", "12345"], check=True, text=True,
                                   capture_output=True).stdout.strip()
    file = tmp_path / "users"
    file.write_text(f"# users\n\nuser:{password_hash}:{account.home}:elr\n")
    return file


def test_users_of_a_file_log_in(example, account, user_file):
    account.file("here.txt", b"here")
    ftp = example("VirtualUsers", user_file).ftp()
    assert ftp.nlst() == ["here.txt"]
    with pytest.raises(ftplib.error_perm, match="550"):
        ftp.delete("here.txt")


def test_hashes_are_enough(example, account):
    server = example("HashedPasswords")
    with pytest.raises(ftplib.error_perm, match="530"):
        server.ftp(password="54321")
    ftp = server.ftp()
    ftp.storbinary("STOR here", io.BytesIO(b"here"))
    assert (account.home / "here").read_bytes() == b"here"


def test_a_limited_transfer_takes_its_time(example, account):
    ftp = example("Throttling").ftp()
    begin = time.monotonic()
    ftp.storbinary("STOR slow", io.BytesIO(bytes(450_000)))
    middle = time.monotonic()
    ftp.retrbinary("RETR slow", lambda piece: None)
    end = time.monotonic()
    # 300,000 bytes a second one way and 200,000 the other, less what may be made up for.
    assert middle - begin > 1.1
    assert end - middle > 1.7


def test_the_address_beyond_a_nat_is_announced(example):
    server = example("BehindNAT")
    ftp = server.ftp()
    numbers = re.search(r"\(([0-9,]+)\)", ftp.sendcmd("PASV"))[1].split(",")
    assert numbers[:4] == ["203", "0", "113", "5"]
    assert 60_000 <= int(numbers[4]) * 256 + int(numbers[5]) <= 60_999
    context = server.context()
    context.check_hostname = False
    inner = ftplib.FTP_TLS(context=context, timeout=20)
    inner.connect("127.0.0.2", server.port)
    server.clients.append(inner)
    inner.login("user", "12345")
    assert "(127,0,0,2," in inner.sendcmd("PASV")
    with pytest.raises(ftplib.error_perm, match="502"):
        ftp.sendcmd("PORT 127,0,0,1,200,1")


def scanned(account):
    return sorted(path.name for path in account.home.iterdir() if path.suffix == ".scanned")


def test_what_acts_on_files_delays_no_client_and_loses_nothing(example, account):
    server = example("MovingUploads", None, account.name)
    ftp = server.ftp()
    names = [f"{number:02}" for number in range(8)]
    begin = time.monotonic()
    for name in names:
        ftp.storbinary(f"STOR {name}", io.BytesIO(b"content"))
    # Acting on them takes 2.4 seconds.
    assert time.monotonic() - begin < 1.5
    wait_until(lambda: scanned(account) == [f"{name}.scanned" for name in names], 15, "all of them")
    assert len(list(account.home.iterdir())) == len(names)


def test_the_end_of_the_server_waits_for_what_acts_on_files(example, account, concurrency):
    if concurrency != "processes":
        pytest.skip("SIGTERM ends a program that has said nothing else")
    server = example("MovingUploads", None, account.name)
    ftp = server.ftp()
    for number in range(5):
        ftp.storbinary(f"STOR {number}", io.BytesIO(b"content"))
    ftp.quit()
    server.process.terminate()
    server.process.wait(20)
    assert len(scanned(account)) == 5


def helper(server, name):
    """The process of the example's session that has this name, if there is one."""
    found = [pid for pid in proc.of_session(server.process.pid) if proc.name(pid) == name]
    return found[0] if found else None


def test_what_acts_on_files_has_an_accounts_rights_and_may_crash(example, account, concurrency):
    if concurrency != "processes":
        pytest.skip("a thread has the program's rights")
    server = example("MovingUploads", None, account.name)
    ftp = server.ftp()
    end = "has ended by one of them"
    lost = None
    # It takes 0.3 seconds for a file; on a busy machine it may be done before it is killed.
    for name in ("1", "2", "3", "4", "5"):
        ftp.storbinary(f"STOR {name}", io.BytesIO(b"content"))
        pid = wait_until(lambda: helper(server, "ftps-hooks"), 5, "the process of the hooks")
        wait_until(lambda number=pid: set(proc.status(number)["Uid"].split()) == {str(account.uid)},
                   5, "its rights")
        assert sorted(map(int, proc.status(pid)["Groups"].split())) == account.groups
        os.kill(pid, 9)
        wait_until(lambda file=f"{name}.scanned": end in server.log or file in scanned(account), 5,
                   "its end, or that of the file")
        if end in server.log:
            lost = f"{name}.scanned"
            break
    for name in ("second", "third"):
        ftp.storbinary(f"STOR {name}", io.BytesIO(b"content"))
    wait_until(lambda: scanned(account)[-2:] == ["second.scanned", "third.scanned"], 10, "the others")
    assert lost and lost not in scanned(account)


@pytest.fixture
def service(certificate, account, tmp_path):
    program = Example("EmbeddedInService", certificate, account.home,
                      combined(certificate, tmp_path))
    yield program
    program.stop()


def test_a_service_finishes_its_transfers_when_it_is_to_end(service, account):
    account.file("large.bin", CONTENT * 16)
    idle, busy = service.ftp(), service.ftp()
    busy.voidcmd("TYPE I")
    data, _ = busy.ntransfercmd("RETR large.bin")
    service.process.terminate()
    # The idle one is told to go, and nobody else comes in.
    assert idle.getline().startswith("421")
    received = bytearray()
    while piece := data.recv(65536):
        received += piece
    data.close()
    assert received == CONTENT * 16
    assert busy.voidresp().startswith("226")
    assert service.process.wait(20) == 0


def test_a_service_that_is_cancelled_ends_its_transfers(service, account):
    account.file("large.bin", CONTENT * 16)
    ftp = service.ftp()
    ftp.voidcmd("TYPE I")
    data, _ = ftp.ntransfercmd("RETR large.bin")
    service.process.send_signal(signal.SIGINT)
    service.process.wait(20)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        while data.recv(65536):
            pass
    data.close()


def test_hooks_of_processes_have_no_rights_and_no_files(example, concurrency):
    if concurrency != "processes":
        pytest.skip("a thread has the program's rights")
    server = example("HookedServer")
    ftp = server.ftp()
    pid = helper(server, "ftps-session")
    status = proc.status(pid)
    assert set(status["Uid"].split()) == {str(pwd.getpwnam("nobody").pw_uid)}
    assert int(status["CapEff"], 16) == 0
    assert status["Seccomp"] == "2"
    opened = [os.readlink(f"/proc/{pid}/fd/{number}") for number in os.listdir(f"/proc/{pid}/fd")]
    assert all(name.startswith(("socket:", "/dev/null", "/memfd:")) for name in opened), opened
    ftp.quit()
