"""Which TLS session proves what: ids and tickets, master secrets, reloads, and sessions of others."""

import pathlib
import shutil
import signal
import ssl
import struct
import subprocess

import pytest

from certificates import make_certificate
from control import VERSIONS, finish, read_all, wait_until

BOTH = pytest.mark.parametrize("version", VERSIONS)

# SSL_OP_NO_EXTENDED_MASTER_SECRET, which the ssl module has no name for.
NO_EXTENDED_MASTER_SECRET = 1


def attempt(session, resuming, line="RETR f", context=None):
    """One download with a given TLS session: whether it was resumed, what came, and the reply."""
    data = session.connect_data()
    session.expect(line, 150)
    content, reused = b"", False
    try:
        data = session.wrap_data(data, session=resuming, context=context)
        reused = data.session_reused
        content = read_all(data)
        finish(data)
    except OSError:
        pass
    finally:
        data.close()
    return reused, content, session.reply().code


@pytest.mark.parametrize("options", [
    0, ssl.OP_NO_TICKET, NO_EXTENDED_MASTER_SECRET, ssl.OP_NO_TICKET | NO_EXTENDED_MASTER_SECRET],
    ids=["tickets", "ids", "tickets-without-ems", "ids-without-ems"])
def test_every_way_to_resume_under_tls_12_satisfies_the_requirement(serve, account, options):
    account.file("f", b"content")
    gateway = serve(require_ssl_reuse="YES")
    context = gateway.context("TLSv1.2")
    context.options |= options
    session = gateway.session(account, context=context)
    assert session.socket.session.has_ticket == (options & ssl.OP_NO_TICKET == 0)
    first = session.socket.session
    for _ in range(20):
        assert attempt(session, first) == (True, b"content", 226)
    for number in range(5):
        session.store(f"STOR g{number}", b"x" * 100_000, resume=True)


@pytest.mark.parametrize("tickets", [True, False], ids=["ticket", "id"])
@pytest.mark.parametrize("before", [True, False], ids=["with-ems", "without-ems"])
def test_a_session_is_not_resumed_under_another_kind_of_master_secret(
        serve, account, tickets, before):
    """RFC 7627 section 5.3."""
    account.file("f", b"content")
    gateway = serve(require_ssl_reuse="YES")
    context = gateway.context("TLSv1.2")
    if not tickets:
        context.options |= ssl.OP_NO_TICKET
    if not before:
        context.options |= NO_EXTENDED_MASTER_SECRET
    session = gateway.session(account, context=context)
    context.options ^= NO_EXTENDED_MASTER_SECRET
    assert attempt(session, session.socket.session) == (False, b"", 522)
    context.options ^= NO_EXTENDED_MASTER_SECRET
    assert attempt(session, session.socket.session) == (True, b"content", 226)


@pytest.mark.parametrize("control,data", [("TLSv1.2", "TLSv1.3"), ("TLSv1.3", "TLSv1.2")])
@pytest.mark.parametrize("reuse,code", [("YES", 522), ("NO", 226)])
def test_a_session_is_not_resumed_under_another_version(
        serve, account, control, data, reuse, code):
    account.file("f", b"content")
    gateway = serve(require_ssl_reuse=reuse)
    session = gateway.session(account, control)
    reused, content, found = attempt(session, None, context=gateway.context(data))
    assert (reused, content, found) == (False, b"content" if code == 226 else b"", code)
    assert session.retrieve("RETR f", resume=True) == b"content"


@BOTH
def test_a_control_connection_never_resumes(gateway, version):
    context = gateway.context(version)
    first = gateway.control().secure(context=context)
    first.expect("NOOP", 200)
    second = gateway.control().secure(context=context, session=first.socket.session)
    assert not second.socket.session_reused
    assert second.alive()


@BOTH
@pytest.mark.parametrize("tickets", [True, False], ids=["ticket", "id"])
def test_a_session_of_a_data_connection_proves_nothing(serve, account, version, tickets):
    account.file("f", b"content")
    gateway = serve(require_ssl_reuse="NO")
    context = gateway.context(version)
    if not tickets:
        context.options |= ssl.OP_NO_TICKET
    session = gateway.session(account, context=context)
    data = session.connect_data()
    session.expect("RETR f", 150)
    data = session.wrap_data(data)
    made = data.session
    assert read_all(data) == b"content"
    finish(data)
    session.next(226)
    if made is not None:
        assert attempt(session, made) == (False, b"content", 226)
    assert "proof=session" not in gateway.log


@BOTH
def test_the_first_ticket_is_good_to_the_end_of_the_session(serve, account, version):
    """PHP's first release and z/OS offer the session of the login for ever."""
    account.file("f", b"content")
    session = serve(require_ssl_reuse="YES").session(account, version)
    session.expect("NOOP", 200)
    first = session.socket.session
    for number in range(100):
        session.passive_port()
        if number % 20 == 0:
            assert attempt(session, first) == (True, b"content", 226)


@BOTH
def test_sessions_of_before_a_reload_go_on_and_prove_nothing_to_later_ones(
        serve, account, other_account, tmp_path, version):
    account.file("f", b"content")
    other_account.file("f", b"other")
    certificate = make_certificate(tmp_path, "reload")
    gateway = serve(require_ssl_reuse="YES", rsa_cert_file=certificate.chain,
                    rsa_private_key_file=certificate.key)
    gateway.certificate = certificate
    context = gateway.context(version)
    session = gateway.session(account, context=context)
    before = gateway.signers()
    gateway.process.send_signal(signal.SIGHUP)
    wait_until(lambda: set(gateway.signers()) - set(before), what="another Signer")
    assert session.retrieve("RETR f", resume=True) == b"content"
    later = gateway.session(other_account, context=context)
    assert attempt(later, session.socket.session) == (False, b"", 522)
    assert attempt(session, later.socket.session) == (False, b"", 522)
    assert later.retrieve("RETR f", resume=True) == b"other"
    assert session.retrieve("RETR f", resume=True) == b"content"


@BOTH
def test_a_session_of_another_daemon_counts_as_none(serve, account, version):
    """What a restart leaves with the clients."""
    account.file("f", b"content")
    old = serve(require_ssl_reuse="YES")
    new = serve(require_ssl_reuse="YES")
    context = new.context(version)
    gone = old.session(account, context=context)
    gone.passive_port()
    session = new.session(account, context=context)
    assert attempt(session, gone.socket.session) == (False, b"", 522)
    assert session.retrieve("RETR f", resume=True) == b"content"


class Clock:
    """The time of day as a daemon sees it."""

    DAY = 24 * 3600

    def __init__(self, directory, monkeypatch):
        self.path = directory / "ahead"
        self.set(0)
        library = directory / "shifted_clock.so"
        source = pathlib.Path(__file__).parent / "clients/shifted_clock.c"
        compiler = shutil.which("clang") or shutil.which("cc")
        subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source], check=True,
                       timeout=60)
        monkeypatch.setenv("LD_PRELOAD", str(library))
        monkeypatch.setenv("SHIFTED_CLOCK", str(self.path))

    def set(self, days):
        # In place: the daemon has mapped this very file.
        with open(self.path, "r+b" if self.path.exists() else "wb") as file:
            file.write(struct.pack("=q", days * self.DAY))


@BOTH
@pytest.mark.parametrize("tickets", [True, False], ids=["ticket", "id"])
def test_a_session_lives_as_long_as_its_control_connection(
        serve, account, tmp_path, monkeypatch, version, tickets):
    """RFC 8446 section 4.6.1 lets no ticket live longer than a week; a new one comes in time."""
    account.file("f", b"content")
    clock = Clock(tmp_path, monkeypatch)
    gateway = serve(require_ssl_reuse="YES")
    monkeypatch.undo()
    context = gateway.context(version)
    if not tickets:
        context.options |= ssl.OP_NO_TICKET
    session = gateway.session(account, context=context)
    session.expect("NOOP", 200)
    first = session.socket.session
    clock.set(6)
    assert attempt(session, first) == (True, b"content", 226)
    for days in (8, 400):
        clock.set(days)
        expired = version == "TLSv1.3"
        expected = (False, b"", 522) if expired else (True, b"content", 226)
        assert attempt(session, first) == expected
        # The ticket that came right before the port was told is new.
        assert session.retrieve("RETR f", resume=True) == b"content"
    assert session.alive()
