"""RANG and REST: parts of files, up to the largest offsets."""

import hashlib
import os

import pytest

from uploading import attempt

MOST = 2 ** 63 - 1
CONTENT = bytes(range(256)) * 1000


@pytest.fixture
def session(gateway, account):
    account.file("f", CONTENT)
    session = gateway.session(account)
    session.expect("TYPE I", 200)
    return session


def test_a_part_is_sent(session):
    assert " RANG STREAM" in session.expect("FEAT", 211).lines
    for first, last in [(0, 0), (0, 9), (100, 70_000), (255_999, 255_999), (255_000, MOST), (0, MOST)]:
        session.expect(f"RANG {first} {last}", 350)
        assert session.retrieve("RETR f") == CONTENT[first:last + 1]
    assert session.retrieve("RETR f") == CONTENT, "it is good for one transfer"
    session.expect("RANG 5 9", 350)
    session.expect("RANG 1 0", 350)
    assert session.retrieve("RETR f") == CONTENT
    session.expect(f"RANG {len(CONTENT) + 1} {MOST}", 350)
    session.passive_port()
    session.expect("RETR f", 554)


def test_the_last_of_rest_and_rang_holds(session):
    session.expect("REST 100", 350)
    session.expect("RANG 5 9", 350)
    assert session.retrieve("RETR f") == CONTENT[5:10]
    session.expect("RANG 5 9", 350)
    session.expect("REST 100", 350)
    assert session.retrieve("RETR f") == CONTENT[100:]


@pytest.mark.parametrize("bad", ["RANG", "RANG 5", "RANG 2 1", "RANG -1 5", "RANG x y", "RANG 1 2 3",
                                 f"RANG 0 {MOST + 1}", f"REST {MOST + 1}", "REST -1", "REST x",
                                 "REST 99999999999999999999999999999"])
def test_bad_numbers_are_told(session, bad):
    session.expect(bad, 501)
    assert session.retrieve("RETR f") == CONTENT


def test_the_largest_numbers_are_numbers(session):
    for good in (f"REST {MOST}", f"RANG {MOST} {MOST}"):
        session.expect(good, 350)
        session.passive_port()
        session.expect("RETR f", 554)
        session.expect(good, 350)
        session.passive_port()
        session.expect("STOR f", 554)
        session.expect(good, 350)
        session.passive_port()
        session.expect("STOR new", 554)


def test_parts_are_of_bytes(session):
    session.expect("TYPE A", 200)
    session.expect("RANG 0 9", 501)
    session.expect("RANG 1 0", 350)
    session.expect("TYPE I", 200)
    session.expect("RANG 0 9", 350)
    session.expect("TYPE A", 200)
    session.passive_port()
    session.expect("RETR f", 550)


def test_a_part_is_written_into_a_file(session, account):
    session.expect("RANG 10 14", 350)
    assert attempt(session, "STOR f", b"-----").code == 226
    session.expect("RANG 0 9", 350)
    assert attempt(session, "STOR f", b"+++").code == 226
    assert (account.home / "f").read_bytes() == b"+++" + CONTENT[3:10] + b"-----" + CONTENT[15:]
    session.expect("RANG 0 4", 350)
    assert attempt(session, "STOR f", b"too much").code == 552
    assert (account.home / "f").stat().st_size == len(CONTENT)
    session.expect("RANG 0 4", 350)
    session.passive_port()
    session.expect("APPE f", 503)


def test_a_part_is_hashed(session):
    session.expect("RANG 10 19", 350)
    digest = hashlib.sha256(CONTENT[10:20]).hexdigest()
    assert session.expect("HASH f", 213).text == f"213 SHA-256 10-19 {digest} f"
    session.expect("RANG 255990 300000", 350)
    session.expect("HASH f", 554)


def test_sparse_files_beyond_four_gigabytes(session, account):
    path = account.sparse("large", (1 << 33) + 5)
    with open(path, "r+b") as file:
        file.seek(1 << 33)
        file.write(b"12345")
        file.seek((1 << 32) - 2)
        file.write(b"abcd")
    session.expect(f"REST {(1 << 33) - 3}", 350)
    assert session.retrieve("RETR large") == b"\0\0\x0012345"
    session.expect(f"RANG {(1 << 32) - 2} {(1 << 32) + 1}", 350)
    assert session.retrieve("RETR large") == b"abcd"
    assert session.expect("SIZE large", 213).text == f"213 {(1 << 33) + 5}"
    session.expect(f"REST {(1 << 33) + 5}", 350)
    assert attempt(session, "STOR large", b"67").code == 226
    session.expect(f"REST {1 << 33}", 350)
    assert session.retrieve("RETR large") == b"1234567"
    os.unlink(path)


def test_after_epsv_all_nothing_else_is_taken(session):
    session.expect("EPSV ALL", 200)
    for line in ("PASV", "P@SW", "PORT 127,0,0,1,200,200", "EPRT |1|127.0.0.1|50000|"):
        session.expect(line, 501)
    session.expect("EPSV", 229)
    assert session.retrieve("RETR f") == CONTENT
