"""ALLO and AVBL: how much may be stored."""

import os

import pytest

MOST = 2 ** 63 - 1


@pytest.fixture
def session(gateway, account):
    return gateway.session(account)


def room(path):
    status = os.statvfs(path)
    return status.f_bavail * status.f_frsize


def test_available_space_is_that_of_the_disk(session, account):
    account.directory("d")
    account.file("f")
    for line in ("AVBL", "AVBL /", "AVBL d"):
        reply = session.expect(line, 213)
        told = int(reply.text.split()[1])
        assert abs(told - room(account.home)) < 1 << 30
    session.expect("AVBL nothing", 550)
    session.expect("AVBL f", 550)


def test_what_cannot_fit_is_refused_before_it_is_sent(session):
    for good in ("ALLO 0", "ALLO 1000", "ALLO 1000 R 80"):
        session.expect(good, 200)
    session.expect(f"ALLO {MOST}", 452)
    session.expect(f"ALLO {MOST} R 80", 452)
    for bad in ("ALLO", "ALLO x", "ALLO -1", f"ALLO {MOST + 1}", "ALLO 10 R", "ALLO 10 20",
                "ALLO 10 R x", "ALLO 10 R 20 30"):
        session.expect(bad, 501)


def test_a_user_who_may_not_store_learns_nothing(serve, account):
    session = serve(write_enable="NO").session(account)
    session.expect("AVBL", 550)
    session.expect("ALLO 1000", 202)
    session.expect(f"ALLO {MOST}", 202)


def test_available_space_is_what_the_limits_leave(serve, account):
    account.file("old", b"x" * 600)
    session = serve(quota_bytes="1000").session(account)
    assert session.expect("AVBL", 213).text == "213 400"
    session.expect("ALLO 400", 200)
    session.expect("ALLO 401", 452)
    session.store("STOR new", b"x" * 300)
    assert session.expect("AVBL", 213).text == "213 100"
    free = serve(min_free_space=str(1 << 60)).session(account)
    assert free.expect("AVBL", 213).text == "213 0"


def test_allo_knows_how_large_a_file_may_be(serve, account):
    session = serve(max_file_size="1000").session(account)
    session.expect("ALLO 1000", 200)
    session.expect("ALLO 1001", 552)
