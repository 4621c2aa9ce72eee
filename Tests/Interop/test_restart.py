"""A restart for another version or configuration, in the middle of transfers."""

import os
import signal

import pytest

import proc
import uploading
from control import finish, wait_until
from witness import Witness

CONTENT = os.urandom(2_000_000)


def leave(gateway):
    """What systemd does for a restart (RestartKillSignal=)."""
    gateway.process.send_signal(signal.SIGUSR2)
    assert gateway.process.wait(10) == 0


def follow(serve, gateway, **options):
    """The next server, on the same port."""
    return serve(listen_port=gateway.port, **options)


def gone(gateway):
    wait_until(lambda: not proc.of_session(gateway.pid), 20, "the end of the old processes")


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_transfers_go_on_over_a_restart(serve, account, other_account, version):
    # With the shortest of limits: it does not hold for a restart.
    old = serve(shutdown_timeout="1", local_max_rate="1000000")
    account.file("large", CONTENT)
    storing, fetching, idle = (old.session(one, version) for one in
                               (account, account, other_account))
    for session in (storing, fetching):
        session.expect("TYPE I", 200)
    upload = uploading.begin(storing, "STOR new", CONTENT[:1_000_000])
    download = fetching.connect_data()
    fetching.expect("RETR large", 150)
    download = fetching.wrap_data(download)
    received = bytearray(download.recv(1_000))
    leave(old)
    assert idle.ended(421)
    later = follow(serve, old, ftpd_banner="The next one")
    session = later.session(account, version)
    assert "The next one" in session.greeting.text
    session.expect("TYPE I", 200)
    session.store("STOR other", b"content")
    # Longer than the limit, and slower than the old server would have let it be.
    while chunk := download.recv(1 << 16):
        received += chunk
    finish(download)
    fetching.next(226)
    assert bytes(received) == CONTENT and fetching.ended(421)
    upload.sendall(CONTENT[1_000_000:])
    uploading.end(storing, upload)
    assert storing.ended(421)
    assert (account.home / "new").read_bytes() == CONTENT
    assert session.retrieve("RETR new") == CONTENT
    gone(old)
    assert session.alive()


def test_a_transfer_that_was_only_just_announced_gets_its_handshake(serve, account):
    old = serve()
    session = old.session(account)
    data = session.connect_data()
    session.expect("STOR f", 150)
    leave(old)
    # A full handshake, which the key is needed for.
    data = session.wrap_data(data)
    data.sendall(b"content")
    uploading.end(session, data)
    assert session.ended(421)
    gone(old)
    assert (account.home / "f").read_bytes() == b"content"


def test_an_upload_that_is_cut_off_after_a_restart_is_not_taken_for_a_whole_one(serve, account):
    old = serve(atomic_uploads="YES")
    session = old.session(account)
    data = uploading.begin(session, "STOR f")
    leave(old)
    uploading.drop(data)
    session.next(426)
    assert session.ended(421)
    gone(old)
    assert uploading.names(account.home) == []


def test_the_pam_session_of_an_old_transfer_is_closed_at_its_end(serve, account, tmp_path):
    witness = Witness(tmp_path)
    old = serve(pam_conf_dir=witness.directory)
    session = old.session(account)
    data = uploading.begin(session, "STOR f")
    leave(old)
    assert witness.open() == 1
    uploading.end(session, data)
    gone(old)
    assert witness.open() == 0


def test_one_restart_after_another(serve, account):
    servers, uploads = [serve()], []
    for number in range(3):
        session = servers[-1].session(account)
        uploads.append((session, uploading.begin(session, f"STOR f{number}")))
        leave(servers[-1])
        servers.append(follow(serve, servers[0]))
    for session, data in uploads:
        uploading.end(session, data)
        assert session.ended(421)
    for server in servers[:-1]:
        gone(server)
    assert servers[-1].session(account).alive()
    assert len(os.listdir(account.home)) == 3


def test_a_server_that_nobody_uses_leaves_nothing(serve, place):
    old = serve(admin_socket=place / "admin", metrics_address="0")
    leave(old)
    gone(old)
    assert not (place / "admin").exists()
