"""Kernel TLS (`ktls_enable`): downloads that the kernel encrypts, where it can.

`make machine` runs this file, and others with the option, under a kernel that can.
"""

import hashlib
import os
import random
import shutil
import signal
import socket
import ssl
import subprocess
import time

import pytest

from control import VERSIONS, finish, read_all, wait_until
from gateway import ResumingFTP

BOTH = pytest.mark.parametrize("version", VERSIONS)
CONTENT = random.Random(9).randbytes(3_000_001)
STATISTICS = "/proc/net/tls_stat"


def connections(name="TlsTxSw"):
    """How many connections the kernel has encrypted so far, by itself."""
    with open(STATISTICS, encoding="ascii") as file:
        return int(dict(line.split() for line in file)[name])


def binary(session):
    """Byte for byte: text has its line ends changed, and is no file that a kernel could send."""
    session.expect("TYPE I", 200)
    return session


@pytest.fixture
def kernel(root):
    """A kernel that can."""
    if shutil.which("modprobe"):
        subprocess.run(["modprobe", "--quiet", "tls"], check=False)
    if not os.path.exists(STATISTICS):
        pytest.skip("this kernel cannot encrypt for TLS (CONFIG_TLS)")


@pytest.fixture
def gateway(kernel, serve):
    return serve(ktls_enable="YES")


@BOTH
def test_a_download_is_the_file(gateway, account, version):
    session = binary(gateway.session(account, version))
    for size in (0, 1, 16_384, 131_072, 131_073, len(CONTENT)):
        account.file("f", CONTENT[:size])
        before = connections()
        assert session.retrieve("RETR f") == CONTENT[:size]
        assert connections() == before + 1


@BOTH
def test_where_it_is_not_wished_for_the_kernel_gets_no_keys(kernel, serve, account, version):
    account.file("f", CONTENT)
    session = binary(serve(ktls_enable="NO").session(account, version))
    before = connections()
    assert session.retrieve("RETR f") == CONTENT
    assert connections() == before


@BOTH
def test_wherever_the_server_runs_the_option_changes_no_transfer(serve, account, version):
    """Where the kernel cannot, too."""
    session = binary(serve(ktls_enable="YES").session(account, version))
    session.store("STOR f", CONTENT)
    assert session.retrieve("RETR f", resume=True) == CONTENT
    assert session.retrieve("NLST") == b"f\r\n"


@pytest.mark.parametrize("suite", [
    "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-CHACHA20-POLY1305"])
def test_every_suite_is_served_whoever_encrypts(gateway, account, suite):
    account.file("f", CONTENT)
    context = gateway.context("TLSv1.2")
    context.set_ciphers(suite)
    assert binary(gateway.session(account, context=context)).retrieve("RETR f") == CONTENT


@BOTH
def test_resumed_connections_are_encrypted_by_the_kernel_as_well(gateway, account, version):
    account.file("f", CONTENT)
    ftp = gateway.ftp(account, version, ResumingFTP)
    for _ in range(3):
        before, received = connections(), bytearray()
        ftp.retrbinary("RETR f", received.extend)
        assert ftp.reused and bytes(received) == CONTENT and connections() == before + 1


@BOTH
def test_downloads_continue_at_an_offset(gateway, account, version):
    account.file("f", CONTENT)
    session = binary(gateway.session(account, version))
    for offset in (1, 16_384, 1_234_567, len(CONTENT) - 1, len(CONTENT)):
        session.expect(f"REST {offset}", 350)
        assert session.retrieve("RETR f") == CONTENT[offset:]


@BOTH
def test_a_rate_holds(kernel, serve, account, version):
    account.file("f", CONTENT[:600_000])
    session = binary(serve(ktls_enable="YES", local_max_rate="200000").session(account, version))
    start = time.monotonic()
    assert session.retrieve("RETR f") == CONTENT[:600_000]
    assert 600_000 / (time.monotonic() - start) < 1.1 * 200_000


@BOTH
@pytest.mark.parametrize("line", ["LIST", "MLSD", "NLST"])
def test_listings_go_the_same_way(gateway, account, version, line):
    for number in range(700):
        account.file(f"file-with-a-name-that-fills-records-{number:04}")
    session = binary(gateway.session(account, version))
    before = connections()
    assert session.retrieve(line).count(b"file-with-a-name") == 700
    assert connections() == before + 1


def test_text_and_compressed_bytes_are_made_before_the_kernel_encrypts(kernel, serve, account):
    lines = b"".join(b"line %d\n" % number for number in range(90_000))
    account.file("f", lines)
    session = serve(ktls_enable="YES", ascii_download_enable="YES").session(account)
    session.expect("TYPE A", 200)
    assert session.retrieve("RETR f") == lines.replace(b"\n", b"\r\n")


@BOTH
def test_a_client_that_goes_away_ends_its_transfer_alone(gateway, account, version):
    account.sparse("big", 1 << 28)
    account.file("f", CONTENT)
    session = binary(gateway.session(account, version))
    data = session.connect_data()
    session.expect("RETR big", 150)
    data = session.wrap_data(data)
    data.recv(1_000)
    data.close()
    session.next(426)
    assert session.retrieve("RETR f") == CONTENT


@BOTH
def test_a_download_that_is_aborted_does_not_look_complete(gateway, account, version):
    account.sparse("big", 1 << 28)
    session = binary(gateway.session(account, version))
    data = session.connect_data()
    session.expect("RETR big", 150)
    data = session.wrap_data(data)
    data.recv(1_000)
    session.send("ABOR")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        read_all(data)
    data.close()
    session.next(426)
    session.next(226)
    assert session.alive()


@BOTH
def test_a_file_that_becomes_shorter_ends_where_it_ends(gateway, account, version):
    size = 1 << 28
    path = account.sparse("big", size)
    session = binary(gateway.session(account, version))
    data = session.connect_data()
    session.expect("RETR big", 150)
    data = session.wrap_data(data)
    start = len(data.recv(1_000))
    os.truncate(path, 100_000_001)
    assert start + len(read_all(data)) == 100_000_001
    finish(data)
    session.next(226)


@BOTH
def test_the_end_arrives_however_little_the_client_takes_at_a_time(gateway, account, version):
    """Records may wait in the kernel, in front of TCP, when the last of them are handed over."""
    session = binary(gateway.session(account, version))
    for size in range(200_000, 300_000, 6_007):
        account.file("f", CONTENT[:size])
        data = socket.socket()
        data.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        data.settimeout(20)
        port = session.passive_port()
        data.connect((session.host, port))
        session.expect("RETR f", 150)
        data = session.wrap_data(data)
        received = bytearray()
        while chunk := data.recv(1_500):
            received += chunk
        finish(data)
        session.next(226)
        assert bytes(received) == CONTENT[:size]


@BOTH
def test_a_client_that_pauses_before_the_end_still_gets_it(gateway, account, version):
    """For longer than the server waits for a client that takes nothing any more."""
    waiting = []
    for size in range(150_000, 750_000, 50_021):
        account.file(f"f{size}", CONTENT[:size])
        session = binary(gateway.session(account, version))
        data = socket.socket()
        data.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        data.settimeout(20)
        data.connect((session.host, session.passive_port()))
        session.expect(f"RETR f{size}", 150)
        waiting.append((session, session.wrap_data(data), size))
    time.sleep(5)
    for session, data, size in waiting:
        # Raises where the end comes without close_notify.
        assert read_all(data) == CONTENT[:size]
        data.close()
        session.next(226)


@BOTH
def test_a_client_that_only_reads_sees_the_end_and_its_reply(gateway, account, version):
    account.file("f", CONTENT)
    session = binary(gateway.session(account, version))
    data = session.connect_data()
    session.expect("RETR f", 150)
    data = session.wrap_data(data)
    assert read_all(data) == CONTENT
    # Neither close_notify nor FIN from us.
    session.next(226)
    data.close()
    assert session.alive()


@BOTH
def test_curl_and_its_hash_of_a_large_file(gateway, account, version, tmp_path):
    generator = random.Random(4)
    digest = hashlib.sha256()
    with open(account.file("large"), "wb") as file:
        for _ in range(64):
            piece = generator.randbytes(1 << 20)
            digest.update(piece)
            file.write(piece)
    gateway.secrets.append(account.password)
    before = connections()
    last = {"TLSv1.2": ["--tls-max", "1.2"], "TLSv1.3": ["--tlsv1.3"]}[version]
    subprocess.run(
        ["curl", "--silent", "--show-error", "--ssl-reqd", "--cacert", gateway.certificate.chain,
         "--config", "-", "--output", tmp_path / "got", *last,
         f"ftp://{gateway.host}:{gateway.port}/large"],
        input=f'user = "{account.name}:{account.password}"\n'.encode(), check=True, timeout=80)
    with open(tmp_path / "got", "rb") as file:
        assert hashlib.file_digest(file, "sha256").digest() == digest.digest()
    assert connections() == before + 1


@BOTH
def test_what_is_received_is_not_for_the_kernel(gateway, account, version):
    session = binary(gateway.session(account, version))
    before = connections("TlsRxSw")
    session.store("STOR f", CONTENT)
    assert (account.home / "f").read_bytes() == CONTENT
    assert session.retrieve("RETR f") == CONTENT
    assert connections("TlsRxSw") == before


def test_a_reload_switches_it_on_and_off(kernel, serve, account, tmp_path):
    account.file("f", CONTENT)
    file = tmp_path / "configuration"
    file.write_text("ktls_enable=NO\n")
    gateway = serve(config=file, ktls_enable=None)
    for count, value in enumerate(("NO", "YES", "NO")):
        if count:
            file.write_text(f"ktls_enable={value}\n")
            gateway.process.send_signal(signal.SIGHUP)
            wait_until(lambda count=count: gateway.log.count("certificates loaded") == count, 10,
                       "the reload")
        session, before = binary(gateway.session(account)), connections()
        assert session.retrieve("RETR f") == CONTENT
        assert connections() == before + (value == "YES")
