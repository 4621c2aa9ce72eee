"""A file from one server to another, while the client only speaks (FXP)."""

import pytest

from certificates import make_certificate

ADDRESSES = ["127.0.0.2", "127.0.0.3"]
FOREIGN = {"permit_foreign_addresses": "YES", "force_local_data_ssl": "NO"}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("servers"), "servers", ADDRESSES)


@pytest.fixture
def servers(serve):
    """Two daemons on addresses of their own, neither of which is the client's."""
    def start(**options):
        return [serve(listen_address=address, **options) for address in ADDRESSES]
    return start


def sessions(servers, account):
    return [server.session(account, source="127.0.0.1") for server in servers]


def way_to(passive):
    """How the other server gets to know where one awaits its connection."""
    port = passive.passive_port("PASV")
    return f"PORT 127,0,0,2,{port >> 8},{port & 255}"


def test_servers_exchange_files_where_data_is_in_clear(servers, account):
    account.file("f", b"content")
    passive, active = sessions(servers(**FOREIGN), account)
    for session in (passive, active):
        session.expect("PROT C", 200)
    for download, upload, sender, receiver in (
            ("RETR f", "STOR to", active, passive), ("RETR to", "STOR back", passive, active)):
        active.expect(way_to(passive), 200)
        receiver.send(upload)
        sender.send(download)
        for session in (sender, receiver):
            session.next(150)
            session.next(226)
    assert (account.home / "back").read_bytes() == b"content"


def test_under_protection_both_servers_await_the_other_and_give_up_in_time(servers, account):
    account.file("f", b"content")
    gateways = servers(**FOREIGN, ssl_handshake_timeout="2", accept_timeout="4")
    passive, active = sessions(gateways, account)
    active.expect(way_to(passive), 200)
    passive.send("STOR to")
    active.send("RETR f")
    for session in (passive, active):
        session.next(150)
        # 425 where the other one has left without a word before.
        session.next(425, 522)
        assert session.alive()
    assert not (account.home / "to").exists()
    # Neither holds anything that would be in the way.
    for session in (passive, active):
        assert session.retrieve("RETR f", resume=True) == b"content"


def test_servers_that_were_told_nothing_do_not_speak_to_each_other(servers, account):
    account.file("f", b"content")
    passive, active = sessions(servers(force_local_data_ssl="NO"), account)
    active.expect(way_to(passive), 500)
    assert active.retrieve("RETR f") == b"content"
