"""The audit trail, held against what clients did and against what is done to its files."""

import contextlib
import ftplib
import grp
import hashlib
import html.parser
import io
import json
import os
import pathlib
import pty
import random
import re
import shutil
import signal
import stat
import subprocess
import threading

import pytest

import gateway as daemon
import proc
from accounts import PASSWORDS
from auditing import judge, of, records, verify
from certificates import Authority, fingerprint, openssl
from control import Closed, wait_until
from disks import fill
from faulty_disk import mounted
from gateway import BINARY, ROOT, ResumingFTP
from proxying import PROXY
from test_client_certificates import showing
from test_curl import Curl
from test_lftp import lftp


@pytest.fixture
def trail(tmp_path):
    return tmp_path / "audit.log"


def auditors(gateway):
    return [pid for pid in proc.children(gateway.pid) if proc.name(pid) == "ftps-auditor"]


def use(client):
    """Everything that has a record, and how it went."""
    def fails(method, *arguments):
        with pytest.raises(ftplib.all_errors):
            method(*arguments)

    client.storbinary("STOR a", io.BytesIO(b"x" * 70_000))
    client.storbinary("APPE a", io.BytesIO(b"y"))
    client.storbinary("STOR a", io.BytesIO(b"z"), rest=1)
    client.retrbinary("RETR a", lambda _: None)
    client.retrbinary("RETR a", lambda _: None, rest=1)
    fails(client.retrbinary, "RETR none", lambda _: None)
    client.retrlines("LIST", lambda _: None)
    client.nlst()
    list(client.mlsd())
    client.mkd("d")
    fails(client.mkd, "d")
    client.rename("a", "b")
    fails(client.rename, "none", "c")
    client.sendcmd("SITE CHMOD 640 b")
    client.sendcmd("MFMT 20200102030405 b")
    client.sendcmd("SITE UMASK 027")
    client.sendcmd("SITE CPFR b")
    client.sendcmd("SITE CPTO c")
    client.sendcmd("XSHA256 b")
    fails(client.sendcmd, "SITE PSWD secretword other")
    client.delete("b")
    fails(client.delete, "b")
    client.rmd("d")


EXPECTED = [
    ("write", "ok", "STOR", 226, "/a", 70_000), ("append", "ok", "APPE", 226, "/a", 1),
    ("write", "ok", "STOR", 226, "/a", 1), ("read", "ok", "RETR", 226, "/a", 70_001),
    ("read", "ok", "RETR", 226, "/a", 70_000), ("read", "failed", "RETR", 550, "/none", None),
    ("list", "ok", "LIST", 226, "/", ...), ("list", "ok", "NLST", 226, "/", ...),
    ("list", "ok", "MLSD", 226, "/", ...),
    ("mkdir", "ok", "MKD", 257, "/d", None), ("mkdir", "failed", "MKD", 550, "/d", None),
    ("rename", "ok", "RNTO", 250, "/a", None), ("rename", "failed", "RNFR", 550, "/none", None),
    ("chmod", "ok", "SITE CHMOD", 200, "/b", None), ("time", "ok", "MFMT", 213, "/b", None),
    ("site", "ok", "SITE UMASK", 200, None, None), ("copy", "ok", "SITE CPTO", 250, "/b", None),
    ("digest", "ok", "XSHA256", 250, "/b", None), ("site", "failed", "SITE", 500, None, None),
    ("delete", "ok", "DELE", 250, "/b", None), ("delete", "failed", "DELE", 550, "/b", None),
    ("rmdir", "ok", "RMD", 250, "/d", None),
]


def test_every_action_of_a_client_has_its_record(serve, account, trail):
    gateway = serve(audit_log_file=trail, audit_content_hash="YES")
    with pytest.raises(ftplib.error_perm, match="^530"):
        with ftplib.FTP_TLS(context=gateway.context(), timeout=20) as client:
            client.connect(gateway.host, gateway.port)
            client.login(account.name, "not the password")
    client = gateway.ftp(account)
    use(client)
    client.quit()
    gateway.stop()
    found = records(trail)
    assert [record["event"] for record in found[:2]] == ["open", "start"]
    assert [record["event"] for record in found[-2:]] == ["stop", "seal"]
    assert found[-1]["records"] == len(found)

    refused, granted = of(found, "login")
    assert (refused["user"], refused["result"], refused["code"]) == (account.name, "failed", 530)
    assert "password" in refused["reason"] or "PAM" in refused["reason"], refused
    assert (granted["user"], granted["result"], granted["code"]) == (account.name, "ok", 230)
    assert (granted["kind"], granted["uid"], granted["method"]) == ("system", account.uid, "password")

    session = [record for record in found if record["session"] == granted["session"]]
    assert [record["n"] for record in session] == list(range(1, len(session) + 1))
    for record in session[1:]:
        assert record["client"]["address"] == "127.0.0.1"
        assert record["server"] == {"address": "127.0.0.1", "port": gateway.port}
        assert record["tls"]["version"] == "TLSv1.3" and record["tls"]["group"], record
        assert record["tls"]["suite"].startswith("TLS_"), record
    assert [record["event"] for record in session[:3]] == ["connect", "tls", "login"]
    assert [record["event"] for record in session[-2:]] == ["logout", "disconnect"]

    actions = session[3:-2]
    for record, (event, result, command, code, path, count) in zip(actions, EXPECTED, strict=True):
        assert (record["event"], record["result"], record["command"], record["code"]) \
            == (event, result, command, code), record
        assert record.get("path") == path and record["user"] == account.name, record
        if count is not ...:
            assert record.get("bytes") == count, record
        assert ("reason" in record) == (result == "failed"), record
        assert record["duration_us"] > 0
        if count is not None:
            assert record["data"]["proof"] == "address" and record["data"]["tls"]["suite"], record
    totals = session[-2]["totals"]
    assert totals == {"actions": len(EXPECTED), "failed": 5, "files_read": 2, "bytes_read": 140_001,
                      "files_written": 3, "bytes_written": 70_002}

    def one(event, **values):
        return next(record for record in of(actions, event)
                    if all(record.get(name) == value for name, value in values.items()))
    assert one("rename", result="ok")["target"] == "/b"
    assert one("copy")["target"] == "/c"
    assert one("chmod")["mode"] == "0640"
    assert one("site", result="ok")["argument"] == "027"
    assert one("site", result="failed")["argument"] == "PSWD"
    # The hash is that of a whole file, and of nothing less.
    hashes = [record.get("sha256") for record in of(actions, "write", "append", "read")]
    assert hashes == [hashlib.sha256(b"x" * 70_000).hexdigest(), None, None,
                      hashlib.sha256(b"xz" + b"x" * 69_998 + b"y").hexdigest(), None, None]
    assert one("write", bytes=1)["offset"] == 1 and one("read", bytes=70_000)["offset"] == 1

    content = trail.read_text(encoding="utf-8")
    for secret in {*PASSWORDS, "not the password", "secretword"}:
        assert secret not in content
    assert judge(trail)["intact"] and judge(trail)["findings"] == []


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_what_bound_a_data_connection_is_told(serve, account, trail, version):
    gateway = serve(audit_log_file=trail)
    client = gateway.ftp(account, version, ResumingFTP)
    client.storbinary("STOR a", io.BytesIO(b"content"))
    client.quit()
    gateway.stop()
    data = of(records(trail), "write")[0]["data"]
    assert data["proof"] == "session" and data["tls"]["resumed"] is True
    assert data["tls"]["version"] == version


def test_work_in_clear_and_what_was_refused_for_it_are_told(serve, account, trail):
    gateway = serve(audit_log_file=trail)
    with ftplib.FTP(timeout=20) as client:
        client.connect(gateway.host, gateway.port)
        with pytest.raises(ftplib.error_perm, match="^530 TLS"):
            client.sendcmd("USER somebody")
    secure = gateway.control().secure()
    secure.login(account)
    gateway.secrets.append(account.password)
    secure.passive_port()
    secure.expect("LIST", 521)
    secure.expect("QUIT", 221)
    gateway.stop()
    found = records(trail)
    refusal, = of(found, "refuse")
    assert refusal["tls"] is None and refusal["code"] == 530 and "TLS" in refusal["reason"]
    listing, = of(found, "list")
    assert listing["code"] == 521 and listing["result"] == "failed" and "data" not in listing


def test_clients_behind_a_proxy_are_told_apart_from_it(balanced, account, trail):
    gateway = balanced(audit_log_file=trail)
    client = gateway.control(source=PROXY, greet=False)
    client.raw(b"PROXY TCP4 203.0.113.9 192.0.2.1 4321 21\r\n")
    client.next(220)
    client.secure().login(account)
    gateway.secrets.append(account.password)
    client.expect("QUIT", 221)
    gateway.stop()
    login, = of(records(trail), "login")
    assert login["client"] == {"address": "203.0.113.9", "port": 4321}
    assert login["proxy"]["address"] == PROXY


NAMES = ['a"b\\c', "tab\tand\x01\x7f\x1b[31m", "jürgen\u202egnp.exe", "\u2028line",
         b"latin1 \xe9\xfe\xc0\x80", b"\xf4\x90\x80\x80\xed\xa0\x80", "\U0001f4a9" * 60,
         "x" * 3_990]


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_hostile_names_stand_as_they_are(serve, account, trail, name):
    gateway = serve(audit_log_file=trail)
    raw = name if isinstance(name, bytes) else name.encode()
    session = gateway.session(account)
    session.send(b"DELE " + raw)
    session.next(550)
    session.expect("QUIT", 221)
    gateway.stop()
    assert not any(byte < 0x20 or byte == 0x7f for byte in trail.read_bytes().replace(b"\n", b""))
    record, = of(records(trail), "delete")
    told = bytes.fromhex(record["path_hex"]) if "path_hex" in record else record["path"].encode()
    assert told == b"/" + raw
    assert judge(trail)["intact"]


@pytest.mark.parametrize("byte", [b"\x01", b"\xfe"])
def test_two_of_the_longest_names_fit_into_one_record(serve, account, trail, byte):
    gateway = serve(audit_log_file=trail, audit_required="YES")
    account.file("f", b"x")
    session = gateway.session(account)
    name = byte * 3_985 + b"\xfd" * 4
    session.expect("SITE CPFR f", 350)
    session.send(b"SITE CPTO " + name)
    session.next(550, 553)
    session.send(b"RNFR f")
    session.next(350)
    session.send(b"RNTO " + name)
    session.next(550)
    session.expect("QUIT", 221)
    gateway.stop()
    rename, = of(records(trail), "rename")
    assert bytes.fromhex(rename["target_hex"]) == b"/" + name
    assert judge(trail)["intact"] and "not known to be in" not in gateway.log


def make_trail(gateway, account):
    client = gateway.ftp(account)
    for number in range(4):
        client.storbinary(f"STOR f{number}", io.BytesIO(b"x"))
        client.delete(f"f{number}")
    client.quit()
    gateway.stop()


def test_every_change_of_a_line_is_found(serve, account, trail, tmp_path):
    gateway = serve(audit_log_file=trail)
    make_trail(gateway, account)
    assert judge(trail)["intact"]
    lines = trail.read_bytes().splitlines(keepends=True)
    chosen = random.Random(7)
    changed = tmp_path / "changed.log"

    def found(what, lines, *arguments):
        changed.write_bytes(b"".join(lines))
        result = verify(*arguments, changed)
        assert result.returncode == 1, (what, result.stdout)
        return result.stdout

    for index, line in enumerate(lines):
        for _ in range(3):
            place = chosen.randrange(len(line) - 1)
            other = bytes([chosen.choice([b for b in range(32, 127) if b != line[place]])])
            edited = line[:place] + other + line[place + 1:]
            assert f"changed.log:{index + 1}: BROKEN" in found(
                "edit", lines[:index] + [edited] + lines[index + 1:])
        if index < len(lines) - 1:
            # A removed end is the one that a seal has to show.
            found("removal", lines[:index] + lines[index + 1:])
            found("swap", lines[:index] + [lines[index + 1], line] + lines[index + 2:])
        found("repetition", lines[:index + 1] + lines[index:])
        found("insertion", lines[:index] + [b'{"v":1}\n'] + lines[index:])
        if index:
            found("cut", lines[:index], "--require-seal")
    # One who computes the hash anew breaks the next line's.
    record = json.loads(lines[5])
    body = lines[5][:-len(',"hash":"') - 64 - 3].replace(b'"v":1', b'"v":1', 1)
    body = body.replace(record["time"].encode(), b"2020-01-01T00:00:00.000000Z")
    forged = body + b',"hash":"' + hashlib.sha256(body).hexdigest().encode() + b'"}\n'
    text = found("forgery", lines[:5] + [forged] + lines[6:])
    assert "changed.log:7: BROKEN" in text and "changed.log:6: BROKEN" not in text


def test_verify_says_what_it_cannot_know(serve, account, trail, tmp_path):
    gateway = serve(audit_log_file=trail)
    make_trail(gateway, account)
    lines = trail.read_bytes().splitlines(keepends=True)
    trail.write_bytes(b"".join(lines[:-3]))
    result = verify(trail)
    assert result.returncode == 0 and "does not end with a seal" in result.stdout
    assert verify("--require-seal", trail).returncode == 1
    trail.write_bytes(b"".join(lines[:-3]) + lines[-3][:40])
    assert "middle of a record" in verify(trail).stdout
    assert verify(tmp_path / "none").returncode == 66
    trail.write_bytes(b"")
    assert verify(trail).returncode == 0


def test_a_long_reading_shows_how_far_it_is_on_a_terminal_alone(tmp_path):
    """The lines are made here, from the documentation alone."""
    trail = tmp_path / "long.log"
    previous = "0" * 64
    with trail.open("w", encoding="ascii") as file:
        for number in range(1, 40_002):
            rest = ',"reason":"start","after":"nothing"'
            event = "open"
            if number > 1:
                event, rest = "delete", f',"path":"/{"x" * 300}"'
            body = (f'{{"v":1,"seq":{number},"time":"2026-11-22T00:00:00.000000Z","event":"{event}",'
                    f'"session":"abcdefgh","n":{number}{rest},"prev":"{previous}"')
            previous = hashlib.sha256(body.encode()).hexdigest()
            file.write(f'{body},"hash":"{previous}"}}\n')
    quiet = verify(trail)
    assert quiet.returncode == 0 and quiet.stderr == "" and "40001 records" in quiet.stdout
    leader, follower = pty.openpty()
    with subprocess.Popen([str(BINARY), "audit", "verify", str(trail)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=follower) as process:
        os.close(follower)
        shown = b""
        while True:
            try:
                shown += os.read(leader, 4_096)
            except OSError:
                break
        assert process.wait(30) == 0 and b"intact" in process.stdout.read()
    os.close(leader)
    assert b"16 MiB read" in shown and shown.endswith(b"\r\x1b[K")


def test_check_config_says_what_is_written_for_auditors(trail, tmp_path):
    key = tmp_path / "key"
    make_key(key)

    def check(text):
        file = tmp_path / "vsftpd.conf"
        file.write_text(text)
        return subprocess.run([BINARY, "check-config", file], capture_output=True, text=True,
                              timeout=20).stdout

    shown = check(f"audit_log_file={trail}\naudit_required=YES\naudit_key_file={key}\n")
    assert f"audit trail: {trail}; nobody is served while it cannot be written;" in shown
    assert "signed" in shown and not trail.exists()
    assert "audit trail" not in check("write_enable=YES\n")
    assert "audit_content_hash=YES: ignored" in check("audit_content_hash=YES\n")


def test_rotation_under_load_loses_nothing(serve, account, trail, tmp_path):
    gateway = serve(audit_log_file=trail)
    ends = []

    def work(number):
        client = gateway.ftp(account)
        for turn in range(40):
            client.mkd(f"d{number}-{turn}")
        client.quit()
        ends.append(number)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for worker in workers:
        worker.start()
    rotated = []
    for turn in range(4):
        seen = trail.stat().st_size
        wait_until(lambda: trail.stat().st_size > seen + 2_000 or len(ends) == 3, 20, "records")
        rotated.append(tmp_path / f"audit.log.{turn}")
        trail.rename(rotated[-1])
        gateway.process.send_signal(signal.SIGHUP)
        wait_until(lambda: trail.exists() and trail.stat().st_size, 10, "the next file")
    for worker in workers:
        worker.join(60)
    gateway.stop()
    assert sorted(ends) == [0, 1, 2]
    found = records(*rotated, trail)
    made = [record["path"] for record in of(found, "mkdir")]
    assert sorted(made) == sorted(f"/d{n}-{t}" for n in range(3) for t in range(40))
    assert len(of(found, "seal")) == 5 and len(of(found, "reload")) == 4
    # In whatever order a shell names them.
    answer = judge(*reversed(rotated), trail)
    assert answer["intact"] and answer["findings"] == [], answer
    assert all(file["sealed"] for file in answer["files"])
    # A file in between is missed.
    answer = judge(rotated[0], rotated[2])
    assert not answer["intact"] and "missing" in answer["findings"][0]["text"]


def test_the_documented_rules_of_logrotate_fit(serve, account, trail, tmp_path):
    page = (ROOT / "Sources/Portcullis/Portcullis.docc/AuditTrail.md").read_text()
    text, = re.findall(r"^(/var/log/portcullis/audit.log \{.*?^\})$", page, re.DOTALL | re.MULTILINE)
    gateway = serve(audit_log_file=trail)
    client = gateway.ftp(account)
    client.mkd("before")
    text = text.replace("/var/log/portcullis/audit.log", str(trail))
    rules = tmp_path / "rules"
    rules.write_text(text.replace("systemctl reload portcullis.service", f"kill -HUP {gateway.pid}"))
    rules.chmod(0o600)
    subprocess.run(["/usr/sbin/logrotate", "--force", "--state", tmp_path / "state", rules],
                   check=True, timeout=30)
    wait_until(lambda: trail.exists() and trail.stat().st_size, 10, "the next file")
    client.mkd("after")
    client.quit()
    gateway.stop()
    old = tmp_path / "audit.log.1"
    assert [record["path"] for record in of(records(old, trail), "mkdir")] == ["/before", "/after"]
    assert judge(trail, old)["findings"] == []


def test_a_trail_that_is_removed_begins_anew_and_is_missed(serve, account, trail, tmp_path):
    gateway = serve(audit_log_file=trail, audit_required="YES")
    client = gateway.ftp(account)
    client.mkd("before")
    kept = tmp_path / "kept"
    shutil.copy(trail, kept)
    client.mkd("between")
    trail.unlink()
    client.mkd("after")
    client.quit()
    gateway.stop()
    assert "it cannot be written" in gateway.log
    first, *_ = trail.read_bytes().splitlines()
    assert json.loads(first)["event"] == "open" and b'"/after"' in trail.read_bytes()
    answer = judge(kept, trail)
    assert not answer["intact"] and "missing" in answer["findings"][0]["text"]


def test_a_rotation_without_an_auditor_keeps_the_chain(serve, account, trail, tmp_path):
    gateway = serve(audit_log_file=trail)
    client = gateway.ftp(account)
    client.mkd("before")
    auditor, = auditors(gateway)
    os.kill(auditor, signal.SIGSTOP)
    rotated = tmp_path / "audit.log.1"
    trail.rename(rotated)
    gateway.process.send_signal(signal.SIGHUP)
    wait_until(trail.exists, 10, "the next file")
    # It never comes to the order.
    os.kill(auditor, signal.SIGKILL)
    client.mkd("after")
    client.quit()
    gateway.stop()
    found = records(rotated, trail)
    assert [record["path"] for record in of(found, "mkdir")] == ["/before", "/after"]
    answer = judge(rotated, trail)
    assert answer["intact"]
    assert [finding["text"][:44] for finding in answer["findings"]] \
        == ["the records before end without a seal: the s"]


def test_curl_and_lftp_leave_their_records(serve, account, trail, tmp_path):
    gateway = serve(audit_log_file=trail, audit_content_hash="YES", require_ssl_reuse="YES")
    source = tmp_path / "source"
    source.write_bytes(b"content" * 10_000)
    curl = Curl(gateway, account, "TLSv1.2")
    curl.run("--upload-file", source, curl.url("curl.bin"))
    lftp(gateway, account, f"put {source} -o lftp.bin", "cat lftp.bin > /dev/null", "rm lftp.bin")
    gateway.stop()
    found = records(trail)
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    told = [(record["event"], record["path"], record.get("sha256"), record["data"]["proof"])
            for record in of(found, "write", "read")]
    assert told == [("write", "/curl.bin", digest, "session"),
                    ("write", "/lftp.bin", digest, "session"),
                    ("read", "/lftp.bin", digest, "session")]
    assert of(found, "tls")[0]["tls"]["version"] == "TLSv1.2"
    assert [record["path"] for record in of(found, "delete")] == ["/lftp.bin"]
    assert len(of(found, "login")) == 2 and judge(trail)["findings"] == []


def test_a_server_that_starts_again_goes_on(serve, account, trail):
    for _ in range(2):
        make_trail(serve(audit_log_file=trail), account)
    found = records(trail)
    assert [record["after"] for record in of(found, "open")] == ["nothing", "seal"]
    assert judge(trail)["findings"] == []


def test_a_server_that_was_killed_says_so_when_it_is_back(serve, account, trail):
    gateway = serve(audit_log_file=trail)
    client = gateway.ftp(account)
    client.mkd("d")
    alive = proc.tree(gateway.pid)
    auditor, = auditors(gateway)
    for pid in [gateway.pid, auditor, *alive]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    gateway.kill()
    trail.write_bytes(trail.read_bytes() + b'{"v":1,"seq":')
    make_trail(serve(audit_log_file=trail), account)
    opened = of(records(trail), "open")
    assert opened[1]["after"] == "record" and opened[1]["torn_bytes"] == 13
    answer = judge(trail)
    assert answer["intact"]
    assert any("without a seal" in finding["text"] for finding in answer["findings"])


def test_killing_the_auditor_loses_no_action_that_was_acknowledged(serve, account, trail):
    gateway = serve(audit_log_file=trail)
    done = []

    def work(number):
        client = gateway.ftp(account)
        for turn in range(60):
            client.storbinary(f"STOR f{number}-{turn}", io.BytesIO(b"x" * 1_000))
            done.append(f"/f{number}-{turn}")
        client.quit()

    workers = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for worker in workers:
        worker.start()
    for turn in range(2):
        count = len(done)
        wait_until(lambda: len(done) > count + 15, 20, "transfers")
        auditor, = wait_until(lambda: auditors(gateway), 20, "an auditor")
        os.kill(auditor, signal.SIGKILL)
        wait_until(lambda: auditors(gateway) not in ([], [auditor]), 20, "another auditor")
    for worker in workers:
        worker.join(90)
    gateway.stop()
    found = records(trail)
    written = [record["path"] for record in of(found, "write")]
    assert len(done) == 180 and sorted(written) == sorted(done)
    assert [record["reason"] for record in of(found, "open")] == ["start", "recovery", "recovery"]
    assert judge(trail)["intact"]
    assert "the process that writes the audit trail has ended" in gateway.log
    assert "not known to be in the audit trail" not in gateway.log


def test_a_full_disk_stops_the_service_where_the_trail_is_required(small_disk, serve, account):
    trail = small_disk / "audit.log"
    gateway = serve(audit_log_file=trail, audit_required="YES")
    filler = small_disk / "filler"
    client = gateway.ftp(account)
    client.mkd("before")
    filler.write_bytes(b"x" * 40_000)
    fill(filler)
    # A few records still fit; the one that does not is waited for.
    made = []

    def work():
        for turn in range(60):
            client.mkd(f"d{turn}")
            made.append(f"/d{turn}")

    worker = threading.Thread(target=work)
    worker.start()
    wait_until(lambda: "it cannot be written, sessions wait" in gateway.log, 20, "the complaint")
    def refused():
        try:
            return gateway.control(greet=False).reply().code == 421
        except Closed:
            return False
    wait_until(refused, 10, "the refusal of new sessions")
    count = len(made)
    assert worker.is_alive() and count < 60
    filler.unlink()
    worker.join(30)
    assert len(made) == 60
    client.quit()
    wait_until(lambda: "it can be written again" in gateway.log, 10, "the end of it")
    gateway.ftp(account).quit()
    gateway.stop()
    found = records(trail)
    assert [record["path"] for record in of(found, "mkdir")] == ["/before", *made]
    assert of(found, "gap") == [] and judge(trail)["intact"]


def test_a_full_disk_loses_records_only_with_a_word_where_it_is_not_required(
        small_disk, serve, account):
    trail = small_disk / "audit.log"
    gateway = serve(audit_log_file=trail)
    client = gateway.ftp(account)
    filler = small_disk / "filler"
    fill(filler)
    for turn in range(40):
        client.mkd(f"d{turn}")
    assert "it cannot be written, records are lost" in gateway.log
    filler.unlink()
    client.mkd("after")
    client.quit()
    gateway.stop()
    found = records(trail)
    told = [record["path"] for record in of(found, "mkdir")]
    gaps = of(found, "gap")
    assert told[-1] == "/after" and len(told) + sum(gap["records"] for gap in gaps) == 41
    answer = judge(trail)
    assert answer["intact"] and "something is missing" in answer["findings"][0]["text"]


def test_a_disk_with_errors_is_waited_for(root, tmp_path, serve, account):
    with mounted(tmp_path) as disk:
        trail = disk.path / "audit.log"
        gateway = serve(audit_log_file=trail, audit_required="YES")
        client = gateway.ftp(account)
        client.mkd("before")
        disk.fail("write")
        worker = threading.Thread(target=client.mkd, args=("after",))
        worker.start()
        wait_until(lambda: "sessions wait (audit_required): write:" in gateway.log, 20, "the word")
        disk.repair()
        worker.join(20)
        assert not worker.is_alive()
        client.quit()
        gateway.stop()
        found = records(trail)
        assert [record["path"] for record in of(found, "mkdir")] == ["/before", "/after"]
        assert judge(trail)["findings"] == []


def test_a_file_that_somebody_else_changes_is_noticed(serve, account, trail):
    gateway = serve(audit_log_file=trail)
    client = gateway.ftp(account)
    client.mkd("one")
    # What copytruncate does, too.
    os.truncate(trail, 0)
    client.mkd("two")
    client.quit()
    gateway.stop()
    assert "somebody else has changed the file" in gateway.log
    answer = judge(trail)
    assert not answer["intact"]
    assert json.loads(trail.read_bytes().splitlines()[0])["event"] == "gap"


def test_nobody_but_its_process_has_the_file(serve, account, trail):
    gateway = serve(audit_log_file=trail, audit_log_group="adm")
    client = gateway.ftp(account)
    status = trail.stat()
    assert stat.S_IMODE(status.st_mode) == 0o640
    assert (status.st_uid, grp.getgrgid(status.st_gid).gr_name) == (0, "adm")
    auditor, = auditors(gateway)

    def holders():
        found = set()
        for pid in [gateway.pid, *proc.tree(gateway.pid)]:
            for link in pathlib.Path(f"/proc/{pid}/fd").iterdir():
                if os.path.realpath(link) == str(trail):
                    found.add(pid)
        return found
    assert holders() == {gateway.pid, auditor}
    fields = dict(line.split(":\t", 1) for line in
                  pathlib.Path(f"/proc/{auditor}/status").read_text().splitlines() if ":\t" in line)
    assert fields["Uid"].split()[0] != "0" and fields["Seccomp"] == "2"
    assert int(fields["CapEff"], 16) == 0 and fields["NoNewPrivs"] == "1"
    client.quit()


def test_two_servers_do_not_write_one_trail(serve, trail, certificate):
    serve(audit_log_file=trail)
    result = subprocess.run(
        [BINARY, "serve", "--set", "listen_port=0", "--set", f"rsa_cert_file={certificate.chain}",
         "--set", f"rsa_private_key_file={certificate.key}", "--set", f"pam_conf_dir={daemon.PAM}",
         "--set", f"audit_log_file={trail}"],
        capture_output=True, text=True, timeout=20)
    assert result.returncode == 78 and "another server writes to it" in result.stderr


def test_records_are_on_the_disk_before_the_reply_where_that_is_wanted(serve, account, trail):
    gateway = serve(audit_log_file=trail, audit_sync="YES")
    client = gateway.ftp(account)
    auditor, = auditors(gateway)
    calls = pathlib.Path(trail.parent / "calls")
    with subprocess.Popen(["strace", "-p", str(auditor), "-e", "trace=write,fdatasync,sendto",
                           "-o", str(calls)], stderr=subprocess.PIPE) as tracer:
        tracer.stderr.readline()
        client.mkd("d")
        tracer.send_signal(signal.SIGINT)
        tracer.wait(10)
    names = [line.split("(")[0] for line in calls.read_text().splitlines() if "(" in line]
    names = [name for name in names if name in ("write", "fdatasync", "sendto")]
    assert names == ["write", "fdatasync", "sendto"]
    client.quit()


def test_a_certificate_that_was_proved_is_told(serve, account, trail, tmp_path):
    authority = Authority(tmp_path)
    gateway = serve(audit_log_file=trail, cert_auth="alone", cert_user_field="cn",
                    validate_cert="YES", ca_certs_file=authority.chain)
    shown = authority.issue(account.name)
    session = gateway.control(context=showing(gateway, shown)).secure().protect()
    session.expect(f"USER {account.name}", 232)
    session.expect("QUIT", 221)
    gateway.stop()
    login, = of(records(trail), "login")
    assert (login["method"], login["code"]) == ("certificate", 232)
    told = login["certificate"]
    assert told["sha256"] == fingerprint(shown).replace(":", "").lower()
    assert told["subject"] == f"CN={account.name}" and told["issuer"].startswith("CN=")
    serial = openssl("x509", "-in", shown.chain, "-noout", "-serial").decode().split("=")[1]
    assert int(told["serial"], 16) == int(serial, 16)


# Signatures.

def make_key(path):
    result = subprocess.run([str(BINARY), "audit", "key", path], capture_output=True, text=True,
                            timeout=20)
    assert result.returncode == 0 and stat.S_IMODE(path.stat().st_mode) == 0o600
    return result.stdout.strip()


def test_signatures_hold_against_whoever_has_the_file_and_a_later_key(
        serve, account, trail, tmp_path):
    key = tmp_path / "key"
    public = make_key(key)
    first = key.read_bytes()
    gateway = serve(audit_log_file=trail, audit_key_file=key)
    client = gateway.ftp(account)
    client.mkd("d")
    rotated = tmp_path / "audit.log.1"
    trail.rename(rotated)
    gateway.process.send_signal(signal.SIGHUP)
    wait_until(lambda: trail.exists() and trail.stat().st_size, 10, "the next file")
    client.rmd("d")
    client.quit()
    gateway.stop()
    make_trail(serve(audit_log_file=trail, audit_key_file=key), account)
    result = verify("--key", public, rotated, trail)
    assert result.returncode == 0 and "3 good signatures" in result.stdout, result.stdout
    seals = of(records(rotated, trail), "seal")
    assert len({seal["key"] for seal in seals}) == 3 and seals[0]["key"] == public
    assert [seal["key"] for seal in seals[1:]] == [seal["next_key"] for seal in seals[:-1]]
    # The keys of the past are gone.
    assert key.stat().st_size == len(first) and first.split()[3] not in key.read_bytes()

    # One who has the file, and computes every hash anew, has no signature for it.
    lines = rotated.read_bytes().splitlines(keepends=True)
    forged, previous = [], None
    for line in lines:
        body = line[:-len(',"hash":"') - 64 - 3].replace(b'"/d"', b'"/e"')
        if previous:
            body = body[:-65] + previous + b'"'
        previous = hashlib.sha256(body).hexdigest().encode()
        forged.append(body + b',"hash":"' + previous + b'"}\n')
    rotated.write_bytes(b"".join(forged))
    result = verify(rotated)
    assert result.returncode == 1 and "signature of record" in result.stdout, result.stdout
    # One who makes a key of their own is not the one who is known.
    other = make_key(tmp_path / "other")
    result = verify("--key", other, trail)
    assert result.returncode == 1 and "another key" in result.stdout
    # One who leaves the signatures out is found by whoever knows that there are some.
    rotated.write_bytes(b"".join(lines[:-1]))
    assert verify("--key", public, rotated).returncode == 1


def test_the_key_is_in_the_memory_of_its_process_alone(serve, account, trail, tmp_path):
    key = tmp_path / "key"
    make_key(key)
    seed = key.read_bytes().split()[3]
    gateway = serve(audit_log_file=trail, audit_key_file=key)
    with contextlib.closing(gateway.ftp(account)):
        auditor, = auditors(gateway)
        others = {gateway.pid, *proc.tree(gateway.pid)} - {auditor}
        raw = bytes.fromhex(seed.decode())
        # What lay in memory that was given back may be there in part.
        forms = [part[at:at + 12] for part in (seed, raw) for at in range(0, len(part) - 11, 4)]
        assert proc.memory_holds(auditor, [raw]) and len(others) > 3
        assert not [pid for pid in others if proc.memory_holds(pid, forms)]


def test_a_key_that_others_could_read_is_not_used(serve, trail, tmp_path, certificate):
    key = tmp_path / "key"
    make_key(key)
    key.chmod(0o640)
    result = subprocess.run(
        [BINARY, "serve", "--set", "listen_port=0", "--set", f"rsa_cert_file={certificate.chain}",
         "--set", f"rsa_private_key_file={certificate.key}", "--set", f"pam_conf_dir={daemon.PAM}",
         "--set", f"audit_log_file={trail}", "--set", f"audit_key_file={key}"],
        capture_output=True, text=True, timeout=20)
    assert result.returncode == 78 and "audit_key_file" in result.stderr, result.stderr


def test_killing_the_auditor_breaks_no_signature(serve, account, trail, tmp_path):
    key = tmp_path / "key"
    public = make_key(key)
    gateway = serve(audit_log_file=trail, audit_key_file=key)
    client = gateway.ftp(account)
    for turn in range(2):
        client.mkd(f"d{turn}")
        auditor, = auditors(gateway)
        os.kill(auditor, signal.SIGKILL)
        wait_until(lambda: auditors(gateway) not in ([], [auditor]), 20, "another auditor")
    client.quit()
    gateway.stop()
    assert verify("--key", public, trail).returncode == 0


# Reports.

def report(*arguments):
    return subprocess.run([str(BINARY), "audit", "report", *map(str, arguments)],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)


def test_a_report_says_what_happened_in_a_period(serve, account, trail):
    gateway = serve(audit_log_file=trail)
    with pytest.raises(ftplib.error_perm, match="^530"):
        with ftplib.FTP_TLS(context=gateway.context(), timeout=20) as client:
            client.connect(gateway.host, gateway.port)
            client.login("<script>alert(1)</script>", "not the password")
    client = gateway.ftp(account, kind=ResumingFTP)
    client.storbinary("STOR a", io.BytesIO(b"x" * 12_345))
    client.retrbinary("RETR a", lambda _: None)
    client.delete("a")
    client.quit()
    gateway.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "certificates loaded" in gateway.log, 10, "the reload")
    gateway.stop()
    day = records(trail)[0]["time"][:10]

    result = report(trail)
    assert result.returncode == 0 and not result.stderr
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["by", "password", "1"] in lines and ["refused", "1"] in lines
    assert [day, "1", "12345", "1", "12345"] in lines
    assert [account.name, "1", "0", "1", "12345", "1", "12345", "1", "0"] in lines
    assert ["session", "2"] in lines and ["TLSv1.3,", "resumed", "2"] in lines
    assert ["127.0.0.1", "2", "1", "1"] in lines
    assert any(line[1:2] == ["reload"] for line in lines)
    assert "The trail is intact" in result.stdout and str(trail) in result.stdout
    assert report("--from", day, "--to", day, trail).stdout.splitlines()[5:] \
        == result.stdout.splitlines()[5:]
    assert "\n0 records\n" in report("--to", "2001", trail).stdout
    assert report("--from", "yesterday", trail).returncode == 64

    page = report("--html", trail).stdout
    assert "<script" not in page and "&lt;script&gt;" in page
    parsed = Page(page)
    assert parsed.open == [] and parsed.outside == [] and "rect" in parsed.seen
    lines = trail.read_bytes().splitlines(keepends=True)
    trail.write_bytes(b"".join(lines[:4] + lines[5:]))
    assert report("--html", trail).returncode == 1 and "BROKEN" in report(trail).stdout


class Page(html.parser.HTMLParser):
    """A page of HTML: whether it is well nested, and what it would load."""

    def __init__(self, text):
        super().__init__()
        self.open, self.outside, self.seen = [], [], set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.seen.add(tag)
        self.outside += [value for name, value in attributes if name in ("src", "href", "action")]
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.seen.add(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
