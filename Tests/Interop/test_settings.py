"""Every setting of a server inside another program does what it says, in both forms of concurrency.

The program is Tests/Probe, which may use what a program outside of this package may use.
"""

import contextlib
import ftplib
import io
import os
import socket
import ssl
import subprocess
import time

import pytest

from certificates import make_certificate
from control import Closed, client_context, finish, read_all
from embedding import BUILT, combined
from gateway import ResumingFTP
from tracing import count, traced
from uploading import begin, drop

CLEAR = {"tlsControlRequired": False, "tlsDataRequired": False}
CONTENT = bytes(range(256)) * 4000


def plain(server, user="user", password="12345", **options):
    client = ftplib.FTP(timeout=20, **options)
    server.clients.append(client)
    client.connect("127.0.0.1", server.port)
    client.login(user, password)
    return client


def port(address, number):
    return f"PORT {address.replace('.', ',')},{number >> 8},{number & 255}"


def session(server):
    """A control connection of ours, under TLS and logged in."""
    control = server.control().secure().protect()
    control.expect("USER user", 331)
    control.expect("PASS 12345", 230)
    return control


def test_the_greeting_and_the_users_own_words(probe):
    server = probe(banner="Come in", loginMessage="Hello there", quitMessage="So long")
    ftp = server.connect()
    assert ftp.getwelcome() == "220 Come in"
    assert ftp.login("user", "12345") == "230 Hello there"
    assert ftp.quit() == "221 So long"
    other = server.connect()
    assert other.login("anonymous", "") == "230 Login successful."


def test_a_client_that_is_silent_is_told_in_the_programs_words(probe):
    server = probe(timeout=1500)
    ftp = server.ftp()
    assert ftp.getline() == "421 You were silent for too long."
    server.wait_for("hook: timeout")


def test_a_login_that_takes_too_long_ends(probe):
    control = probe(loginTimeout=300).control()
    control.next(421)
    assert control.ended()


def test_failed_logins_are_counted_and_delayed(probe):
    server = probe(maxLoginAttempts=2, authFailedTimeout=900)
    ftp = server.connect()
    start = time.monotonic()
    with pytest.raises(ftplib.error_perm, match="530"):
        ftp.login("user", "wrong")
    assert time.monotonic() - start > 0.9
    with pytest.raises(ftplib.error_perm, match="530"):
        ftp.login("user", "wrong")
    with pytest.raises((EOFError, OSError, ftplib.Error)):
        ftp.login("user", "12345")
    server.wait_for("hook: user is not in")


def test_an_address_is_banned_after_so_many_failures(probe):
    server = probe(banFailures=2)
    ftp = server.connect()
    for _ in range(2):
        with pytest.raises(ftplib.error_perm, match="530"):
            ftp.login("user", "wrong")
    with pytest.raises(ftplib.all_errors):
        server.ftp()


@pytest.mark.parametrize("permitted", [False, True])
def test_foreign_addresses_are_permitted_or_not(probe, account, permitted):
    account.file("f", CONTENT)
    ftp = plain(probe(permitForeignAddresses=permitted, passiveTimeout=3000, **CLEAR))
    ftp.voidcmd("TYPE I")
    address = ftp.makepasv()
    with socket.create_connection(address, 20, source_address=("127.0.0.2", 0)) as data:
        if not permitted:
            assert ftp.sendcmd("RETR f").startswith("150")
            with pytest.raises(ftplib.error_temp, match="425"):
                ftp.voidresp()
        else:
            assert ftp.sendcmd("RETR f").startswith("150")
            received = b"".join(iter(lambda: data.recv(65536), b""))
            assert received == CONTENT
            data.close()
            assert ftp.voidresp().startswith("226")
    command = port("127.0.0.2", 40_000)
    if permitted:
        assert ftp.sendcmd(command).startswith("200")
    else:
        with pytest.raises(ftplib.error_perm, match="500"):
            ftp.sendcmd(command)


@pytest.mark.parametrize("permitted", [False, True])
def test_privileged_ports_are_permitted_or_not(probe, permitted):
    ftp = probe(permitPrivilegedPorts=permitted).ftp()
    command = port("127.0.0.1", 1023)
    if permitted:
        assert ftp.sendcmd(command).startswith("200")
    else:
        with pytest.raises(ftplib.error_perm, match="500"):
            ftp.sendcmd(command)


def test_no_other_passive_port_is_used_than_the_program_names(probe):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = free.getsockname()[1]
    server = probe(passivePort=number)
    first, second = session(server), session(server)
    assert first.passive_port() == number
    reply = second.expect("EPSV", 425)
    assert "No passive port is free" in reply.text


@pytest.mark.parametrize("gmt", [True, False])
def test_listings_show_the_time_of_greenwich_or_of_here(probe, account, monkeypatch, gmt):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    account.file("f", b"")
    moment = time.time() // 60 * 60 - 3600
    os.utime(account.home / "f", (moment, moment))
    lines = []
    probe(useGMTTimes=gmt).ftp().retrlines("LIST", lines.append)
    shown = time.strftime("%H:%M", time.gmtime(moment + (0 if gmt else 9 * 3600)))
    assert f" {shown} f" in lines[0], lines


def sends(server, account, tmp_path, client):
    """How often the kernel was asked to send a file by itself during a download."""
    account.file("f", CONTENT)
    ftp = client(server)
    received = bytearray()
    number = count("sendfile", server.process.pid, tmp_path / "trace",
                   lambda: ftp.retrbinary("RETR f", received.extend))
    assert received == CONTENT
    return number


def test_the_kernel_sends_files_in_clear_by_itself(probe, account, tmp_path):
    assert sends(probe(**CLEAR), account, tmp_path, plain) > 0


@pytest.mark.parametrize(("wishes", "client"), [
    ({"useSendfile": False}, plain), ({}, lambda server: server.ftp())], ids=["off", "tls"])
def test_the_kernel_does_so_nowhere_else(probe, account, tmp_path, wishes, client):
    assert sends(probe(**CLEAR, **wishes), account, tmp_path, client) == 0


def test_a_handler_without_tls_sends_files_as_well(probe, account):
    account.file("f", CONTENT)
    server = probe(pem="-", plain=True, writeLimit=2_000_000)
    received = bytearray()
    ftp = plain(server)
    start = time.monotonic()
    ftp.retrbinary("RETR f", received.extend)
    assert received == CONTENT
    # A rate holds for these bytes as well.
    assert time.monotonic() - start > 0.3
    ftp.retrbinary("RETR f", received.extend, rest=len(CONTENT) - 5)
    assert received == CONTENT + CONTENT[-5:]
    ftp.storbinary("STOR f", io.BytesIO(b""))
    ftp.retrbinary("RETR f", received.extend)
    assert received == CONTENT + CONTENT[-5:]
    with pytest.raises(ftplib.error_perm, match="502"):
        ftp.sendcmd("AUTH TLS")
    server.wait_for("hook: sent /f")


@pytest.mark.parametrize("wish", [True, False])
def test_small_packets_wait_for_each_other_or_not(probe, tmp_path, wish):
    server = probe(tcpNoDelay=wish)
    report = tmp_path / "trace"
    with traced(server.process.pid, report, "-f", "-e", "trace=setsockopt"):
        server.connect()
    assert ("TCP_NODELAY" in report.read_text(encoding="utf-8")) == wish


@pytest.mark.parametrize(("encoding", "codec"), [("latin1", "latin-1"), ("windows1252", "cp1252")])
def test_names_are_told_in_the_encoding_of_old_clients(probe, account, encoding, codec):
    name = "Grüße" + ("€" if codec == "cp1252" else "")
    server = probe(encoding=encoding)
    ftp = server.connect()
    ftp.encoding = codec
    ftp.login("jürgen", "grün")
    ftp.prot_p()
    assert ftp.storbinary(f"STOR {name}", io.BytesIO(CONTENT)).startswith("226")
    assert [path.name for path in account.home.iterdir()] == [name]
    server.wait_for(f"hook: received /{name}")
    assert ftp.nlst() == [name]
    assert [entry for entry, facts in ftp.mlsd() if facts["type"] == "file"] == [name]
    lines = []
    ftp.retrlines("LIST", lines.append)
    assert lines[0].endswith(" " + name)
    received = bytearray()
    ftp.retrbinary(f"RETR {name}", received.extend)
    assert received == CONTENT
    assert ftp.mkd("Straße") == "/Straße"
    ftp.cwd("Straße")
    assert ftp.pwd() == "/Straße"
    # Who knows UTF-8 says so.
    for switch, other in (("ON", "utf-8"), ("OFF", codec)):
        assert ftp.sendcmd(f"OPTS UTF8 {switch}").startswith("200")
        ftp.encoding = other
        ftp.file = ftp.sock.makefile("r", encoding=other)
        assert ftp.pwd() == "/Straße"
        assert sorted(ftp.nlst("/"))[0] == f"/{name}"


@pytest.mark.parametrize(("errors", "shown"), [
    (None, ["ab", "日".encode().decode("latin-1"), "ä"]), ("refuse", ["ab", "ä"]),
    ("replace", ["?", "ab", "ä"]), ("ignore", ["", "ab", "ä"])])
def test_names_that_an_encoding_does_not_have(probe, account, errors, shown):
    for name in ("ab", "ä", "日"):
        account.file(name, b"")
    wishes = {"encodingErrors": errors} if errors else {}
    ftp = probe(encoding="latin1", **wishes).ftp()
    ftp.encoding = "latin-1"
    assert sorted(ftp.nlst()) == sorted(shown)


@pytest.mark.parametrize(("errors", "stored"), [
    (None, b"a\xffb"), ("refuse", None), ("replace", "a\ufffdb".encode()), ("ignore", b"ab")])
def test_names_that_are_no_utf8(probe, account, errors, stored):
    ftp = probe(**({"encodingErrors": errors} if errors else {})).connect()
    ftp.encoding = "latin-1"
    ftp.login("user", "12345")
    ftp.prot_p()
    # 255 twice: alone it begins a Telnet command.
    name = "a\xff\xffb"
    if stored is None:
        with pytest.raises(ftplib.error_perm, match="501"):
            ftp.mkd(name)
        (account.home / os.fsdecode(b"c\xff")).mkdir()
        assert ftp.nlst() == []
        return
    ftp.mkd(name)
    assert os.listdir(os.fsencode(account.home)) == [stored]


def test_lines_of_the_log_begin_as_the_program_wants(probe):
    server = probe(logPrefix="[ours] ")
    server.ftp().quit()
    server.wait_for(r"\[ours\] hook: user is in")
    server.wait_for(r"\[ours\] TLS established")


def test_permissions_may_differ_in_a_directory(probe, account):
    for directory in ("open", "closed"):
        (account.home / directory).mkdir()
        os.chown(account.home / directory, account.uid, account.gid)
    ftp = probe(override="/closed").ftp()
    ftp.storbinary("STOR open/f", io.BytesIO(b"x"))
    with pytest.raises(ftplib.error_perm, match="55[03]"):
        ftp.storbinary("STOR closed/f", io.BytesIO(b"x"))
    assert not list((account.home / "closed").iterdir())


@pytest.mark.parametrize("limit", ["readLimit", "writeLimit"])
@pytest.mark.parametrize("sized", [True, False])
def test_limits_hold_under_tls_with_buffers_of_either_kind(probe, account, limit, sized):
    account.file("f", bytes(400_000))
    ftp = probe(autoSizedBuffers=sized, **{limit: 400_000}).ftp()
    start = time.monotonic()
    pieces = []
    if limit == "readLimit":
        ftp.storbinary("STOR g", io.BytesIO(bytes(400_000)))
    else:
        ftp.retrbinary("RETR f", lambda piece: pieces.append(time.monotonic()))
    assert time.monotonic() - start > 0.6


def test_a_file_has_the_mode_that_the_umask_leaves(probe, account):
    ftp = probe(umask=0o077).ftp()
    ftp.storbinary("STOR f", io.BytesIO(b"x"))
    assert (account.home / "f").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("deletes", [True, False])
def test_what_a_broken_upload_leaves_goes_or_stays(probe, account, deletes):
    control = session(probe(deletesFailedUploads=deletes))
    data = begin(control, "STOR f")
    drop(data)
    control.next(426)
    assert (account.home / "f").exists() != deletes


def test_an_atomic_upload_has_no_name_until_it_is_whole(probe, account):
    control = session(probe(atomicUploads=True))
    data = begin(control, "STOR f")
    assert not (account.home / "f").exists()
    finish(data)
    control.next(226)
    assert (account.home / "f").stat().st_size == 100_000


def test_an_upload_without_tls_end_is_believed_where_the_program_says_so(probe, account):
    control = session(probe(allowsTruncation=True))
    data = begin(control, "STOR f")
    drop(data)
    control.next(226)
    assert (account.home / "f").stat().st_size == 100_000


def test_a_transfer_that_stands_still_ends(probe, account):
    account.file("f", bytes(50_000_000))
    control = session(probe(dataTimeout=500))
    data = control.connect_data()
    control.expect("RETR f", 150)
    with control.wrap_data(data) as data:
        assert data.recv(1)
        assert control.ended(421)


def test_an_active_connection_that_nobody_answers_is_given_up_in_time(probe):
    server = probe(ownDTP=True, activeTimeout=1000)
    control = session(server)
    with socket.socket() as full, contextlib.ExitStack() as waiting:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        # The queue holds one connection; further ones are not answered.
        for _ in range(4):
            client = waiting.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(address)
        control.expect(port(*address), 200)
        start = time.monotonic()
        control.expect("LIST", 150)
        control.next(425)
        # By itself it is 30 seconds.
        assert 0.9 < time.monotonic() - start < 20
    server.wait_for("hook: 127.0.0.1 is not there")


def test_data_connections_have_to_resume_the_session(probe, account):
    account.file("f", b"content")
    server = probe(requiresSessionReuse=True)
    with pytest.raises(ftplib.error_perm, match="522"):
        server.ftp().retrbinary("RETR f", bytes)
    received = bytearray()
    server.ftp(kind=ResumingFTP).retrbinary("RETR f", received.extend)
    assert received == b"content"


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_nothing_of_a_session_that_is_over_is_resumed_in_a_later_one(probe, account, version):
    account.file("f", b"content")
    server = probe()
    context = server.context()
    context.minimum_version = context.maximum_version = ssl.TLSVersion[version.replace(".", "_")]

    def retrieve(control, session):
        data = control.connect_data()
        control.expect("RETR f", 150)
        data = control.wrap_data(data, session=session)
        is_resumed = data.session_reused
        assert read_all(data) == b"content"
        finish(data)
        control.next(226)
        return is_resumed

    sessions = []
    # With threads each has the context of the one before it.
    for _ in range(3):
        control = server.control().secure(context=context).protect()
        control.expect("USER user", 331)
        control.expect("PASS 12345", 230)
        control.passive_port()
        for old in sessions:
            assert not retrieve(control, old)
        assert retrieve(control, control.socket.session)
        sessions.append(control.socket.session)
        control.expect("QUIT", 221)
        control.socket.close()


def test_tls_may_come_first(probe):
    server = probe(implicitTLS=True)
    context = server.context()
    with socket.create_connection(("127.0.0.1", server.port), 20) as connection:
        with context.wrap_socket(connection, server_hostname="127.0.0.1") as secure:
            assert secure.recv(100).startswith(b"220")
    server.wait_for("hook: secures")
    server.wait_for("hook: TLS stands")


def handshake(server, **changes):
    """A handshake on the control connection; what was agreed on."""
    context = server.context()
    for name, value in changes.items():
        if callable(getattr(context, name)):
            getattr(context, name)(value)
        else:
            setattr(context, name, value)
    control = server.control()
    control.secure(context=context)
    control.expect("NOOP", 200)
    return control.socket.version(), control.socket.cipher()[0]


@pytest.mark.parametrize(("wishes", "changes", "agreed"), [
    ({"ciphers": "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256"},
     {"maximum_version": ssl.TLSVersion.TLSv1_2}, ("TLSv1.2", "AES128-GCM-SHA256")),
    ({"ciphers": "TLS_AES_128_GCM_SHA256"}, {}, ("TLSv1.3", "TLS_AES_128_GCM_SHA256")),
    ({"requiresALPN": True}, {"set_alpn_protocols": ["ftp"]}, ("TLSv1.3", "TLS_AES_256_GCM_SHA384")),
    ({"approvedOnly": True}, {"set_ciphers": "ECDHE+AESGCM"}, ("TLSv1.3", "TLS_AES_256_GCM_SHA384"))])
def test_what_of_tls_is_offered(probe, wishes, changes, agreed):
    version, suite = handshake(probe(**wishes), **changes)
    assert (version, suite.endswith(agreed[1])) == (agreed[0], True), suite


@pytest.mark.parametrize(("wishes", "changes"), [
    ({"tls13": True}, {"maximum_version": ssl.TLSVersion.TLSv1_2}),
    ({"ciphers": "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256"},
     {"maximum_version": ssl.TLSVersion.TLSv1_2, "set_ciphers": "ECDHE+AES256"}),
    ({"approvedOnly": True},
     {"maximum_version": ssl.TLSVersion.TLSv1_2, "set_ciphers": "ECDHE+CHACHA20"}),
    ({"requiresALPN": True}, {})])
def test_what_of_tls_is_not(probe, wishes, changes):
    server = probe(**wishes)
    with pytest.raises((OSError, Closed)):
        handshake(server, **changes)
    assert "hook: user is in" not in server.log


def test_a_handshake_has_its_time(probe):
    server = probe(handshakeTimeout=300)
    control = server.control()
    control.expect("AUTH TLS", 234)
    assert control.socket.recv(1) == b""
    server.wait_for("hook: TLS failed")


def test_a_key_may_lie_in_a_file_of_its_own(probe, certificate):
    assert handshake(probe(pem=certificate.chain, key=certificate.key))[0] == "TLSv1.3"


def test_a_certificate_may_have_been_read_before(probe, tmp_path):
    other = make_certificate(tmp_path, "localhost")
    both = tmp_path / "other.pem"
    both.write_bytes(other.chain.read_bytes() + other.key.read_bytes())
    server = probe(readBefore=both, tls13Before=True)
    context = client_context(other.chain)
    control = server.control()
    control.secure(context=context)
    assert control.socket.version() == "TLSv1.3"


@pytest.mark.parametrize(("wishes", "said"), [
    ({"ciphers": "RC4-SHA"}, "tlsOptions.ciphers: `RC4-SHA`"),
    ({"key": "/nowhere.key"}, "certificate: /nowhere.key"),
    ({"passivePort": 0}, "passivePorts: 0"),
    ({"readBefore": "PEM", "tls13": True}, "tlsContext: version and suites")])
def test_a_setting_that_cannot_be_honoured_starts_nothing(
        certificate, account, tmp_path, concurrency, wishes, said):
    pem = combined(certificate, tmp_path)
    words = [f"{name}={pem if value == 'PEM' else 'true' if value is True else value}"
             for name, value in wishes.items()]
    ended = subprocess.run([BUILT / "Probe", "0", account.home, pem, *words, concurrency],
                           capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode != 0
    assert said in ended.stderr, ended.stderr


def test_processes_need_a_program_without_threads_and_threads_do_not(
        probe, certificate, account, tmp_path, concurrency):
    if concurrency == "threads":
        account.file("f", b"")
        assert probe(concurrent=True).ftp().nlst() == ["f"]
        return
    pem = combined(certificate, tmp_path)
    ended = subprocess.run([BUILT / "Probe", "0", account.home, pem, "concurrent=true", concurrency],
                           capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode < 0
    assert "thread" in ended.stderr, ended.stderr


@pytest.mark.parametrize(("kind", "host"), [("listening", "127.0.0.1"), ("listening6", "::1")])
def test_a_socket_that_the_program_has_opened_is_served(probe, account, kind, host):
    account.file("f", CONTENT)
    server = probe(socket=kind)
    received = bytearray()
    ftp = server.ftp()
    assert server.host == host
    ftp.retrbinary("RETR f", received.extend)
    assert received == CONTENT
    # It does not block whoever serves: a client that is gone again is nobody to wait for.
    for _ in range(20):
        socket.create_connection((host, server.port), 20).close()
    assert ftp.voidcmd("NOOP").startswith("200")
    ftp.quit()
    server.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, server.port), 20)


@pytest.mark.parametrize(("kind", "is_open"), [
    ("deaf", True), ("datagram", True), ("unix", True), ("file", True), ("none", False),
    ("closed", False)])
def test_another_descriptor_is_refused_and_left_alone(
        certificate, account, tmp_path, concurrency, kind, is_open):
    ended = subprocess.run(
        [BUILT / "Probe", "0", account.home, combined(certificate, tmp_path), f"socket={kind}",
         concurrency], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode != 0
    assert "does not listen for TCP over IPv4 or IPv6" in ended.stderr, ended.stderr
    assert f"still open: {str(is_open).lower()}" in ended.stderr, ended.stderr
