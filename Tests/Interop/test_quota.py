"""Limits of what may be stored: sizes, free space, quotas of bytes and of files."""

import os
import signal
import subprocess

import pytest

import proc
from control import finish, wait_until
from test_full_disk import small_disk  # noqa: F401
from uploading import attempt, begin, drop, end, has_part, kill, names, roles

MIB = 1 << 20


def upload(session, line, size, code):
    """Sends `size` bytes and takes the reply, even when the server has had enough before."""
    reply = attempt(session, line, b"x" * size)
    assert reply.code == code, reply.text
    return reply


def used(session):
    """(bytes, files) as SITE QUOTA tells them."""
    text = session.expect("SITE QUOTA", 211).text
    numbers = [int(line.split()[0]) for line in text.splitlines() if " used" in line]
    return tuple(numbers)


# The size of one file.


@pytest.mark.parametrize("deletes", ["YES", "NO"])
@pytest.mark.parametrize("size", [MIB + 1, 30 * MIB])
def test_a_file_that_becomes_too_large_is_552(serve, account, deletes, size):
    session = serve(max_file_size=MIB, delete_failed_uploads=deletes).session(account)
    upload(session, "STOR f", size, 552)
    assert (account.home / "f").exists() == (deletes == "NO")
    if deletes == "NO":
        assert (account.home / "f").stat().st_size == MIB
    assert session.alive()


@pytest.mark.parametrize("size", [0, 1, MIB - 1, MIB])
def test_a_file_that_fits_is_stored(serve, account, size):
    session = serve(max_file_size=MIB).session(account)
    upload(session, "STOR f", size, 226)
    assert (account.home / "f").stat().st_size == size


@pytest.mark.parametrize("how", ["APPE f", "STOR f"])
def test_appending_and_restarting_count_what_is_there(serve, account, how):
    account.file("f", b"o" * (MIB - 100))
    session = serve(max_file_size=MIB, delete_failed_uploads="YES").session(account)
    session.expect("TYPE I", 200)

    def resume(size, code):
        if how == "STOR f":
            session.expect(f"REST {MIB - 100}", 350)
        upload(session, how, size, code)

    resume(101, 552)
    # An old file is never removed, and what was allowed is there.
    assert (account.home / "f").stat().st_size == MIB
    os.truncate(account.home / "f", MIB - 100)
    resume(100, 226)
    assert (account.home / "f").stat().st_size == MIB


def test_line_ends_are_counted_as_they_are_stored(serve, account):
    session = serve(max_file_size="1000").session(account)
    session.expect("TYPE A", 200)
    data = begin(session, "STOR f", b"x\r\n" * 500)
    end(session, data)
    assert (account.home / "f").stat().st_size == 1000


def test_the_kernel_bounds_the_session_itself(serve, account):
    gateway = serve(max_file_size=MIB)
    gateway.session(account)
    with open(f"/proc/{roles(gateway)['session']}/limits", encoding="ascii") as file:
        line, = [line for line in file if line.startswith("Max file size")]
    assert line.split()[3] == str(MIB)


# What has to stay free.


def test_free_space_is_kept(small_disk, serve, account):  # noqa: F811
    gateway = serve(local_root=small_disk, min_free_space=MIB, delete_failed_uploads="YES")
    session = gateway.session(account)
    upload(session, "STOR big", 3 * MIB, 452)
    assert os.listdir(small_disk) == []
    upload(session, "STOR f", MIB // 2, 226)
    upload(session, "STOR g", MIB, 452)
    (small_disk / "other").write_bytes(b"x" * (MIB * 3 // 4))
    # Nothing is left to begin with.
    session.passive_port()
    session.expect("STOR h", 452)
    assert names(small_disk) == ["f", "other"]


# Quotas.


@pytest.mark.parametrize("atomic", ["YES", "NO"])
def test_bytes_are_counted_in_all_ways_to_write(serve, account, atomic):
    account.file("old", b"o" * 1000)
    account.directory("d")
    account.file("d/deep", b"d" * 500)
    os.symlink("old", account.home / "link")
    session = serve(quota_bytes="10000", delete_failed_uploads="YES",
                    atomic_uploads=atomic).session(account)
    assert used(session) == (1500, 2)
    upload(session, "STOR f", 8000, 226)
    assert used(session) == (9500, 3)
    reply = upload(session, "STOR g", 501, 552)
    assert "quota" in reply.text.lower()
    assert used(session) == (9500, 3)
    upload(session, "STOR g", 500, 226)
    assert used(session) == (10_000, 4)
    upload(session, "APPE g", 1, 552)
    # A file that gives way makes room for its own bytes.
    upload(session, "STOR f", 8000, 226)
    assert used(session) == (10_000, 4)
    upload(session, "STOR f", 100, 226)
    assert used(session) == (2100, 4)
    upload(session, "APPE f", 900, 226)
    assert used(session) == (3000, 4)
    session.expect("TYPE I", 200)
    upload(session, "STOU u", 1000, 226)
    assert used(session) == (4000, 5)
    session.expect("DELE old", 250)
    assert used(session) == (3000, 4)
    session.expect("RNFR g", 350)
    session.expect("RNTO f", 250)
    assert used(session) == (2000, 3)
    session.expect("RNFR f", 350)
    session.expect("RNTO renamed", 250)
    session.expect("DELE link", 250)
    assert used(session) == (2000, 3)


def test_the_number_of_files_is_limited(serve, account):
    account.file("old", b"o")
    session = serve(quota_files="3", delete_failed_uploads="YES").session(account)
    upload(session, "STOR a", 10, 226)
    upload(session, "STOR b", 0, 226)
    session.passive_port()
    reply = session.expect("STOR c", 552)
    assert "quota" in reply.text.lower()
    session.expect("STOU d", 552)
    upload(session, "STOR a", 100, 226)
    upload(session, "APPE b", 100, 226)
    session.expect("DELE old", 250)
    upload(session, "STOR c", 10, 226)
    assert sorted(os.listdir(account.home)) == ["a", "b", "c"]
    assert used(session) == (210, 3)


def test_sessions_of_one_user_share_the_quota(serve, account):
    gateway = serve(quota_bytes=MIB, delete_failed_uploads="YES")
    one, two = gateway.session(account), gateway.session(account)
    first = begin(one, "STOR a", b"a" * (MIB // 2))
    wait_until(lambda: (account.home / "a").exists()
               and (account.home / "a").stat().st_size == MIB // 2, what="the first half")
    # What is promised to one is not there for the other.
    upload(two, "STOR b", MIB // 2 + 1, 552)
    end(one, first)
    upload(two, "STOR b", MIB // 2, 226)
    upload(one, "STOR c", 1, 552)
    two.expect("DELE a", 250)
    upload(one, "STOR c", MIB // 2, 226)
    assert used(one) == used(two) == (MIB, 2)


def test_another_user_has_a_quota_of_its_own(serve, account, other_account):
    gateway = serve(quota_bytes="1000")
    upload(gateway.session(account), "STOR f", 1000, 226)
    session = gateway.session(other_account)
    assert used(session) == (0, 0)
    upload(session, "STOR f", 1000, 226)


@pytest.mark.parametrize("how", ["cut", "session", "agent"])
def test_what_was_promised_to_a_failed_upload_is_free_again(serve, account, how):
    gateway = serve(quota_bytes=MIB, delete_failed_uploads="YES")
    session = gateway.session(account)
    data = begin(session, "STOR f", b"x" * (MIB // 2))
    if how == "cut":
        drop(data)
        session.next(426)
    else:
        kill(gateway, how)
        data.close()
        session = gateway.session(account)
    assert used(session) == (0, 0)
    upload(session, "STOR g", MIB, 226)


def test_failed_uploads_that_are_kept_count(serve, account):
    session = serve(quota_bytes=MIB).session(account)
    data = begin(session, "STOR f", b"x" * 1000)
    wait_until(lambda: (account.home / "f").stat().st_size, what="the part")
    drop(data)
    session.next(426)
    count, files = used(session)
    assert files == 1 and count == sum(p.stat().st_size for p in account.home.iterdir())


def test_parts_of_failed_uploads_take_no_room(serve, account):
    session = serve(quota_bytes=MIB, atomic_uploads="YES").session(account)
    upload(session, "STOR f", MIB - 10, 226)
    for _ in range(3):
        data = begin(session, "STOR f", b"x" * (MIB - 20))
        wait_until(lambda: has_part(account.home, 1), what="the part")
        drop(data)
        session.next(426)
        assert used(session) == (MIB - 10, 1) and os.listdir(account.home) == ["f"]


def test_quotas_of_single_users_hold(serve, account, tmp_path):
    users = tmp_path / "users"
    users.mkdir()
    (users / account.name).write_text("quota_bytes=1000\nmax_file_size=600\n")
    session = serve(user_config_dir=users, quota_bytes="5000").session(account)
    upload(session, "STOR f", 601, 552)
    upload(session, "STOR f", 600, 226)
    upload(session, "STOR g", 401, 552)


def test_without_limits_there_is_nothing_to_tell(gateway, account):
    assert "disk" in gateway.session(account).expect("SITE QUOTA", 211).text


def test_copies_count(serve, account):
    account.file("f", b"x" * 600)
    session = serve(quota_bytes="1000", delete_failed_uploads="YES").session(account)
    session.expect("CPFR f", 350)
    session.expect("CPTO g", 552)
    assert used(session) == (600, 1)


def test_a_file_that_is_removed_while_it_is_uploaded_is_counted_away_once(serve, account):
    gateway = serve(quota_bytes="10000")
    account.file("f", b"o" * 5000)
    account.file("g", b"o" * 5000)
    one, two = gateway.session(account), gateway.session(account)
    assert used(two) == (10_000, 2)
    data = one.connect_data()
    one.expect("STOR f", 150)
    two.expect("DELE f", 250)
    finish(one.wrap_data(data))
    one.reply()
    assert used(two) == (5000, 1)
    upload(two, "STOR h", 5001, 552)


@pytest.mark.parametrize("name, mode", [("d", "300"), ("d", "400"), ("d", "000"), ("/", "300")])
def test_directories_that_cannot_be_counted_are_full(serve, account, name, mode):
    account.directory("d")
    account.file("d/f", b"x" * 900)
    gateway = serve(quota_bytes="1000")
    session = gateway.session(account)
    session.expect(f"SITE CHMOD {mode} {name}", 200)
    session.expect("QUIT", 221)
    session.close()
    wait_until(lambda: not gateway.wardens(), what="the end of the session")
    session = gateway.session(account)
    assert used(session)[0] > 1000
    session.expect(f"SITE CHMOD 700 {name}", 200)
    session.expect("QUIT", 221)
    session.close()
    wait_until(lambda: not gateway.wardens(), what="the end of the session")
    session = gateway.session(account)
    assert used(session) == (900, 1)
    upload(session, "STOR g", 101, 552)


@pytest.mark.parametrize("limit, size", [("quota_files", 2), ("quota_bytes", 10_000)])
def test_a_file_makes_room_for_one_upload_alone(serve, account, limit, size):
    account.file("f", b"o" * 10_000)
    gateway = serve(atomic_uploads="YES", **{limit: size})
    sessions = [gateway.session(account) for _ in range(4)]
    uploads = [begin(session, "STOR f", b"z" * 9_999) for session in sessions]
    other = gateway.session(account)
    codes = []
    for number, (session, data) in enumerate(zip(sessions, uploads)):
        other.expect("RNFR f", 350)
        other.expect(f"RNTO f{number}", 250)
        finish(data)
        codes.append(session.reply().code)
        if codes[-1] != 226:
            other.expect(f"RNFR f{number}", 350)
            other.expect("RNTO f", 250)
    files = sorted(path.name for path in account.home.iterdir())
    if limit == "quota_files":
        assert codes == [226, 552, 552, 552] and files == ["f", "f0"]
        assert used(other) == (19_999, 2)
    else:
        assert codes == [552] * 4 and files == ["f"]
        assert used(other) == (10_000, 1)


def test_files_behind_links_that_lead_nowhere_yet_count(serve, account):
    account.directory("d")
    for number in range(3):
        os.symlink(f"d/real{number}", account.home / f"link{number}")
    session = serve(quota_files="2", delete_failed_uploads="YES").session(account)
    assert used(session) == (0, 0)
    data = begin(session, "STOR link0", b"part")
    wait_until(lambda: (account.home / "d/real0").exists(), what="the file")
    drop(data)
    session.next(426)
    assert os.listdir(account.home / "d") == [] and used(session) == (0, 0)
    upload(session, "STOR link0", 10, 226)
    upload(session, "APPE link1", 10, 226)
    upload(session, "STOR link2", 10, 552)
    assert sorted(os.listdir(account.home / "d")) == ["real0", "real1"]
    assert used(session) == (20, 2)
