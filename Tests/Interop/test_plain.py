"""Plain FTP as a fallback: where it is served, and to whom."""

import pytest

from control import wait_until
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


def test_every_line_from_a_password_in_clear_on_is_marked(serve, account):
    gateway = serve(**SWITCHES, plain_system_logins="YES", log_ftp_protocol="YES")
    gateway.secrets.append(account.password)
    control = gateway.control().login(account)
    control.store("STOR f", b"content")
    control.expect("QUIT", 221)
    wait_until(lambda: "disconnected" in gateway.log, what="the end in the log")
    own = [line for line in gateway.log.splitlines() if "session=" in line]
    login = next(index for index, line in enumerate(own) if " login" in line)
    assert len(own) > login + 1
    assert all("tls=no" in line for line in own[login:]), own
    assert "plain_system_logins" in gateway.log
    gateway.session(account).expect("QUIT", 221)
    wait_until(lambda: gateway.log.count("disconnected") == 2, what="the end in the log")
    assert "tls=no" not in gateway.log.splitlines()[-1]
