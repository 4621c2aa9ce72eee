"""What the kernel lets those processes do that are there for a moment: the Verifier of a certificate,
and the Closer, which closes the PAM session of a Warden that was killed."""

import os
import pwd
import signal

import pytest

import proc
from certificates import Authority
from confining import KEPT, capabilities, environment, limits
from control import wait_until
from hostile_calls import ABSENT, ANSWERED, AT_FDCWD, EVERYTHING, KERNEL, PRIVILEGE, attempt
from injection import KILLED, Inside, NextChild, needs_injection
from test_client_certificates import showing

PR_GET_DUMPABLE = 3


@pytest.fixture
def verifying(daemons, account, tmp_path):
    """Has a daemon check a client's certificate, and stops the process that does right before it
    tells what it has found."""
    authority = Authority(tmp_path)
    certificate = authority.issue(account.name)
    gateway = daemons(cert_auth="alone", cert_user_field="cn", validate_cert="YES",
                      ca_certs_file=authority.chain)

    def stop():
        client = gateway.control(context=showing(gateway, certificate))
        warden = wait_until(gateway.wardens, what="the client's Warden")[0]
        stopped = NextChild(warden, "sendto", client.secure)
        return gateway, client, stopped
    return stop


@needs_injection
def test_a_verifier_has_given_up_everything_but_its_answer(verifying, account):
    gateway, client, stopped = verifying()
    with stopped as verifier:
        assert proc.name(verifier.pid) == "ftps-verifier"
        status = proc.status(verifier.pid)
        assert {int(status[key], 16) for key in
                ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {0}
        assert (status["NoNewPrivs"], status["Seccomp"], status["Threads"]) == ("1", "2", "1")
        assert proc.numbers(status["Uid"]) == [pwd.getpwnam("nobody").pw_uid] * 4
        assert not status["Groups"].strip()
        assert environment(verifier.pid) == b""
        held = limits(verifier.pid)
        assert held["Max core file size"] == held["Max file size"] == ["0", "0"]
        assert held["Max processes"] == ["0", "0"] and held["Max open files"] == ["64", "64"]
        assert int(held["Max address space"][1]) < 1 << 30
        assert os.stat(f"/proc/{verifier.pid}/mem").st_uid == 0
        targets = set(proc.descriptors(verifier.pid).values())
        assert len([one for one in targets if one.startswith("socket:")]) == 1
        assert {one for one in targets if not one.startswith("socket:")} <= {"/dev/null"}
        for what, answer in ANSWERED["ftps-signer"].items():
            assert attempt(verifier, what, None) == answer, what
        # The kernel ends it when it takes too long, whatever it does.
        with open(f"/proc/{verifier.pid}/timers", encoding="ascii") as timers:
            assert "signal: 9/" in timers.read()
    # It goes on as if nothing had happened.
    client.expect(f"USER {account.name}", 232)
    assert "client certificate proved" in gateway.log


@needs_injection
def test_a_verifier_that_is_taken_over_can_do_nothing_else(verifying, account, victim):
    for what in sorted(set(EVERYTHING) - set(ANSWERED["ftps-signer"])):
        gateway, client, stopped = verifying()
        with stopped as verifier:
            assert attempt(verifier, what, victim) == KILLED, what
        # Its Warden believes nothing then, and its client may go on.
        client.expect(f"USER {account.name}", 331)
        client.close()
        wait_until(lambda: not gateway.wardens(), what="the end of the session")


# Its last line, were it let go on.
HANGING = """#!/bin/sh
echo "$PAM_TYPE" >>{book}
[ "$PAM_TYPE" = open_session ] || exec sleep 60
"""


@pytest.fixture
def closing(daemons, account, tmp_path):
    """Starts daemons whose PAM sessions take long to close, and has Closers begin with it."""
    script = tmp_path / "hanging"
    script.write_text(HANGING.format(book=tmp_path / "book"))
    script.chmod(0o755)
    (tmp_path / "portcullis").write_text(
        "auth required pam_permit.so\naccount required pam_permit.so\n"
        f"session required pam_exec.so quiet {script}\n")
    gateway = daemons(pam_conf_dir=tmp_path)

    def closers():
        return {pid for pid in proc.children(gateway.pid) if proc.name(pid) == "ftps-closer"}

    def start():
        before = closers()
        gateway.session(account)
        warden, = set(gateway.wardens()) - before
        os.kill(warden, signal.SIGKILL)
        return wait_until(lambda: closers() - before, what="another Closer").pop()

    start.gateway = gateway
    start.closers = closers
    return start


@needs_injection
def test_a_closer_has_what_a_warden_has_and_no_connection(closing):
    pid = closing()
    status = proc.status(pid)
    kept = KEPT & capabilities()
    assert {key: int(status[key], 16) for key in
            ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {
                "CapInh": 0, "CapPrm": kept, "CapEff": kept, "CapBnd": kept, "CapAmb": 0}
    assert (status["NoNewPrivs"], status["Seccomp"], status["Threads"]) == ("1", "2", "1")
    assert environment(pid) == b""
    held = limits(pid)
    assert held["Max core file size"] == ["0", "0"] and int(held["Max open files"][0]) <= 1024
    # Neither a port, nor a client, nor a channel to anybody.
    assert not [target for number, target in proc.descriptors(pid).items()
                if number > 2 or target.startswith("socket:")]
    others = [b"/proc/%d/%s" % (other, file) for file in (b"mem", b"environ")
              for other in (closing.gateway.pid, *closing.gateway.signers())]
    with Inside(pid) as closer:
        assert closer.call("prctl", PR_GET_DUMPABLE) == 0
        for path in others:
            assert closer.call("openat", AT_FDCWD, path, os.O_RDONLY) == "EACCES", path
        for what in PRIVILEGE:
            assert attempt(closer, what, None) == "EPERM", what
        for what in ABSENT:
            assert attempt(closer, what, None) == "ENOSYS", what
        assert attempt(closer, "make_a_packet_socket", None) == "EAFNOSUPPORT"
        # The kernel ends it when it takes too long, whatever it does.
        with open(f"/proc/{pid}/timers", encoding="ascii") as timers:
            assert "signal: 9/" in timers.read()


@needs_injection
def test_what_no_login_needs_ends_a_closer(closing, account, victim):
    for what in sorted(KERNEL):
        with Inside(closing()) as closer:
            assert attempt(closer, what, victim) == KILLED, what
        # What its modules have started goes with it.
        wait_until(lambda: proc.tree(closing.gateway.pid) == closing.gateway.signers(),
                   what="the end of everything")
    assert closing.gateway.session(account).alive()
