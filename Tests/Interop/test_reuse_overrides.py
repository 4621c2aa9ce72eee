"""Who is spared `require_ssl_reuse`, and who is held to it though others are not."""

import pytest

from control import VERSIONS, wait_until
from downloading import code_of_download

BOTH = pytest.mark.parametrize("version", VERSIONS)


@pytest.fixture
def users(tmp_path):
    directory = tmp_path / "users"
    directory.mkdir(mode=0o755)
    return directory


def logged(gateway, text):
    wait_until(lambda: text in gateway.log, what=f"`{text}` in the log")


@BOTH
def test_a_user_is_spared_and_nobody_else(serve, account, other_account, users, version):
    account.file("f", b"content")
    other_account.file("f", b"content")
    (users / account.name).write_text("require_ssl_reuse=NO\n")
    gateway = serve(require_ssl_reuse="YES", user_config_dir=users)
    assert code_of_download(gateway.session(account, version)) == 226
    logged(gateway, "proof=address waived-for=user")
    session = gateway.session(other_account, version)
    assert code_of_download(session) == 522
    assert code_of_download(session, resume=True) == 226
    logged(gateway, "proof=session")


@BOTH
def test_a_user_is_held_to_it_and_nobody_else(serve, account, other_account, users, version):
    account.file("f", b"content")
    other_account.file("f", b"content")
    (users / account.name).write_text("require_ssl_reuse=YES\n")
    gateway = serve(require_ssl_reuse="NO", user_config_dir=users)
    session = gateway.session(account, version)
    assert code_of_download(session) == 522
    assert code_of_download(session, resume=True) == 226
    assert code_of_download(gateway.session(other_account, version)) == 226
    assert "waived-for" not in gateway.log


@BOTH
def test_a_network_is_spared_and_no_other(serve, account, version):
    account.file("f", b"content")
    gateway = serve(require_ssl_reuse="YES",
                    ssl_reuse_exempt_networks="192.0.2.0/24, 127.0.1.0/24")
    assert code_of_download(gateway.session(account, version, source="127.0.1.7")) == 226
    logged(gateway, "proof=address waived-for=network")
    session = gateway.session(account, version, source="127.0.2.7")
    assert code_of_download(session) == 522
    assert code_of_download(session, resume=True) == 226


def test_a_resumed_session_still_counts_for_more(serve, account):
    account.file("f", b"content")
    gateway = serve(require_ssl_reuse="YES", ssl_reuse_exempt_networks="127.0.0.0/8")
    assert code_of_download(gateway.session(account), resume=True) == 226
    logged(gateway, "proof=session")
    assert "waived-for" not in gateway.log


def test_what_is_written_for_the_user_counts_for_more_than_the_network(serve, account, users):
    account.file("f", b"content")
    (users / account.name).write_text("require_ssl_reuse=YES\n")
    gateway = serve(require_ssl_reuse="YES", ssl_reuse_exempt_networks="127.0.0.0/8",
                    user_config_dir=users)
    assert code_of_download(gateway.session(account)) == 522


@pytest.mark.parametrize("spared", ["user", "network"])
def test_whoever_is_spared_still_needs_the_address(serve, account, users, spared):
    """Where any address may connect, a waiver must not give a transfer to just anybody."""
    account.file("f", b"content")
    options = {"user_config_dir": users}
    if spared == "user":
        (users / account.name).write_text("require_ssl_reuse=NO\n")
    else:
        options["ssl_reuse_exempt_networks"] = "127.0.0.1"
    gateway = serve(pasv_promiscuous="YES", **options)
    session = gateway.session(account)
    assert code_of_download(session, source="127.0.0.2") == 522
    assert code_of_download(session) == 226
    logged(gateway, f"proof=address waived-for={spared}")


def test_a_network_that_is_spared_is_warned_of_at_start(serve):
    gateway = serve(require_ssl_reuse="YES", ssl_reuse_exempt_networks="192.0.2.0/24")
    assert "ssl_reuse_exempt_networks takes a client's address" in gateway.log
