"""Plain FTP as a fallback: where it is served, and to whom."""

import pytest

from certificates import Authority
from control import wait_until
from test_client_certificates import showing
from tracing import count
from virtual_users import UserFile

SWITCHES = {"force_local_logins_ssl": "NO", "force_local_data_ssl": "NO"}


@pytest.fixture
def users(account, tmp_path):
    return UserFile(tmp_path, account)


def test_only_some_networks_may_do_without_tls(serve, account):
    account.file("f", b"content")
    gateway = serve(**SWITCHES, plain_system_logins="YES",
                    plain_ftp_networks="127.0.0.2/31,2001:db8::/32")
    gateway.secrets.append(account.password)
    for source in ("127.0.0.2", "127.0.0.3"):
        session = gateway.control(source).login(account)
        assert session.retrieve("RETR f") == b"content"
    outside = gateway.control("127.0.0.4")
    outside.expect(f"USER {account.name}", 530)
    outside.secure().login(account)
    outside.expect("EPSV", 229)
    # PROT C is no way around it.
    outside.expect("RETR f", 521)
    outside.protect()
    assert outside.retrieve("RETR f") == b"content"


def test_without_any_tls_others_are_turned_away(serve, account):
    gateway = serve(ssl_enable="NO", plain_system_logins="YES", plain_ftp_networks="127.0.0.2",
                    rsa_cert_file=None, rsa_private_key_file=None)
    gateway.secrets.append(account.password)
    assert gateway.control("127.0.0.2").login(account).alive()
    refused = gateway.control("127.0.0.3").expect(f"USER {account.name}", 530)
    assert "network" in refused.text


def sends(gateway, account, report, *, protected=False):
    """How often the kernel was asked to send a file by itself during a download."""
    content = bytes(range(256)) * 4000
    account.file("f", content)
    gateway.secrets.append(account.password)
    control = gateway.control()
    if protected:
        control.secure()
    control.login(account)
    if protected:
        control.protect()
    control.expect("TYPE I", 200)
    received = []
    number = count("sendfile", gateway.process.pid, report,
                   lambda: received.append(control.retrieve("RETR f")))
    assert received == [content]
    return number


@pytest.mark.parametrize("options", [
    SWITCHES, {"ssl_enable": "NO", "rsa_cert_file": None, "rsa_private_key_file": None}],
    ids=["choice", "no-tls"])
def test_the_kernel_sends_files_in_clear_by_itself(serve, account, tmp_path, options):
    gateway = serve(**options, plain_system_logins="YES")
    assert sends(gateway, account, tmp_path / "trace") > 0


@pytest.mark.parametrize("options", [{"use_sendfile": "NO"}, {}], ids=["off", "tls"])
def test_the_kernel_does_so_nowhere_else(serve, account, tmp_path, options):
    gateway = serve(**SWITCHES, plain_system_logins="YES", **options)
    assert sends(gateway, account, tmp_path / "trace", protected=not options) == 0


@pytest.mark.parametrize("option", SWITCHES)
def test_each_switch_is_warned_of_at_start(serve, option):
    warning, = [line for line in serve(**{option: "NO"}).log.splitlines() if "WARNING" in line]
    assert warning.startswith(f"WARNING: {option}=NO ")
    assert warning.endswith("may cross the network in clear")


@pytest.mark.parametrize("options", [SWITCHES, {"ssl_enable": "NO"}], ids=["choice", "no-tls"])
def test_system_accounts_do_not_log_in_in_clear(serve, account, options):
    gateway = serve(**options)
    control = gateway.control()
    refused = control.expect(f"USER {account.name}", 530)
    assert "TLS" in refused.text
    # Whether there is such an account makes no difference.
    assert control.expect("USER nobody-of-this-name", 530).text == refused.text


def test_beside_virtual_users_nobody_learns_who_is_which(serve, users, account):
    amy = users.add("amy")
    gateway = serve(**users.options(**SWITCHES, ban_failures="0"))
    gateway.secrets += [amy.password, account.password]
    replies = []
    for name, password in ((account.name, account.password), (account.name, "wrong"),
                           ("nobody-of-this-name", "wrong"), ("amy", "wrong")):
        control = gateway.control()
        control.expect(f"USER {name}", 331)
        replies.append(control.expect(f"PASS {password}", 530).text)
    assert len(set(replies)) == 1, replies
    wait_until(lambda: "plain_system_logins" in gateway.log, what="the reason in the log")
    assert gateway.control().login(amy).alive()
    assert gateway.session(account).alive()


# The mark in the log.

SYSTEM = {**SWITCHES, "plain_system_logins": "YES"}


def lines_of_the_session(gateway):
    """What was logged about the only session there was, which has just ended."""
    wait_until(lambda: "disconnected" in gateway.log, what="the end in the log")
    return [line for line in gateway.log.splitlines() if "session=" in line]


def place(lines, words):
    return next(index for index, line in enumerate(lines) if words in line)


def note(control, words):
    """Leaves a line of its own in the log."""
    control.expect(f"CLNT {words}", 200)


def assert_marked(lines, first, last=None):
    """Exactly the lines from one place to before another are marked."""
    marked = [index for index, line in enumerate(lines) if " tls=no " in line]
    assert marked == list(range(first, len(lines) if last is None else last)), lines


def test_every_line_from_a_user_name_in_clear_on_is_marked(serve, account):
    gateway = serve(**SYSTEM)
    gateway.secrets.append(account.password)
    control = gateway.control()
    for prelude in ("FEAT", "HELP", "NOOP", "SYST"):
        control.command(prelude)
    note(control, "before")
    control.expect(f"USER {account.name}", 331)
    note(control, "after")
    control.expect(f"PASS {account.password}", 230)
    control.store("STOR f", b"content")
    control.expect("QUIT", 221)
    lines = lines_of_the_session(gateway)
    assert_marked(lines, place(lines, "client after"))
    assert place(lines, "client before") < place(lines, "client after") < len(lines) - 3


def test_tls_takes_the_mark_away(serve, account):
    gateway = serve(**SYSTEM)
    gateway.secrets.append(account.password)
    control = gateway.control().login(account)
    note(control, "in clear")
    control.secure()
    note(control, "under TLS")
    control.protect().login(account)
    control.store("STOR f", b"content")
    control.expect("QUIT", 221)
    lines = lines_of_the_session(gateway)
    assert_marked(lines, place(lines, "] login"), place(lines, "TLS established"))
    assert place(lines, "in clear") < place(lines, "TLS established") < place(lines, "under TLS")


def test_a_login_by_certificate_after_a_password_in_clear_is_not_marked(
        serve, account, tmp_path):
    authority = Authority(tmp_path)
    gateway = serve(**SYSTEM, cert_auth="alone", cert_user_field="cn", validate_cert="YES",
                    ca_certs_file=authority.chain)
    gateway.secrets.append(account.password)
    control = gateway.control().login(account)
    control.secure(context=showing(gateway, authority.issue(account.name)))
    control.expect(f"USER {account.name}", 232)
    control.expect("QUIT", 221)
    lines = lines_of_the_session(gateway)
    assert "by=certificate" in lines[-2]
    assert_marked(lines, place(lines, "] login"), place(lines, "TLS established"))


def test_a_handshake_that_fails_leaves_the_mark(serve, account):
    gateway = serve(**SYSTEM)
    gateway.secrets.append(account.password)
    control = gateway.control().login(account)
    control.expect("AUTH TLS", 234)
    control.raw(b"no handshake\r\n")
    assert control.socket.recv(100) == b"" or control.ended()
    lines = lines_of_the_session(gateway)
    assert place(lines, "handshake failed") > place(lines, "] login")
    assert_marked(lines, place(lines, "] login"))


def test_a_name_that_tls_is_required_for_is_marked_until_it_comes(serve, account):
    gateway = serve()
    control = gateway.control()
    control.expect(f"USER {account.name}", 530)
    note(control, "in clear")
    gateway.secrets.append(account.password)
    control.secure().protect().login(account).expect("QUIT", 221)
    lines = lines_of_the_session(gateway)
    assert_marked(lines, place(lines, "in clear"), place(lines, "TLS established"))


@pytest.mark.parametrize("line", ["RETR f", "PORT 10,0,0,1,200,200", "PASS x", "NONSENSE"])
def test_whatever_else_is_said_in_clear_is_marked_too(serve, line):
    gateway = serve()
    control = gateway.control()
    note(control, "before")
    control.command(line)
    note(control, "after")
    control.expect("QUIT", 221)
    lines = lines_of_the_session(gateway)
    assert_marked(lines, place(lines, "client after"))


def test_without_any_tls_the_first_line_is_marked(serve):
    gateway = serve(ssl_enable="NO", plain_system_logins="YES", rsa_cert_file=None,
                    rsa_private_key_file=None)
    gateway.control().expect("QUIT", 221)
    lines = lines_of_the_session(gateway)
    assert len(lines) == 2
    assert_marked(lines, 0)


def test_a_session_under_tls_has_no_mark_at_all(serve, account):
    gateway = serve(**SYSTEM)
    session = gateway.session(account)
    session.store("STOR f", b"content")
    session.expect("QUIT", 221)
    lines = lines_of_the_session(gateway)
    assert_marked(lines, len(lines))
    assert "tls=no" not in gateway.log


def test_a_transfer_in_clear_says_so_though_the_commands_are_protected(serve, account):
    account.file("f", b"content")
    gateway = serve(force_local_data_ssl="NO", accept_timeout="1")
    session = gateway.session(account)
    assert session.retrieve("RETR f") == b"content"
    session.expect("PROT C", 200)
    session.protected = False
    session.store("STOR g", b"content")
    session.passive_port()
    session.expect("NLST", 150)
    session.next(425)
    session.expect("QUIT", 221)
    lines = lines_of_the_session(gateway)
    assert_marked(lines, len(lines))
    marked = [line for line in lines if "data-tls=no" in line]
    assert len(marked) == 2 and 'STOR "/g"' in marked[0] and "NLST" in marked[1], lines
