"""Anonymous uploads that are given to somebody else (`chown_uploads`)."""

import contextlib
import os
import socket
import stat

import pytest

import proc
from control import wait_until
from injection import taken
from test_anonymous import login, public, upload  # noqa: F401


def facts(path):
    found = path.stat()
    return found.st_uid, stat.S_IMODE(found.st_mode)


@pytest.fixture
def start(serve, public):  # noqa: F811
    def run(**options):
        return serve(anonymous_enable="YES", ftp_username=public.name, anon_root=public.home,
                     anon_upload_enable="YES", chown_uploads="YES", **options)
    return run


@pytest.mark.parametrize("atomic", ["YES", "NO"])
def test_new_files_belong_to_the_new_owner(start, public, other_account, atomic):  # noqa: F811
    client = login(start(chown_username=other_account.name, chown_upload_mode="0640",
                         atomic_uploads=atomic))
    upload(client, "incoming/new", b"content")
    path = public.home / "incoming" / "new"
    assert path.read_bytes() == b"content"
    assert facts(path) == (other_account.uid, 0o640)
    # Nobody who is anonymous can change it any more.
    with pytest.raises(Exception, match="^55"):
        upload(client, "incoming/new", b"other")
    assert path.read_bytes() == b"content"


def test_an_agent_that_is_taken_over_has_few_refusals_and_few_lines(serve, account):
    account.home.chmod(0o755)
    gateway = serve(anonymous_enable="YES", ftp_username=account.name, anon_root=account.home,
                    anon_upload_enable="YES", chown_uploads="YES")
    client = gateway.control().secure().protect()
    client.expect("USER anonymous", 331)
    client.expect("PASS a@b.example", 230)
    agent, = [pid for pid in proc.tree(gateway.pid) if proc.name(pid) == "ftps-agent"]
    # Made last: its way to whoever hands uploads over.
    number = max(number for number, target in proc.descriptors(agent).items()
                 if target.startswith("socket:"))
    refusals = 0
    with taken(agent, number) as channel, open(os.devnull, "rb") as file:
        channel.settimeout(20)
        with contextlib.suppress(ConnectionError):
            while refusals < 1000:
                socket.send_fds(channel, [b"\1"], [file.fileno()])
                if not channel.recv(10):
                    break
                refusals += 1
    assert 0 < refusals < 20
    wait_until(lambda: "no more uploads of this session are handed over" in gateway.log,
               what="the last line")
    assert gateway.log.count("upload not handed over") == refusals
    assert client.alive()


def test_the_default_owner_is_root(start, public):  # noqa: F811
    upload(login(start()), "incoming/new")
    assert facts(public.home / "incoming" / "new") == (0, 0o600)


def test_files_that_were_there_keep_their_owner(start, public, other_account):  # noqa: F811
    client = login(start(chown_username=other_account.name, anon_other_write_enable="YES"))
    public.file("incoming/old", b"old")
    import io
    client.storbinary("APPE incoming/old", io.BytesIO(b" and new"))
    assert facts(public.home / "incoming" / "old") == (public.uid, 0o644)
    assert (public.home / "incoming" / "old").read_bytes() == b"old and new"


def test_other_users_keep_their_files(serve, account, other_account):
    gateway = serve(anonymous_enable="YES", ftp_username=other_account.name,
                    chown_uploads="YES")
    gateway.session(account).store("STOR f", b"x")
    assert (account.home / "f").stat().st_uid == account.uid


def test_an_owner_who_does_not_exist_keeps_anonymous_users_out(start):
    with pytest.raises(Exception, match="^530"):
        login(start(chown_username="no-such-user"))
