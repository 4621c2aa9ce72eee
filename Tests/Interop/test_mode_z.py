"""MODE Z: transfers as one zlib stream."""

import os
import subprocess
import zlib

import pytest

from uploading import attempt

TEXT = b"a line of text that repeats itself\r\n" * 20_000


@pytest.fixture
def server(serve):
    return serve(mode_z_enable="YES")


@pytest.fixture
def session(server, account):
    session = server.session(account)
    session.expect("TYPE I", 200)
    session.expect("MODE Z", 200)
    return session


def test_it_is_off_unless_it_is_wished_for(serve, account):
    session = serve().session(account)
    session.expect("MODE Z", 504)
    session.expect("OPTS MODE Z LEVEL 9", 501)
    assert "MODE Z" not in session.expect("FEAT", 211).text


def test_files_and_listings_are_compressed_both_ways(session, account):
    assert " MODE Z" in session.expect("FEAT", 211).lines
    assert "MODE Deflate" in session.expect("STAT", 211).text
    assert attempt(session, "STOR f", zlib.compress(TEXT)).code == 226
    assert (account.home / "f").read_bytes() == TEXT
    packed = session.retrieve("RETR f")
    assert zlib.decompress(packed) == TEXT and len(packed) < len(TEXT) // 20
    for line in ("LIST", "NLST", "MLSD"):
        listing = zlib.decompress(session.retrieve(line))
        assert listing.endswith(b"f\r\n")
    assert attempt(session, "APPE f", zlib.compress(b"more")).code == 226
    assert (account.home / "f").read_bytes() == TEXT + b"more"
    session.expect(f"REST {len(TEXT)}", 350)
    assert zlib.decompress(session.retrieve("RETR f")) == b"more"
    session.expect("MODE S", 200)
    assert session.retrieve("RETR f") == TEXT + b"more"
    session.expect("SIZE f", 213)


def test_empty_random_and_converted_content_passes(session, account):
    random = os.urandom(1_000_000)
    for content in (b"", b"x", random):
        assert attempt(session, "STOR f", zlib.compress(content)).code == 226
        assert (account.home / "f").read_bytes() == content
        assert zlib.decompress(session.retrieve("RETR f")) == content
    session.expect("TYPE A", 200)
    assert attempt(session, "STOR t", zlib.compress(b"a\r\nb\r\n")).code == 226
    assert (account.home / "t").read_bytes() == b"a\nb\n"
    assert zlib.decompress(session.retrieve("RETR t")) == b"a\r\nb\r\n"


def test_the_level_is_the_clients_choice(session, account):
    account.file("f", TEXT)
    sizes = {}
    for level in (0, 1, 9):
        session.expect(f"OPTS MODE Z LEVEL {level}", 200)
        packed = session.retrieve("RETR f")
        assert zlib.decompress(packed) == TEXT
        sizes[level] = len(packed)
    assert sizes[0] > len(TEXT) > sizes[1] >= sizes[9]
    session.expect("opts mode z engine zlib method 8 level 6", 200)
    for bad in ("", " Z", " Z LEVEL", " Z LEVEL 10", " Z LEVEL x", " Z ENGINE GZIP LEVEL 1", " S x y",
                " Z BLOCK 1"):
        session.expect("OPTS MODE" + bad, 501)


@pytest.mark.parametrize("content", [
    b"", b"no zlib stream at all" * 100, zlib.compress(TEXT)[:-1], zlib.compress(TEXT)[:100],
    zlib.compress(TEXT) + b"x", zlib.compress(TEXT)[:-4] + b"\0\0\0\0",
    zlib.compress(TEXT)[:2] + b"\xff" * 5000,
], ids=["nothing", "nonsense", "one byte short", "cut", "more behind", "checksum", "bad block"])
def test_what_is_no_whole_stream_is_no_upload(session, server, content):
    assert attempt(session, "STOR f", content).code in (426, 451)
    assert session.alive()
    assert "STOR \"/f\" ok" not in server.log


def test_a_bomb_fills_no_memory(session, account, server):
    import proc
    packer = zlib.compressobj(9)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(256)) + packer.flush()
    assert len(bomb) < 300_000
    assert attempt(session, "STOR f", bomb).code == 226
    assert (account.home / "f").stat().st_size == 256 << 20
    peak = 0
    for pid in proc.tree(server.pid):
        for line in open(f"/proc/{pid}/status", encoding="utf-8"):
            if line.startswith("VmHWM"):
                peak = max(peak, int(line.split()[1]))
    assert peak < 64 << 10


def test_a_download_of_zeros_shows_progress_and_can_be_aborted(session, account):
    account.sparse("huge", 1 << 36)
    data = session.connect_data()
    session.expect("RETR huge", 150)
    data = session.wrap_data(data)
    unpacker = zlib.decompressobj()
    count = 0
    while count < 8 << 20:
        chunk = data.recv(65536)
        assert chunk
        count += len(unpacker.decompress(chunk))
    session.expect("NOOP", 200)
    session.send("ABOR")
    session.next(426)
    session.next(226)
    data.close()
    assert session.alive()


def test_lftp_uses_it(server, account, tmp_path):
    account.file("f", TEXT)
    server.secrets.append(account.password)
    (tmp_path / "up").write_bytes(TEXT * 2)
    script = "; ".join([
        f"set ssl:ca-file {server.certificate.chain}", "set ssl:check-hostname no",
        "set ftp:ssl-force yes", "set ftp:ssl-protect-data yes", "set ftp:use-mode-z yes",
        "set net:max-retries 1", "debug 9",
        f"open -u {account.name},{account.password} -p {server.port} ftp://127.0.0.1",
        f"get f -o {tmp_path}/down", f"put {tmp_path}/up -o up", "cls -l", "bye",
    ])
    result = subprocess.run(["lftp", "-c", script], capture_output=True, timeout=60, text=True,
                            env={**os.environ, "HOME": str(tmp_path)}, check=False)
    assert result.returncode == 0, result.stderr
    assert "MODE Z" in result.stderr and "200 Mode set to Z" in result.stderr
    assert (tmp_path / "down").read_bytes() == TEXT
    assert (account.home / "up").read_bytes() == TEXT * 2
