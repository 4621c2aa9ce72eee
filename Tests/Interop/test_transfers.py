"""Transfers that run to their end: conversion, offsets, unique names, file modes."""

import os
import random
import ssl

import pytest

from control import VERSIONS, read_all

BOTH = pytest.mark.parametrize("version", VERSIONS)


@pytest.fixture
def session(gateway, account):
    session = gateway.session(account)
    session.expect("TYPE I", 200)
    return session


@BOTH
@pytest.mark.parametrize("resume", [False, True], ids=["full-handshake", "resumed"])
def test_five_random_megabytes_travel_both_ways(gateway, account, version, resume):
    content = random.Random(5).randbytes(5_000_000)
    session = gateway.session(account, version)
    session.expect("TYPE I", 200)
    session.store("STOR data", content, resume=resume)
    assert (account.home / "data").read_bytes() == content
    assert session.retrieve("RETR data", resume=resume) == content
    assert session.retrieve("RETR data", command="PASV", resume=resume) == content


@BOTH
def test_an_empty_file_travels_both_ways(gateway, account, version):
    session = gateway.session(account, version)
    session.store("STOR empty", b"")
    assert (account.home / "empty").read_bytes() == b""
    assert session.retrieve("RETR empty") == b""


def test_text_is_converted_in_type_a_and_kept_in_type_i(session, account):
    account.file("unix", b"one\ntwo\n\nend")
    session.expect("TYPE A", 200)
    assert session.retrieve("RETR unix") == b"one\r\ntwo\r\n\r\nend"
    session.store("STOR text", b"one\r\ntwo\r\n\r\nlone \r stays\r\n")
    assert (account.home / "text").read_bytes() == b"one\ntwo\n\nlone \r stays\n"
    session.expect("TYPE I", 200)
    assert session.retrieve("RETR unix") == b"one\ntwo\n\nend"
    session.store("STOR text", b"one\r\n")
    assert (account.home / "text").read_bytes() == b"one\r\n"


def test_a_large_text_is_converted_across_every_block(session, account):
    lines = [b"x" * (number % 97) for number in range(30_000)]
    account.file("unix", b"\n".join(lines))
    session.expect("TYPE A", 200)
    assert session.retrieve("RETR unix") == b"\r\n".join(lines)
    session.store("STOR text", b"\r\n".join(lines))
    assert (account.home / "text").read_bytes() == b"\n".join(lines)


def test_text_conversion_of_uploads_can_be_switched_off(serve, account):
    session = serve(ascii_upload_enable="NO").session(account)
    session.expect("TYPE A", 200)
    session.store("STOR text", b"one\r\n")
    assert (account.home / "text").read_bytes() == b"one\r\n"


def test_stor_replaces_and_appe_appends(session, account):
    account.file("f", b"a long old content")
    session.store("STOR f", b"new")
    assert (account.home / "f").read_bytes() == b"new"
    session.store("APPE f", b"er")
    session.store("APPE g", b"made")
    assert (account.home / "f").read_bytes() == b"newer"
    assert (account.home / "g").read_bytes() == b"made"


def test_unique_names_are_made_and_told(session, account):
    names = set()
    for number in range(5):
        last = session.store("STOU", str(number).encode())
        assert last.code == 226 and session.first.code == 150
        assert session.first.text.startswith("150 FILE: ")
        name = session.first.text.removeprefix("150 FILE: ").removeprefix("/")
        names.add(name)
        assert (account.home / name).read_bytes() == str(number).encode()
    assert len(names) == 5


def test_uploads_continue_at_an_offset(session, account):
    account.file("f", b"0123456789")
    session.expect("REST 4", 350)
    session.store("STOR f", b"abc")
    assert (account.home / "f").read_bytes()[:7] == b"0123abc"
    session.store("STOR f", b"xy")
    assert (account.home / "f").read_bytes() == b"xy", "REST holds for one transfer only"


def test_downloads_continue_at_an_offset(session, account):
    account.file("f", b"0123456789")
    session.expect("REST 7", 350)
    assert session.retrieve("RETR f") == b"789"
    assert session.retrieve("RETR f") == b"0123456789"
    session.expect("REST 10", 350)
    assert session.retrieve("RETR f") == b""
    session.expect("REST 11", 350)
    session.passive_port()
    session.expect("RETR f", 554, 550)
    for bad in ("REST -1", "REST x", "REST 99999999999999999999", "REST 1x"):
        session.expect(bad, 501, 554)
    assert session.retrieve("RETR f") == b"0123456789"


def test_a_file_beyond_four_gigabytes_has_its_true_size_and_end(session, account):
    path = account.sparse("huge", (1 << 32) + 100)
    with path.open("r+b") as file:
        file.seek((1 << 32) + 50)
        file.write(b"e" * 50)
    assert session.expect("SIZE huge", 213).text == f"213 {(1 << 32) + 100}"
    session.expect(f"REST {(1 << 32) + 40}", 350)
    assert session.retrieve("RETR huge") == bytes(10) + b"e" * 50
    assert f"size={(1 << 32) + 100};" in session.expect("MLST huge", 250).text.lower()
    assert str((1 << 32) + 100) in session.retrieve("LIST").decode()


def test_files_are_made_with_the_configured_mask(serve, account):
    session = serve(local_umask="027").session(account)
    session.store("STOR f", b"x")
    session.expect("MKD d", 257)
    assert (account.home / "f").stat().st_mode & 0o777 == 0o640
    assert (account.home / "d").stat().st_mode & 0o777 == 0o750


def test_by_default_files_are_for_their_owner_only(session, account):
    session.store("STOR f", b"x")
    assert (account.home / "f").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("kind", ["fifo", "directory", "missing directory"])
def test_uploads_and_downloads_need_a_regular_file(session, account, kind):
    name = "target"
    if kind == "fifo":
        os.mkfifo(account.home / name)
        account.own(account.home / name)
    elif kind == "directory":
        account.directory(name)
    else:
        name = "no/where"
    for line in (f"RETR {name}", f"STOR {name}", f"APPE {name}"):
        session.passive_port()
        session.expect(line, 550, 553)
    assert session.alive()


def test_a_transfer_command_without_a_data_connection_is_425(session, account):
    account.file("f", b"x")
    for line in ("RETR f", "LIST", "STOR g"):
        session.expect(line, 425, 503)
    assert session.alive()


@BOTH
def test_a_hundred_transfers_run_over_one_session(gateway, account, version):
    session = gateway.session(account, version)
    for number in range(50):
        content = str(number).encode() * number
        session.store(f"STOR {number}", content, resume=number % 2 == 0)
        assert session.retrieve(f"RETR {number}", resume=number % 3 == 0) == content


def test_a_download_ends_in_order_for_a_client_that_only_reads(session, account):
    account.file("f", b"x" * 300_000)
    data = session.connect_data()
    session.expect("RETR f", 150)
    data = session.wrap_data(data)
    assert len(read_all(data)) == 300_000
    assert isinstance(data, ssl.SSLSocket)
    data.close()
    session.next(226)
