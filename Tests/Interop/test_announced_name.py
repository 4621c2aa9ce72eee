"""A name in pasv_address, whose address changes while the daemon runs (`pasv_addr_resolve`)."""

import ctypes
import os
import re
import subprocess

import pytest

import gateway as daemon
import proc
from control import wait_until

NAME = "gateway.portcullis.test"
CLONE_NEWNS, MS_BIND, MS_REC, MS_PRIVATE = 0x00020000, 4096, 16384, 1 << 18
LIBC = ctypes.CDLL(None, use_errno=True)


@pytest.fixture
def hosts(tmp_path, monkeypatch, root):
    """A file that the daemon sees as /etc/hosts, in a mount namespace of its own."""
    path = tmp_path / "hosts"
    path.write_text("127.0.0.1 localhost\n")
    for folder in [tmp_path, *tmp_path.parents]:
        if folder == type(folder)("/tmp"):
            break
        folder.chmod(folder.stat().st_mode | 0o011)

    def enter():
        for failed in (
                LIBC.unshare(CLONE_NEWNS),
                LIBC.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None),
                LIBC.mount(os.fsencode(path), b"/etc/hosts", None, MS_BIND, None)):
            if failed:
                raise OSError(ctypes.get_errno(), "mount namespace")

    class Popen(subprocess.Popen):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, preexec_fn=enter, **options)

    monkeypatch.setattr(daemon.subprocess, "Popen", Popen)

    def write(address):
        path.write_text("127.0.0.1 localhost\n" + (f"{address} {NAME}\n" if address else ""))
    return write


def announced(session):
    text = session.expect("PASV", 227).text
    return ".".join(re.search(r"\((\d+),(\d+),(\d+),(\d+),", text).groups())


def test_the_name_is_looked_up_again_and_again(hosts, serve, account):
    hosts("192.0.2.10")
    gateway = serve(pasv_address=NAME, pasv_addr_resolve="YES", pasv_addr_resolve_interval="1")
    session = gateway.session(account)
    assert announced(session) == "192.0.2.10"
    hosts("192.0.2.11")
    # In a session that stands as well as in a new one.
    wait_until(lambda: announced(session) == "192.0.2.11", what="the new address")
    assert announced(gateway.session(account)) == "192.0.2.11"
    assert "is 192.0.2.11 now" in gateway.log
    hosts(None)
    wait_until(lambda: "the old one stays" in gateway.log, what="the line in the log")
    assert announced(session) == "192.0.2.11"
    hosts("192.0.2.12")
    wait_until(lambda: announced(session) == "192.0.2.12", what="the new address")


def test_nobody_waits_for_the_name_and_its_end_is_noticed(hosts, serve, account):
    hosts("192.0.2.10")
    gateway = serve(pasv_address=NAME, pasv_addr_resolve="YES", pasv_addr_resolve_interval="1")
    session = gateway.session(account)
    resolver, = [pid for pid in proc.children(gateway.pid) if proc.name(pid) == "ftps-resolver"]
    assert proc.numbers(proc.status(resolver)["Uid"])[1] != 0
    os.kill(resolver, 9)
    wait_until(lambda: "looks pasv_address up has ended" in gateway.log, what="the line")
    assert announced(session) == "192.0.2.10" and announced(gateway.session(account)) == "192.0.2.10"


def test_an_address_needs_no_such_process(serve, account):
    gateway = serve(pasv_address="192.0.2.10", pasv_addr_resolve="YES")
    assert announced(gateway.session(account)) == "192.0.2.10"
    assert "ftps-resolver" not in {proc.name(pid) for pid in proc.children(gateway.pid)}
