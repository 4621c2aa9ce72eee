"""The audit trail over a restart: sessions that go on write to a branch of it."""

import hashlib
import json
import os
import shutil
import signal
import subprocess

import pytest

import proc
import uploading
from auditing import chained, judge, of, records, verify
from control import finish, wait_until
from disks import fill
from gateway import BINARY
from test_audit import auditors, make_key
from test_restart import follow, gone, leave


@pytest.fixture
def trail(tmp_path):
    return tmp_path / "audit.log"


def branches(trail):
    """The files that lie beside a trail, in the order in which they were begun."""
    found = [path for path in trail.parent.glob("audit.log.branch-*") if path.stat().st_size]
    return sorted(found, key=lambda path: first(path)["seq"])


def first(path):
    return json.loads(path.read_bytes().splitlines()[0])


def begun(serve, account, trail, name="f", **options):
    """A server with an upload in its middle."""
    gateway = serve(audit_log_file=trail, **options)
    session = gateway.session(account)
    return gateway, session, uploading.begin(session, f"STOR {name}")


def complete(old, session, data):
    uploading.end(session, data)
    assert session.ended(421)
    gone(old)


def restarted(serve, account, trail, **options):
    """A trail of which an upload has outlived its server; every server has ended."""
    old, session, data = begun(serve, account, trail, **options)
    leave(old)
    later = follow(serve, old, audit_log_file=trail, **options)
    client = later.ftp(account)
    client.mkd("meanwhile")
    complete(old, session, data)
    client.rmd("meanwhile")
    client.quit()
    later.stop()
    branch, = branches(trail)
    return branch


@pytest.mark.parametrize("required", ["NO", "YES"])
def test_a_transfer_that_outlives_its_server_has_its_record(serve, account, trail, required):
    # The shortest of limits: it does not hold for a restart.
    branch = restarted(serve, account, trail, audit_required=required, shutdown_timeout="1",
                       audit_log_group="adm")
    main = records(trail)
    seal, begin = [(record, main[place + 1]) for place, record in enumerate(main[:-1])
                   if record["event"] == "seal"][0]
    assert (seal["reason"], seal["branch"]) == ("handover", branch.name.rpartition("-")[2])
    assert (begin["event"], begin["reason"], begin["after"]) == ("open", "start", "seal")
    stops = [record.get("reason") for record in of(main, "stop")]
    assert stops == ["restart", None] and of(main, "write") == []
    assert len(of(main, "mkdir", "rmdir")) == 2
    rest = chained(branch, seal)
    assert (rest[0]["event"], rest[0]["reason"], rest[0]["branch"]) \
        == ("open", "branch", seal["branch"])
    write, = of(rest, "write")
    assert (write["path"], write["result"], write["bytes"]) == ("/f", "ok", 100_000)
    assert [record["event"] for record in rest[-2:]] == ["disconnect", "seal"]
    assert rest[-1]["reason"] == "stop" and rest[-1]["records"] == len(rest)
    status, other = branch.stat(), trail.stat()
    assert (status.st_mode, status.st_uid, status.st_gid) \
        == (other.st_mode, other.st_uid, other.st_gid)
    for files in [(trail, branch), (branch, trail)]:
        assert judge(*files)["findings"] == []
        assert verify("--require-seal", *files).returncode == 0
    told = {file["file"]: file.get("branch") for file in judge(trail, branch)["files"]}
    assert told == {str(trail): None, str(branch): seal["branch"]}
    result = subprocess.run([str(BINARY), "audit", "report", trail, branch], capture_output=True,
                            text=True, timeout=60)
    assert result.returncode == 0 and "restart" in result.stdout
    assert [account.name, "2", "0", "0", "0", "1", "100000", "2", "0"] \
        in [line.split() for line in result.stdout.splitlines()]


def test_a_branch_that_was_removed_altered_or_cut_is_found(serve, account, trail, tmp_path):
    branch = restarted(serve, account, trail)
    other = tmp_path / "other"

    def broken(text, *files):
        answer = judge(*files)
        assert not answer["intact"]
        assert any(text in finding["text"] for finding in answer["findings"] if finding["broken"]), \
            answer
        return answer

    name = first(branch)["branch"]
    answer = broken(f"the branch {name} is missing", trail)
    assert answer["findings"][0]["file"] == str(trail)
    # An empty file in its place is none.
    other.write_bytes(b"")
    broken("is missing", trail, other)
    lines = branch.read_bytes().splitlines(keepends=True)
    for place in range(len(lines)):
        other.write_bytes(b"".join(lines[:place] + [lines[place].replace(b'"n":', b'"n":1', 1)]
                                   + lines[place + 1:]))
        broken("was altered", trail, other)
        if place < len(lines) - 1:
            other.write_bytes(b"".join(lines[:place] + lines[place + 1:]))
            broken("", trail, other)
    other.write_bytes(b"".join(lines[:-1]))
    assert "does not end with a seal" in judge(trail, other)["findings"][0]["text"]
    assert verify("--require-seal", trail, other).returncode == 1
    # The same branch twice, and the trail cut off in front of its seal.
    other.write_bytes(branch.read_bytes())
    broken("read already", trail, branch, other)
    whole = trail.read_bytes().splitlines(keepends=True)
    seal = next(place for place, line in enumerate(whole) if b'"reason":"handover"' in line)
    other.write_bytes(b"".join(whole[:seal]))
    broken(f"no seal before this names the branch {name}", other, branch)
    # Behind the seal the trail may go on in a file that is elsewhere.
    other.write_bytes(b"".join(whole[:seal + 1]))
    assert judge(other, branch)["findings"] == []
    assert judge(branch)["intact"] and "begins before" in judge(branch)["findings"][0]["text"]


def test_a_branch_is_not_called_lost_later_on(serve, account, trail):
    branch = restarted(serve, account, trail)
    last, name = records(trail)[-1], first(branch)["branch"]
    previous = last["hash"]
    for place, (event, rest) in enumerate([
            ("open", f'"reason":"recovery","after":"seal","lost_branch":"{name}"'),
            ("seal", '"reason":"stop","records":2')], last["seq"] + 1):
        body = (f'{{"v":1,"seq":{place},"time":"{last["time"]}","event":"{event}",'
                f'"session":"auditor","n":0,{rest},"prev":"{previous}"')
        previous = hashlib.sha256(body.encode()).hexdigest()
        with trail.open("a", encoding="ascii") as file:
            file.write(f'{body},"hash":"{previous}"}}\n')
    texts = [finding["text"] for finding in judge(trail)["findings"]]
    assert not judge(trail)["intact"] and "long after its seal" in texts[0]
    assert f"the branch {name} is missing" in texts[1]


def test_two_restarts_and_a_rotation_while_transfers_run(serve, account, trail, tmp_path):
    rotated = tmp_path / "audit.log.1"
    servers, uploads = [serve(audit_log_file=trail)], []
    for number in range(2):
        session = servers[-1].session(account)
        uploads.append((servers[-1], session, uploading.begin(session, f"STOR f{number}")))
        leave(servers[-1])
        servers.append(follow(serve, servers[0], audit_log_file=trail))
        if number == 0:
            trail.rename(rotated)
            servers[-1].process.send_signal(signal.SIGHUP)
            wait_until(lambda: trail.exists() and trail.stat().st_size, 10, "the next file")
    client = servers[-1].ftp(account)
    client.mkd("last")
    client.quit()
    # The first to begin is the last to end.
    for old, session, data in reversed(uploads):
        complete(old, session, data)
    servers[-1].stop()
    one, two = branches(trail)
    assert [record["path"] for record in of(records(rotated, trail), "mkdir", "write")] == ["/last"]
    for path, branch in (("/f0", one), ("/f1", two)):
        assert [record["path"] for record in of(chained(branch), "write")] == [path]
    answer = judge(trail, two, one, rotated)
    assert answer["intact"] and answer["findings"] == [], answer
    assert [file["file"] for file in answer["files"]] == list(map(str, (rotated, one, trail, two)))
    for left_out in (one, two):
        answer = judge(*({rotated, trail, one, two} - {left_out}))
        assert not answer["intact"] and first(left_out)["branch"] in answer["findings"][-1]["text"]


def test_signatures_branch_with_the_trail(serve, account, trail, tmp_path):
    key = tmp_path / "key"
    public = make_key(key)
    branch = restarted(serve, account, trail, audit_key_file=key)
    result = verify("--key", public, trail, branch)
    assert result.returncode == 0 and "3 good signatures" in result.stdout, result.stdout
    seals = of(records(trail), "seal")
    own = of(chained(branch), "seal")[0]
    assert own["key"] == seals[0]["branch_key"] and seals[1]["key"] == seals[0]["next_key"]
    keys = [seals[0]["key"], seals[1]["key"], own["key"]]
    assert len(set(keys)) == 3
    # The branch that somebody makes up with a key of their own is not the one that was named.
    lines = branch.read_bytes().splitlines(keepends=True)
    branch.write_bytes(b"".join(lines[:-1]))
    assert verify("--key", public, "--require-seal", trail, branch).returncode == 1


def holders(path, pids):
    return {pid for pid in pids if str(path) in proc.descriptors(pid).values()}


def test_a_restart_while_nobody_is_connected_makes_no_branch(serve, account, trail):
    old = serve(audit_log_file=trail)
    old.ftp(account).quit()
    wait_until(lambda: not old.wardens(), 10, "the end of the session")
    leave(old)
    follow(serve, old, audit_log_file=trail).stop()
    assert not list(trail.parent.glob("audit.log.branch-*"))
    assert judge(trail)["findings"] == []


def test_after_the_hand_over_neither_server_has_what_the_other_writes_to(
        serve, account, trail, tmp_path):
    key = tmp_path / "key"
    make_key(key)
    old, session, data = begun(serve, account, trail, audit_key_file=key)
    auditor, = auditors(old)
    leave(old)
    later = follow(serve, old, audit_log_file=trail, audit_key_file=key)
    # Clients may come a moment before its Auditor is there.
    wait_until(lambda: len(of(records(trail), "start")) == 2, 10, "the next server's record")
    branch, = branches(trail)
    left, new = proc.of_session(old.pid), [later.pid, *proc.tree(later.pid)]
    assert auditor in left and holders(branch, left) == {auditor} and not holders(branch, new)
    for path in (trail, key):
        assert not holders(path, left) and holders(path, new) == {later.pid, *auditors(later)}
    # The key of the next seal is on the disk, and in the memory of the old process no more.
    seed = key.read_bytes().split()[3]
    assert proc.memory_holds(auditor, [first(branch)["key"].encode()])
    assert not proc.memory_holds(auditor, [seed, bytes.fromhex(seed.decode())])
    complete(old, session, data)


@pytest.mark.parametrize("required", ["NO", "YES"])
def test_a_full_disk_makes_a_restart_a_stop_and_a_start(small_disk, serve, account, required):
    trail = small_disk / "audit.log"
    old, session, data = begun(serve, account, trail, audit_required=required)
    # The page that the file ends in still takes some records.
    fill(small_disk / "filler")
    idle = old.ftp(account)
    made = 0
    while "it cannot be written" not in old.log and made < 40 and required == "NO":
        idle.mkd(f"d{made}")
        made += 1
    idle.close()
    old.process.send_signal(signal.SIGUSR2)
    if required == "YES":
        # Whatever fits decides; the trail is whole either way.
        (small_disk / "filler").unlink()
    else:
        wait_until(lambda: "no other server can write to it yet" in old.log, 20, "the word")
        (small_disk / "filler").unlink()
    uploading.end(session, data)
    assert session.ended(421) and old.process.wait(30) == 0
    gone(old)
    serve(audit_log_file=trail).stop()
    assert judge(trail, *branches(trail))["intact"]
    written = [record for path in (trail, *branches(trail)) for record in of(chained(path), "write")]
    assert [record["path"] for record in written] == ["/f"]


def test_a_disk_that_is_full_after_the_hand_over_loses_records_only_with_a_word(
        small_disk, serve, account):
    trail = small_disk / "audit.log"
    old = serve(audit_log_file=trail)
    uploads = []
    for number in range(5):
        session = old.session(account)
        uploads.append((session, uploading.begin(session, f"STOR f{number}")))
    leave(old)
    fill(small_disk / "filler")
    for session, data in uploads[:-1]:
        uploading.end(session, data)
        assert session.ended(421)
    wait_until(lambda: "it cannot be written, records are lost" in old.log, 20, "the complaint")
    (small_disk / "filler").unlink()
    complete(old, *uploads[-1])
    branch, = branches(trail)
    rest = chained(branch)
    told = [record for record in rest if record["session"] != "auditor"]
    lost = sum(gap["records"] for gap in of(rest, "gap"))
    # Each has a transfer, a logout and an end.
    assert lost > 0 and len(told) + lost == 15 and of(told, "write")[-1]["path"] == "/f4"
    answer = judge(trail, branch)
    assert answer["intact"] and "something is missing" in answer["findings"][0]["text"]


def test_a_branch_that_is_removed_while_it_is_written_is_told_and_missed(serve, account, trail):
    old, session, data = begun(serve, account, trail)
    leave(old)
    branch, = branches(trail)
    name = first(branch)["branch"]
    branch.unlink()
    complete(old, session, data)
    assert "it cannot be written, records are lost" in old.log
    answer = judge(trail)
    assert not answer["intact"] and f"the branch {name} is missing" in answer["findings"][0]["text"]


def test_an_auditor_that_dies_at_the_hand_over_is_replaced(serve, account, trail):
    old, session, data = begun(serve, account, trail)
    auditor, = auditors(old)
    os.kill(auditor, signal.SIGSTOP)
    old.process.send_signal(signal.SIGUSR2)
    wait_until(lambda: list(trail.parent.glob("audit.log.branch-*")), 10, "the branch")
    os.kill(auditor, signal.SIGKILL)
    wait_until(lambda: "no other server can write to it yet" in old.log, 20, "the word")
    uploading.end(session, data)
    assert session.ended(421) and old.process.wait(30) == 0
    gone(old)
    assert branches(trail) == []
    answer = judge(trail)
    assert answer["intact"]
    assert [record["path"] for record in of(records(trail), "write")] == ["/f"]


def test_a_branch_that_was_never_begun_is_not_missed(serve, account, trail):
    """The Auditor is killed when it has sealed the file, and before it has said that it moved."""
    old, session, data = begun(serve, account, trail, audit_sync="YES")
    auditor, = auditors(old)
    # The first fdatasync is for the record `stop`, the second one for the seal.
    with subprocess.Popen(["strace", "-p", str(auditor), "-e", "trace=fdatasync", "-o", "/dev/null",
                           "-e", "inject=fdatasync:signal=KILL:when=2"],
                          stderr=subprocess.PIPE) as tracer:
        tracer.stderr.readline()
        old.process.send_signal(signal.SIGUSR2)
        tracer.wait(20)
    uploading.end(session, data)
    assert session.ended(421) and old.process.wait(30) == 0
    gone(old)
    found = records(trail)
    assert [record["path"] for record in of(found, "write")] == ["/f"]
    seal, = [record for record in of(found, "seal") if record["reason"] == "handover"]
    assert [record["lost_branch"] for record in of(found, "open") if "lost_branch" in record] \
        == [seal["branch"]]
    answer = judge(trail, *branches(trail))
    assert answer["intact"] and "was not begun" in answer["findings"][0]["text"], answer


@pytest.mark.parametrize("required", ["NO", "YES"])
def test_when_the_old_auditor_dies_its_sessions_say_so(serve, account, trail, required):
    old, session, data = begun(serve, account, trail, audit_required=required)
    auditor, = auditors(old)
    leave(old)
    os.kill(auditor, signal.SIGKILL)
    finish(data)
    if required == "NO":
        session.next(226)
    assert session.ended(226, 421, 451)
    gone(old)
    assert "not known to be in the audit trail" in old.log and '"path":"/f"' in old.log
    branch, = branches(trail)
    assert "does not end with a seal" in judge(trail, branch)["findings"][-1]["text"]
