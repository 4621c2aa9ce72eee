"""HASH and its kin: a file's hash without the file's journey."""

import hashlib
import os
import zlib

import pytest

CONTENT = bytes(range(256)) * 4097 + b"the end"
ALGORITHMS = {
    "SHA-256": hashlib.sha256, "SHA-512": hashlib.sha512, "SHA-1": hashlib.sha1,
    "MD5": hashlib.md5,
}
COMMANDS = {
    "XMD5": "MD5", "XSHA": "SHA-1", "XSHA1": "SHA-1", "XSHA256": "SHA-256", "XSHA512": "SHA-512",
    "XCRC": "CRC32",
}


def digest(algorithm, content):
    if algorithm == "CRC32":
        return f"{zlib.crc32(content):08x}"
    return ALGORITHMS[algorithm](content).hexdigest()


@pytest.fixture
def session(gateway, account):
    account.file("f", CONTENT)
    account.file("a file 1 2", b"name")
    account.file("a file", b"0123456789")
    account.file("empty")
    account.directory("d")
    return gateway.session(account)


def test_hash_uses_the_algorithm_that_was_chosen(session):
    last = len(CONTENT) - 1
    assert session.expect("HASH f", 213).text \
        == f"213 SHA-256 0-{last} {digest('SHA-256', CONTENT)} f"
    assert session.expect("OPTS HASH", 200).text == "200 SHA-256"
    for name in [*ALGORITHMS, "CRC32"]:
        assert session.expect(f"OPTS HASH {name.lower()}", 200).text == f"200 {name}"
        assert session.expect("HASH /f", 213).text \
            == f"213 {name} 0-{last} {digest(name, CONTENT)} /f"
        features = session.expect("FEAT", 211).lines
        line, = [text for text in features if text.startswith(" HASH ")]
        assert name + "*" in line.split(" ")[2].split(";") and line.count("*") == 1
    assert session.expect("OPTS HASH SHA-256", 200)
    assert session.expect("HASH empty", 213).text == f"213 SHA-256 0-0 {digest('SHA-256', b'')} empty"


def test_bad_use_of_hash_is_told(session):
    for line, code in [("HASH", 501), ("HASH nothing", 550), ("HASH d", 550),
                       ("OPTS HASH SHA-0", 501), ("OPTS HASH x y", 501)]:
        session.expect(line, code)
    assert session.alive()


@pytest.mark.parametrize("verb", COMMANDS)
def test_each_command_stands_for_its_algorithm(session, verb):
    algorithm = COMMANDS[verb]
    assert f" {verb}" in session.expect("FEAT", 211).lines
    whole = digest(algorithm, CONTENT).upper()
    for line in ("f", '"f"', "/f", f"f 0 {len(CONTENT)}", "f 0", '"/f" 0'):
        assert session.expect(f"{verb} {line}", 250).text == f"250 {whole}"
    assert session.expect(f"{verb} f 5 70000", 250).text \
        == f"250 {digest(algorithm, CONTENT[5:70000]).upper()}"
    assert session.expect(f'{verb} "f" 70000', 250).text \
        == f"250 {digest(algorithm, CONTENT[70000:]).upper()}"
    assert session.expect(f"{verb} f 7 7", 250).text == f"250 {digest(algorithm, b'').upper()}"
    # The whole argument is a name first.
    assert session.expect(f"{verb} a file 1 2", 250).text \
        == f"250 {digest(algorithm, b'name').upper()}"
    assert session.expect(f"{verb} a file 1 3", 250).text \
        == f"250 {digest(algorithm, b'12').upper()}"
    for line, code in [("", 501), (" nothing", 550), (" nothing 1 2", 550), (" d", 550),
                       (f" f 0 {len(CONTENT) + 1}", 554), (f" f {len(CONTENT) + 1}", 554),
                       (' "f" 9 5', 501), (' "f" x', 501), (' "f"5', 501)]:
        session.expect(verb + line, code)


def test_md5_names_the_file(session):
    assert session.expect("MD5 a file", 251).text == f"251 a file {digest('MD5', b'0123456789').upper()}"
    session.expect("MD5", 501)
    session.expect("MD5 nothing", 550)


def test_hashing_takes_the_right_to_read(serve, account):
    account.file("f", b"1")
    session = serve(download_enable="NO").session(account)
    for verb in ["HASH", "MD5", *COMMANDS]:
        session.expect(f"{verb} f", 550)
    assert not [line for line in session.expect("FEAT", 211).lines if "HASH" in line or "XCRC" in line]


def test_hashing_can_be_switched_off_and_bounded(serve, account):
    account.file("f", b"12345")
    session = serve(hash_enable="NO").session(account)
    for verb in ["HASH", "MD5", *COMMANDS]:
        session.expect(f"{verb} f", 502)
        session.expect(f"HELP {verb}", 501)
    session.expect("OPTS HASH SHA-1", 501)
    features = "\n".join(session.expect("FEAT", 211).lines)
    assert "HASH" not in features and "XSHA" not in features and "MD5" not in features
    session = serve(hash_max_size="4").session(account)
    session.expect("HASH f", 550)
    session.expect("XCRC f 1 5", 250)


def test_the_control_connection_is_served_meanwhile(session, account):
    account.sparse("huge", 1 << 38)
    session.send("HASH huge")
    session.expect("NOOP", 200)
    status = session.expect("STAT", 211).text
    assert "HASH /huge: " in status
    session.send("ABOR")
    session.next(426)
    session.next(226)
    assert session.alive()
    session.expect("XCRC f", 250)


def test_a_client_that_leaves_ends_the_work(session, account, gateway):
    account.sparse("huge", 1 << 38)
    session.send("XSHA512 huge")
    session.expect("NOOP", 200)
    session.close()


def test_quit_waits_for_the_hash(session):
    session.raw(b"HASH f\r\nQUIT\r\n")
    codes = sorted([session.reply().code, session.reply().code])
    assert codes == [213, 221]
    assert session.ended()


def test_what_lies_beyond_four_gigabytes_is_hashed_right(session, account):
    path = account.sparse("large", (1 << 32) + 10)
    with open(path, "r+b") as file:
        file.seek(1 << 32)
        file.write(b"0123456789")
    assert session.expect(f"XMD5 large {1 << 32} {(1 << 32) + 10}", 250).text \
        == f"250 {digest('MD5', b'0123456789').upper()}"
    os.unlink(path)
