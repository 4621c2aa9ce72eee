"""The logs that vsftpd would write, held against those that it does write."""

import contextlib
import ftplib
import io
import os
import re
import signal
import socket
import stat
import subprocess

import pytest

import gateway as daemon
import proc
from control import wait_until
from gateway import BINARY, ROOT
from namespaces import cover
from peer_vsftpd import vsftpd

DATE = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)" \
       r" [ 1-3]\d \d\d:\d\d:\d\d \d{4}"
OWN = re.compile(rf"{DATE} \[pid \d+\] ((?:\[[^]]+\] )?(?:(?:OK|FAIL) [A-Z]+|CONNECT): Client"
                 r" \"[0-9.]+\".*)")
STANDARD = re.compile(rf"{DATE} (\d+) ([0-9.]+ \d+ \S+ [ab] _ [io] [arg] \S+ ftp 0 \* [ci])")
NAME = 'a b"q.txt'


def use(client, account):
    """Everything that these logs tell, the failures too."""
    def fails(method, *arguments):
        with pytest.raises(ftplib.all_errors):
            method(*arguments)

    client.storbinary(f"STOR {NAME}", io.BytesIO(b"x" * 70_000))
    client.storbinary("STOR \x01\x7f", io.BytesIO(b"x"))
    client.storlines("STOR lines", io.BytesIO(b"1\n2\n"))
    client.storbinary("APPE lines", io.BytesIO(b"3\n"))
    client.retrbinary("RETR lines", lambda _: None)
    fails(client.retrbinary, "RETR none", lambda _: None)
    fails(client.storbinary, "STOR none/x", io.BytesIO(b"x"))
    client.mkd("d")
    fails(client.mkd, "d")
    client.cwd("d")
    client.mkd("e")
    client.rmd("e")
    fails(client.rmd, "e")
    client.cwd("..")
    client.rename("lines", "lines 2")
    fails(client.rename, "none", "x")
    client.sendcmd("SITE CHMOD 644 lines 2")
    fails(client.sendcmd, "SITE CHMOD 644 none")
    client.delete("lines 2")
    fails(client.delete, "none")
    client.quit()


def lines(path, pattern):
    """What the pattern captures, of every line."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        match = pattern.fullmatch(line)
        assert match, line
        found.append(re.sub(r"[0-9.]+Kbyte/sec", "RATE", match.groups()[-1]))
    return found


def fail_login(host, port, account, context=None):
    client = ftplib.FTP_TLS(context=context) if context else ftplib.FTP()
    with client:
        client.connect(host, port)
        with pytest.raises(ftplib.error_perm, match="^530"):
            client.login(account.name, "wrong")


@pytest.fixture
def model(root, account, tmp_path):
    """What vsftpd writes about the same sessions."""
    folder = tmp_path / "vsftpd"
    folder.mkdir()
    own, standard = folder / "own", folder / "standard"
    with vsftpd(folder, xferlog_enable="YES", dual_log_enable="YES", xferlog_file=standard,
                vsftpd_log_file=own, ascii_upload_enable="YES",
                ascii_download_enable="YES") as port:
        fail_login("127.0.0.1", port, account)
        with ftplib.FTP() as client:
            client.connect("127.0.0.1", port)
            client.login(account.name, account.password)
            use(client, account)
    account.empty()
    # The first connection asked whether it listens.
    return lines(own, OWN)[1:], lines(standard, STANDARD)


def compare(gateway, account):
    fail_login(gateway.host, gateway.port, account, gateway.context())
    use(gateway.ftp(account), account)
    # The Warden has written everything once the session is over.
    wait_until(lambda: not gateway.wardens(), 10, "the end of the session")


def test_the_own_format_is_that_of_vsftpd(serve, account, model, tmp_path):
    log = tmp_path / "own"
    compare(serve(xferlog_enable="YES", vsftpd_log_file=log), account)
    assert lines(log, OWN) == model[0]
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_the_standard_format_is_that_of_vsftpd(serve, account, model, tmp_path):
    log = tmp_path / "standard"
    compare(serve(xferlog_enable="YES", xferlog_std_format="YES", xferlog_file=log), account)
    assert lines(log, STANDARD) == model[1]
    assert sum(" i r " in line and line.endswith(" c") for line in model[1]) == 4
    assert os.listdir(tmp_path).count("own") == 0


def test_both_are_written_at_once(serve, account, model, tmp_path):
    own, standard = tmp_path / "own", tmp_path / "standard"
    compare(serve(dual_log_enable="YES", xferlog_file=standard, vsftpd_log_file=own), account)
    assert (lines(own, OWN), lines(standard, STANDARD)) == model


def test_the_conversation_is_logged_without_passwords(serve, account, tmp_path):
    log = tmp_path / "own"
    gateway = serve(xferlog_enable="YES", vsftpd_log_file=log, log_ftp_protocol="YES")
    session = gateway.session(account)
    session.expect("FEAT", 211)
    session.expect(f"ACCT {account.password}", 503, 202, 502, 530, 500, 501)
    assert session.store(f"STOR {NAME}", b"x").code == 226
    session.expect("QUIT", 221)
    session.close()
    wait_until(lambda: not gateway.wardens(), 10, "the end of the session")
    content = log.read_text()
    assert account.password not in content
    for text in ('FTP command: Client "127.0.0.1", "AUTH TLS"',
                 'FTP command: Client "127.0.0.1", "PASS <password>"',
                 f'[{account.name}] FTP response: Client "127.0.0.1", "230 Login successful."',
                 f'[{account.name}] FTP response: Client "127.0.0.1", "211 End"',
                 f'[{account.name}] FTP command: Client "127.0.0.1", "STOR {NAME}"',
                 f'[{account.name}] FTP response: Client "127.0.0.1", "221 Goodbye."'):
        assert f"] {text}\n" in content or f" {text}\n" in content, text


def test_no_name_begins_a_line_of_its_own(serve, account, tmp_path):
    log = tmp_path / "own"
    gateway = serve(xferlog_enable="YES", vsftpd_log_file=log, log_ftp_protocol="YES")
    session = gateway.control().secure()
    session.expect('USER x] OK LOGIN: Client "192.0.2.1"', 331)
    session.expect("PASS x", 530)
    session.login(account).protect()
    session.store(b"STOR a\x0b\x85\xe2\x80\xa8b", b"x")
    session.expect("QUIT", 221)
    session.close()
    wait_until(lambda: not gateway.wardens(), 10, "the end of the session")
    assert b"\xe2\x80\xa8" not in log.read_bytes()
    content = log.read_text()
    assert '[x? OK LOGIN: Client ?192.0.2.1?] FAIL LOGIN: Client "127.0.0.1"\n' in content
    assert ', "/a?????b", 1 bytes, ' in content
    assert all(re.match(rf"{DATE} \[pid \d+\] ", line) for line in content.splitlines())


def test_who_is_turned_away_is_logged(serve, account, tmp_path):
    log = tmp_path / "own"
    gateway = serve(xferlog_enable="YES", vsftpd_log_file=log, max_per_ip="1")
    session = gateway.session(account)
    assert gateway.control(greet=False).next(421)
    assert session.alive()
    assert ('CONNECT: Client "127.0.0.1", '
            '"Connection refused: too many sessions for this address."\n') in log.read_text()


def test_only_the_listener_and_wardens_have_the_files(serve, account, tmp_path):
    own, standard = tmp_path / "own", tmp_path / "standard"
    gateway = serve(dual_log_enable="YES", xferlog_file=standard, vsftpd_log_file=own)
    session = gateway.session(account)
    os.kill(gateway.pid, signal.SIGHUP)
    wait_until(lambda: "certificates loaded" in gateway.log, 10, "the reload")
    holders = {proc.name(pid) for pid in [gateway.pid, *proc.tree(gateway.pid)]
               if {str(own), str(standard)} & set(proc.descriptors(pid).values())}
    assert holders == {"ftps-listener", "ftps-warden"}
    assert {proc.name(pid) for pid in proc.tree(gateway.pid)} >= {"ftps-agent", "ftps-session"}
    assert session.alive()


@pytest.mark.parametrize("option", ["xferlog_file", "vsftpd_log_file"])
def test_a_log_that_cannot_be_opened_starts_nothing(certificate, tmp_path, option):
    options = {"dual_log_enable": "YES", "xferlog_file": tmp_path / "standard",
               "vsftpd_log_file": tmp_path / "own", option: tmp_path / "absent/log",
               "listen_port": 0, "rsa_cert_file": certificate.chain,
               "rsa_private_key_file": certificate.key, "pam_conf_dir": daemon.PAM}
    arguments = [word for name, value in options.items() for word in ("--set", f"{name}={value}")]
    done = subprocess.run([BINARY, "serve", *arguments], capture_output=True, text=True, timeout=30)
    assert done.returncode == 78
    assert f"{option}={tmp_path}/absent/log: refused: it cannot be opened" in done.stderr
    for place in (tmp_path, "/dev/null"):
        arguments += ["--set", f"{option}={place}"]
        done = subprocess.run([BINARY, "serve", *arguments], capture_output=True, timeout=30)
        assert done.returncode == 78


@pytest.fixture
def small_disk(root, tmp_path):
    """A file system of 64 KiB; ask for it before `serve`."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], check=True)
    yield disk
    subprocess.run(["umount", disk], check=True)


def test_a_full_disk_loses_lines_and_stops_nobody(small_disk, serve, account):
    log, filler = small_disk / "own", small_disk / "filler"
    gateway = serve(xferlog_enable="YES", vsftpd_log_file=log)
    with open(filler, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"x" * 4096):
            pass
    session = gateway.session(account)
    for number in range(100):
        session.expect(f"MKD d{number}", 257)
    assert gateway.log.count("vsftpd_log_file: lines are lost") == 1
    filler.unlink()
    session.expect("MKD later", 257)
    session.expect("NOOP", 200)
    wait_until(lambda: '"/later"\n' in log.read_text(), 10, "the line")
    # A line that was cut off has its own end.
    assert re.search(r"^" + DATE + r" \[pid \d+\] \[\S+\] OK MKDIR: Client \"127.0.0.1\", \"/later\"$",
                     log.read_text(), re.MULTILINE)


def test_sighup_opens_the_file_anew_for_later_sessions(serve, account, tmp_path):
    log, old = tmp_path / "own", tmp_path / "own.1"
    gateway = serve(xferlog_enable="YES", vsftpd_log_file=log)
    first = gateway.session(account)
    log.rename(old)
    os.kill(gateway.pid, signal.SIGHUP)
    wait_until(log.exists, 10, "the new file")
    second = gateway.session(account)
    first.expect("MKD first", 257)
    second.expect("MKD second", 257)
    for session in (first, second):
        session.expect("QUIT", 221)
        session.close()
    wait_until(lambda: not gateway.wardens(), 10, "the end of the sessions")
    assert '"/first"' in old.read_text() and '"/second"' in log.read_text()
    assert '"/second"' not in old.read_text() and '"/first"' not in log.read_text()


@pytest.mark.parametrize("way", ["create", "copytruncate"])
def test_logrotate_loses_no_line(serve, account, tmp_path, way):
    """The example's file with its paths changed, and the other way, by the real logrotate."""
    folder = tmp_path / "log"
    folder.mkdir(mode=0o755)
    own, standard = folder / "own", folder / "standard"
    gateway = serve(dual_log_enable="YES", xferlog_file=standard, vsftpd_log_file=own)
    session = gateway.session(account)
    session.expect("MKD before", 257)
    session.expect("NOOP", 200)
    wait_until(lambda: '"/before"' in own.read_text(), 10, "the first line")
    text = (ROOT / "Packaging/logrotate/portcullis").read_text()
    text = text.replace("/var/log/vsftpd.log", str(own)).replace("/var/log/xferlog", str(standard))
    text = text.replace("systemctl reload portcullis.service", f"kill -HUP {gateway.pid}")
    if way == "copytruncate":
        text = text.replace("create 0600 root root", "copytruncate")
        text = re.sub(r"sharedscripts.*endscript\n", "", text, flags=re.DOTALL)
    rules = tmp_path / "rules"
    rules.write_text(text)
    rules.chmod(0o600)
    subprocess.run(["/usr/sbin/logrotate", "--force", "--state", tmp_path / "state", rules],
                   check=True, timeout=30)
    if way == "create":
        wait_until(lambda: "certificates loaded" in gateway.log, 10, "the reload")
    session.expect("MKD after", 257)
    later = gateway.session(account)
    later.expect("MKD later", 257)
    for client in (session, later):
        client.expect("QUIT", 221)
        client.close()
    wait_until(lambda: not gateway.wardens(), 10, "the end of the sessions")
    old, new = (folder / "own.1").read_text(), own.read_text()
    for name in ("before", "after", "later"):
        assert (old + new).count(f'OK MKDIR: Client "127.0.0.1", "/{name}"\n') == 1
    assert '"/later"' in new and "\0" not in new


@pytest.fixture
def system_log(root, tmp_path, monkeypatch):
    """Starts, in place of syslogd, a socket that is /dev/log for daemons started later."""
    devices = tmp_path / "dev"
    devices.mkdir(mode=0o755)
    for name in ("null", "zero", "full", "random", "urandom"):
        device = os.stat(f"/dev/{name}").st_rdev
        os.mknod(devices / name, 0o666 | stat.S_IFCHR, device)

    class Popen(subprocess.Popen):
        def __init__(self, *arguments, **options):
            super().__init__(
                *arguments, preexec_fn=lambda: cover({"/dev": devices}), **options)

    monkeypatch.setattr(daemon.subprocess, "Popen", Popen)
    started = []

    def start():
        (devices / "log").unlink(missing_ok=True)
        reader = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        started.append(reader)
        reader.settimeout(10)
        reader.bind(str(devices / "log"))
        return reader

    yield start
    for reader in started:
        reader.close()


SYSLOG = re.compile(r"<(9[24])>[A-Z][a-z]{2} [ 1-3]\d \d\d:\d\d:\d\d portcullis\[\d+\]: (.*)")


def test_the_system_log_gets_the_own_format(system_log, serve, account, tmp_path):
    reader = system_log()
    gateway = serve(syslog_enable="YES")

    def take(reader):
        # PAM's modules write to it as well, under another facility.
        while True:
            if found := SYSLOG.fullmatch(reader.recv(65536).decode()):
                return found[1], found[2]

    session = gateway.control().secure()
    assert take(reader) == ("94", 'CONNECT: Client "127.0.0.1"')
    session.expect(f"USER {account.name}", 331)
    session.expect("PASS wrong", 530)
    assert take(reader) == ("92", f'[{account.name}] FAIL LOGIN: Client "127.0.0.1"')
    session.login(account).protect()
    assert take(reader) == ("94", f'[{account.name}] OK LOGIN: Client "127.0.0.1"')
    session.expect("MKD d", 257)
    assert take(reader) == ("94", f'[{account.name}] OK MKDIR: Client "127.0.0.1", "/d"')
    # Nobody there for a while, and then somebody else.
    reader.close()
    session.expect("MKD lost", 257)
    session.expect("NOOP", 200)
    wait_until(lambda: "syslog_enable: lines are lost" in gateway.log, 10, "the complaint")
    reader = system_log()
    session.expect("MKD e", 257)
    assert take(reader) == ("94", f'[{account.name}] OK MKDIR: Client "127.0.0.1", "/e"')


def test_a_system_log_that_nobody_reads_stops_nobody(system_log, serve, account):
    reader = system_log()
    gateway = serve(syslog_enable="YES", log_ftp_protocol="YES")
    session = gateway.control().secure()
    session.expect(f"USER {account.name}", 331)
    # PAM's modules would wait for room.
    reader.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while reader.recv(65536):
            pass
    session.expect(f"PASS {account.password}", 230)
    for _ in range(1_000):
        session.expect("NOOP", 200)
    wait_until(lambda: "syslog_enable: lines are lost" in gateway.log, 10, "the complaint")
    reader.close()
