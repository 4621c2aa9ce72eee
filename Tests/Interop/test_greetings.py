"""HOST, LANG, CLNT and CSID: what programs say before and beside a login."""

import re

import pytest

from certificates import make_certificate
from control import client_context, wait_until


def named(gateway, name):
    """A control connection whose handshake names a host."""
    control = gateway.control()
    control.expect("AUTH TLS", 234)
    context = client_context(gateway.certificate.chain)
    control.socket = context.wrap_socket(control.socket, server_hostname=name)
    return control


def test_host_is_taken_before_the_login_only(gateway, account):
    gateway.secrets.append(account.password)
    control = gateway.control().secure()
    for good in ("HOST ftp.example.org", "host FTP.EXAMPLE.ORG", "HOST 127.0.0.1", "HOST [::1]",
                 "HOST [127.0.0.1]"):
        control.expect(good, 220)
    control.login(account)
    control.expect("HOST ftp.example.org", 503)
    control.expect("PWD", 257)


def test_host_forgets_the_user(gateway):
    control = gateway.control().secure()
    control.expect("USER somebody", 331)
    control.expect("HOST ftp.example.org", 220)
    control.expect("PASS x", 503)


@pytest.mark.parametrize("bad", ["HOST", "HOST ", "HOST a b", "HOST [::1", "HOST ::1", "HOST a..b",
                                 "HOST -a", "HOST [x]", "HOST 1.2.3", "HOST a/b"])
def test_a_bad_host_is_an_error_of_the_argument(gateway, bad):
    gateway.control().secure().expect(bad, 501)


def test_host_may_not_contradict_the_handshake(gateway):
    control = named(gateway, "localhost")
    control.expect("HOST elsewhere.example", 504)
    control.expect("HOST [127.0.0.1]", 504)
    control.expect("HOST LocalHost.", 220)


def test_a_server_may_insist_on_its_names(serve):
    gateway = serve(host_names="ftp.example.org, Files.Example.Org")
    control = gateway.control().secure()
    control.expect("HOST ftp.example.org", 220)
    control.expect("HOST files.example.org", 220)
    control.expect("HOST www.example.org", 504)
    control.expect("USER somebody", 331)


def test_replies_are_in_english(gateway, account):
    for control in (gateway.control().secure(), gateway.session(account)):
        for good in ("LANG", "LANG en", "LANG EN-us", "LANG en-GB"):
            control.expect(good, 200)
        control.expect("LANG fr", 504)
        control.expect("LANG de-AT", 504)
        for bad in ("LANG *", "LANG en us", "LANG en_US", "LANG " + "x" * 100):
            control.expect(bad, 501)


def test_what_a_client_says_of_itself_is_logged_in_one_line(gateway):
    control = gateway.control()
    control.expect("CLNT", 501)
    control.expect("CSID", 501)
    control.expect(b"CLNT Some\x1b[31mClient 1.2 \xfe", 200)
    reply = control.expect("CSID Name=Other Client; Version=3.4;", 200)
    assert reply.text.startswith("200 Name=Portcullis; ")
    assert not re.search(r"\d\.\d", reply.text) and "Version" not in reply.text
    control.expect("CLNT " + "long " * 500, 200)
    control.expect("QUIT", 221)
    assert control.ended()
    wait_until(lambda: 'client "long' in gateway.log, what="the last line in the log")
    log = gateway.log
    assert 'client "Some\\x1B[31mClient 1.2 \\xFE"' in log
    assert 'client "Name=Other Client; Version=3.4;"' in log
    assert "\x1b" not in log and len(max(log.splitlines(), key=len)) < 400


def test_feat_names_them(gateway):
    lines = gateway.control().expect("FEAT", 211).lines
    for feature in (" HOST", " LANG EN*", " CLNT", " CSID"):
        assert feature in lines
