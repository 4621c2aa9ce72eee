"""A log that nobody reads, that has no room, or whose reader is gone: the server goes on."""

import fcntl
import os
import socket
import subprocess
import threading

import pytest

from control import wait_until

F_SETPIPE_SZ = 1031
# About three lines each.
SESSIONS = 12


def use(gateway, account, count=SESSIONS):
    """Sessions that have something to say, and have said it."""
    # A process that has no name yet is among them for a moment.
    others = set(gateway.wardens())
    for number in range(count):
        session = gateway.session(account)
        assert session.store(f"STOR f{number}", b"content").code == 226
        assert session.expect("QUIT", 221)
        session.close()
    wait_until(lambda: set(gateway.wardens()) <= others, what="the end of the sessions")


@pytest.fixture
def small_log(root, tmp_path):
    """A log on a disk of its own that has no room; ask for it before `serve`."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], check=True)
    with open(disk / "filler", "wb", buffering=0) as filler:
        try:
            while filler.write(b"x" * 4096):
                pass
        except OSError:
            pass
    with open(disk / "log", "ab", buffering=0) as log:
        yield log
    subprocess.run(["umount", disk], check=True)


def test_a_full_disk_stops_nobody(small_log, serve, account):
    gateway = serve(log=small_log)
    use(gateway, account)
    disk = os.path.dirname(small_log.name)
    os.truncate(os.path.join(disk, "filler"), 0)
    use(gateway, account, 1)
    with open(small_log.name, encoding="utf-8") as file:
        lines = file.read()
    # Every later session has all of its lines; those of the Listener tell what is missing.
    assert 'STOR "/f0" ok' in lines and "login" in lines


def test_a_log_that_is_always_full_stops_nobody(root, serve, account):
    with open("/dev/full", "wb", buffering=0) as log:
        gateway = serve(log=log)
        use(gateway, account, 3)
        gateway.terminate()
        assert gateway.process.wait(20) == 0


@pytest.fixture
def pipe(root):
    reader, writer = os.pipe()
    fcntl.fcntl(writer, F_SETPIPE_SZ, 4096)
    with open(reader, "rb", buffering=0) as reading, open(writer, "wb", buffering=0) as writing:
        yield reading, writing


def drain(gateway, reader):
    """What waits to be read, where passwords are looked for as well."""
    content = read_waiting(reader)
    gateway.errors += content
    return content.decode()


def read_waiting(reader):
    os.set_blocking(reader.fileno(), False)
    content = b""
    while True:
        try:
            chunk = os.read(reader.fileno(), 65536)
        except BlockingIOError:
            return content
        if not chunk:
            return content
        content += chunk


def test_a_pipe_that_nobody_reads_stops_nobody(pipe, serve, account):
    reader, writer = pipe
    gateway = serve(log=writer)
    use(gateway, account)
    first = drain(gateway, reader)
    assert len(first) <= 4096 and "login" in first
    kept = gateway.control()
    use(gateway, account, 1)
    later = drain(gateway, reader)
    # Whole lines again, and a word about those that are missing.
    assert "log lines of this process lost: " in later and 'STOR "/f0" ok' in later
    kept.close()
    # The end of the pipe that others hold still waits for its reader, as it did before.
    assert os.get_blocking(writer.fileno())


def test_a_pipe_whose_reader_is_gone_stops_nobody(pipe, serve, account):
    reader, writer = pipe
    gateway = serve(log=writer)
    use(gateway, account, 2)
    reader.close()
    use(gateway, account, 5)
    session = gateway.session(account)
    gateway.terminate()
    assert session.ended(421)
    assert gateway.process.wait(20) == 0


def test_a_socket_that_nobody_reads_stops_nobody(root, serve, account):
    # What a service manager gives its services.
    reader, writer = socket.socketpair()
    with reader, writer:
        writer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        gateway = serve(log=writer)
        use(gateway, account, 15)
        gateway.errors += reader.recv(65536)
        assert b"login" in gateway.errors


def test_a_reader_that_keeps_up_loses_nothing(pipe, serve, account):
    reader, writer = pipe
    gateway = serve(log=writer)
    writer.close()
    content = bytearray()

    def read():
        while chunk := os.read(reader.fileno(), 512):
            content.extend(chunk)
            gateway.errors += chunk

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    use(gateway, account)
    gateway.terminate()
    assert gateway.process.wait(20) == 0
    thread.join(10)
    # Far more than the pipe holds at a time.
    assert len(content) > 4096
    lines = content.decode().splitlines()
    for number in range(SESSIONS):
        assert sum(f'STOR "/f{number}" ok' in line for line in lines) == 1
    assert not any("lost" in line for line in lines)
