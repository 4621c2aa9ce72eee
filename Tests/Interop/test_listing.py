"""LIST, NLST and STAT with the options and patterns that clients send to be handed to ls(1)."""

import os
import subprocess
import time

import pytest

from test_lftp import lftp


@pytest.fixture
def session(gateway, account):
    return gateway.session(account)


def lines(session, command):
    content = session.retrieve(command)
    assert not content or content.endswith(b"\r\n")
    return content.decode().split("\r\n")[:-1]


def names(session, command):
    """The last column of each line of LIST."""
    return [line.split(maxsplit=8)[8] for line in lines(session, command)]


@pytest.fixture
def tree(account):
    """Files whose order by name, by time and by size differs."""
    now = time.time()
    for name, size, age in (("a.txt", 10, 300), ("b.txt", 30, 200), ("c.jpg", 20, 100),
                            (".hidden.txt", 5, 50)):
        path = account.file(name, b"x" * size)
        os.utime(path, (now - age, now - age))
    directory = account.directory("dir")
    account.file("dir/d.txt")
    account.file("dir/e.jpg")
    os.utime(directory, (now - 400, now - 400))
    return account


def test_flags_sort_in_any_combination(session, tree):
    plain = ["a.txt", "b.txt", "c.jpg", "dir"]
    assert names(session, "LIST") == plain
    assert names(session, "LIST -r") == plain[::-1]
    assert names(session, "LIST -t") == ["c.jpg", "b.txt", "a.txt", "dir"]
    assert names(session, "LIST -ltr") == ["dir", "a.txt", "b.txt", "c.jpg"]
    assert names(session, "LIST -t -r") == ["dir", "a.txt", "b.txt", "c.jpg"]
    assert names(session, "LIST -lS")[1:] == ["b.txt", "c.jpg", "a.txt"]
    assert names(session, "LIST -A") == [".hidden.txt"] + plain
    assert names(session, "LIST -la") == [".", "..", ".hidden.txt"] + plain
    assert lines(session, "NLST -t") == ["c.jpg", "b.txt", "a.txt", "dir"]
    assert lines(session, "NLST -a") == [".hidden.txt"] + plain
    assert lines(session, "NLST -1") == plain


def test_names_in_the_long_form(session, tree):
    # vsftpd's rule: the letter makes NLST what LIST is.
    assert lines(session, "NLST -l") == lines(session, "LIST")


def test_a_directory_itself(session, tree):
    assert lines(session, "NLST -d") == ["."]
    assert lines(session, "NLST -d dir") == ["dir"]
    line, = lines(session, "LIST -d dir")
    assert line.startswith("d") and line.endswith(" dir")


def test_signs_for_kinds(session, tree):
    tree.file("run", mode=0o755)
    os.symlink("a.txt", tree.home / "link")
    expected = ["a.txt", "b.txt", "c.jpg", "dir/", "link@", "run*"]
    assert lines(session, "NLST -F") == expected
    assert lines(session, "NLST -CF") == expected, "letters that mean nothing are no error"
    assert names(session, "LIST -F") == [
        "a.txt", "b.txt", "c.jpg", "dir/", "link -> a.txt", "run*"]


def test_patterns_choose_names(session, tree):
    assert names(session, "LIST *.txt") == ["a.txt", "b.txt"]
    assert lines(session, "NLST *.txt") == ["a.txt", "b.txt"]
    assert lines(session, "NLST -r ?.[tj]*") == ["c.jpg", "b.txt", "a.txt"]
    assert lines(session, "NLST [!a]*") == ["b.txt", "c.jpg", "dir"]
    assert lines(session, "NLST .*") == [".hidden.txt"]
    assert lines(session, "NLST -a *.txt") == [".hidden.txt", "a.txt", "b.txt"]
    for command in ("NLST dir/*", "NLST ./dir/*"):
        assert lines(session, command) == [
            command[5:-1] + "d.txt", command[5:-1] + "e.jpg"]
    assert lines(session, "NLST /dir/*.jpg") == ["/dir/e.jpg"]
    assert names(session, "LIST dir/*.jpg") == ["e.jpg"]
    assert lines(session, "NLST *.nothing") == [], "as in vsftpd, an empty list is no error"
    status = session.expect("STAT *.txt", 211, 212, 213).lines[1:-1]
    assert [line.split()[-1] for line in status] == ["a.txt", "b.txt"]
    session.passive_port()
    session.expect("NLST nowhere/*", 550)


def test_a_name_that_exists_is_no_pattern(session, tree):
    tree.file("[a].txt")
    tree.file("*")
    assert lines(session, "NLST [a].txt") == ["[a].txt"]
    assert lines(session, "NLST *") == ["*"]
    tree.directory("d*")
    tree.file("d*/inside")
    assert lines(session, "NLST d*") == ["d*/inside"]


def test_patterns_only_work_in_the_last_name(session, tree):
    session.passive_port()
    session.expect("NLST d*/d.txt", 550)


def test_files_directories_and_nothing(session, tree):
    assert names(session, "LIST a.txt") == ["a.txt"]
    assert lines(session, "NLST a.txt") == ["a.txt"]
    assert lines(session, "NLST dir/d.txt") == ["dir/d.txt"]
    assert lines(session, "NLST dir") == ["dir/d.txt", "dir/e.jpg"]
    assert lines(session, "NLST dir/") == ["dir/d.txt", "dir/e.jpg"]
    assert lines(session, "NLST .") == ["a.txt", "b.txt", "c.jpg", "dir"]
    assert names(session, "LIST -la dir") == [".", "..", "d.txt", "e.jpg"]
    tree.directory("empty")
    assert lines(session, "NLST empty") == [] and lines(session, "LIST empty") == []
    session.expect("CWD empty", 250)
    assert lines(session, "NLST") == [] and lines(session, "LIST -t") == []
    for command in ("LIST nothing", "NLST nothing", "NLST -l nothing"):
        session.passive_port()
        session.expect(command, 550)


def test_names_that_begin_with_a_dash(session, account):
    account.file("-la", b"1")
    account.file("-x.txt", b"2")
    assert lines(session, "NLST -- -la") == ["-la"]
    assert lines(session, "NLST ./-la") == ["./-la"]
    assert lines(session, "NLST -x.txt") == ["-x.txt"], "no word of letters is a name"
    assert lines(session, "NLST -- -*") == ["-la", "-x.txt"]


def test_recursion_needs_its_option(session, tree):
    assert names(session, "LIST -R") == ["a.txt", "b.txt", "c.jpg", "dir"]
    assert lines(session, "NLST -R") == ["a.txt", "b.txt", "c.jpg", "dir"]


def test_recursion_lists_what_ls_does(serve, tree):
    tree.directory("dir/sub")
    tree.file("dir/sub/f")
    os.symlink("..", tree.home / "dir/sub/up")
    os.symlink("/etc", tree.home / "dir/out")
    session = serve(ls_recurse_enable="YES").session(tree)
    content = lines(session, "LIST -lR")
    headings = [line for line in content if line.endswith(":")]
    assert headings == [".:", "./dir:", "./dir/sub:"]
    assert content[0] == ".:" and content[content.index("./dir:") - 1] == ""
    assert content[-1].endswith(" up -> ..")
    assert [line for line in lines(session, "LIST -R dir") if line.endswith(":")] == [
        "dir:", "dir/sub:"]
    assert [line for line in lines(session, "LIST -R /") if line.endswith(":")] == [
        "/:", "/dir:", "/dir/sub:"]
    assert lines(session, "NLST -R") == [
        "a.txt", "b.txt", "c.jpg", "dir", "dir/d.txt", "dir/e.jpg", "dir/out", "dir/sub",
        "dir/sub/f", "dir/sub/up"]
    assert lines(session, "NLST -R dir/s*") == ["dir/sub", "dir/sub/f", "dir/sub/up"]
    assert lines(session, "NLST -R a.txt") == ["a.txt"]


def test_recursion_ends_somewhere_and_says_so(serve, account):
    place = account.home
    for _ in range(40):
        place = place / "d"
        place.mkdir()
    session = serve(ls_recurse_enable="YES").session(account)
    data = session.connect_data()
    session.expect("LIST -R", 150)
    data = session.wrap_data(data)
    content = b""
    while chunk := data.recv(65536):
        content += chunk
    data.unwrap().close()
    assert content.count(b":\r\n") == 16
    assert "left out" in session.next(226).text
    assert session.alive()


def test_a_directory_that_is_closed_ends_no_recursion(serve, tree):
    closed = tree.directory("closed")
    closed.chmod(0)
    session = serve(ls_recurse_enable="YES").session(tree)
    try:
        assert "dir/d.txt" in lines(session, "NLST -R")
    finally:
        closed.chmod(0o700)


def test_dot_files_are_forced(serve, tree):
    session = serve(force_dot_files="YES").session(tree)
    assert names(session, "LIST")[0] == ".hidden.txt"
    assert lines(session, "NLST *.txt") == [".hidden.txt", "a.txt", "b.txt"]
    assert "." not in names(session, "LIST")


def test_owners_are_hidden_in_every_form(serve, tree):
    session = serve(hide_ids="YES").session(tree)
    for line in lines(session, "LIST") + lines(session, "NLST -l"):
        assert line.split()[2:4] == ["ftp", "ftp"]
    session.expect("OPTS MLST type;UNIX.owner;UNIX.group;", 200)
    for line in lines(session, "MLSD") + session.expect("MLST a.txt", 250).lines:
        assert "UNIX.owner" not in line and "UNIX.group" not in line


def test_lftp_sees_what_it_asks_for(gateway, tree):
    assert lftp(gateway, tree, "nlist *.txt").split() == ["a.txt", "b.txt"]
    assert lftp(gateway, tree, "rels -la dir").count("\n") >= 2
    assert lftp(gateway, tree, "cls -1 *.txt").split()[-2:] == ["a.txt", "b.txt"]
    assert lftp(gateway, tree, "cd dir", "ls *.jpg").split()[-1] == "e.jpg"


def test_lftp_gets_by_pattern(gateway, tree, tmp_path):
    lftp(gateway, tree, f"lcd {tmp_path}", "mget *.txt dir/*.jpg")
    assert sorted(os.listdir(tmp_path)) == ["a.txt", "b.txt", "e.jpg"]


def test_curl_lists_names(gateway, tree):
    gateway.secrets.append(tree.password)
    done = subprocess.run(
        ["curl", "-sS", "--ssl-reqd", "--cacert", gateway.certificate.chain, "--list-only",
         "--user", f"{tree.name}:{tree.password}", f"ftp://{gateway.host}:{gateway.port}/dir/"],
        capture_output=True, timeout=60, check=True)
    assert done.stdout.decode().split() == ["d.txt", "e.jpg"]
