"""lftp with GnuTLS, mirroring a tree whose names are awkward on purpose."""

import os
import random
import subprocess

import pytest

AWKWARD = [
    "plain", "two words", " leading blank", "trailing blank ", "three   blanks", "tab\tin it",
    "'single'", '"double"', "back\\slash", "back\\\\slashes", "trailing\\", "$HOME", "`id`",
    "semi;colon", "a&b", "a|b", "star*", "what?", "[a-z]", "{a,b}", "~tilde", "#hash", "100%41",
    "colon:", "equals=", "comma,", "-", "--", "-la", "--help", "-dash first", ".hidden", "..dots",
    "...", "Grüße", "e\u0301 combining", "\u00e9 composed", "日本語", "🏰", "\u200frtl", "i\u0307",
    "x" * 255, "é" * 127 + "x", "type=file;size=1; fake", "\x7fdel", "\x01control",
]


def make_tree(top):
    """300 files in a few directories; the content names the file, some are empty, some large."""
    generator = random.Random(20)
    names = AWKWARD + [f"file {number}" for number in range(300 - 3 * len(AWKWARD))]
    directories = [top, top / "sub dir", top / "sub dir" / "-deep \"quoted\" ü"]
    count = 0
    for place, directory in enumerate(directories):
        directory.mkdir()
        for name in (names if place == 0 else AWKWARD):
            size = generator.choice([0, 10, 1000, 100_000])
            (directory / name).write_bytes(name.encode() + generator.randbytes(size))
            count += 1
    (top / "empty directory").mkdir()
    assert count == 300


def contents(top):
    found = {}
    for directory, _, names in os.walk(os.fsencode(top)):
        found[os.path.relpath(directory, os.fsencode(top))] = None
        for name in names:
            path = os.path.join(directory, name)
            with open(path, "rb") as file:
                found[os.path.relpath(path, os.fsencode(top))] = file.read()
    return found


def lftp(gateway, account, *commands, passive=True):
    gateway.secrets.append(account.password)
    settings = [
        "set cmd:fail-exit yes", "set net:timeout 20", "set net:max-retries 2",
        "set net:reconnect-interval-base 1", "set ftp:ssl-force true",
        "set ftp:ssl-protect-data true", f"set ssl:ca-file {gateway.certificate.chain}",
        "set xfer:log no", f"set ftp:passive-mode {'on' if passive else 'off'}",
        f"open -u {account.name},{account.password} -p {gateway.port} {gateway.host}",
    ]
    done = subprocess.run(
        ["lftp", "--norc", "-c", "; ".join([*settings, *commands])], capture_output=True,
        timeout=80, env={**os.environ, "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"})
    assert done.returncode == 0, done.stderr.decode() + done.stdout.decode()
    return done.stdout.decode()


@pytest.mark.parametrize("reuse", ["NO", "YES"], ids=["reuse-optional", "reuse-required"])
@pytest.mark.parametrize("passive", [True, False], ids=["passive", "active"])
def test_a_tree_is_mirrored_both_ways_byte_for_byte(serve, account, tmp_path, passive, reuse):
    gateway = serve(require_ssl_reuse=reuse, force_dot_files="YES")
    make_tree(tmp_path / "tree")
    expected = contents(tmp_path / "tree")
    lftp(gateway, account, f"mirror --reverse --parallel=2 {tmp_path}/tree /tree",
         passive=passive)
    assert contents(account.home / "tree") == expected
    lftp(gateway, account, f"mirror --parallel=2 /tree {tmp_path}/back", passive=passive)
    assert contents(tmp_path / "back") == expected


def test_a_second_mirror_transfers_nothing(gateway, account, tmp_path):
    source = tmp_path / "tree"
    source.mkdir()
    for number in range(5):
        (source / f"file {number}").write_bytes(b"x" * number)
        os.utime(source / f"file {number}", (1_500_000_000, 1_500_000_000 + number))
    lftp(gateway, account, f"mirror --reverse {source} /tree")
    stored = account.home / "tree"
    assert sorted(int(path.stat().st_mtime) for path in stored.iterdir()) == \
        [1_500_000_000 + number for number in range(5)]
    again = lftp(gateway, account, f"mirror --reverse --verbose {source} /tree")
    assert "Transferring file" not in again


def test_listing_renaming_and_removing_work(gateway, account):
    account.file("one", b"1")
    account.directory("dir")
    account.file("dir/two", b"22")
    out = lftp(gateway, account, "cls -1", "mv one uno", "rm -r dir", "mkdir new", "cls -1",
               "chmod 600 uno", "cat uno")
    assert out.split() == ["dir/", "one", "new/", "uno", "1"]
    assert (account.home / "uno").stat().st_mode & 0o777 == 0o600
    assert not (account.home / "dir").exists()


def test_an_interrupted_download_is_continued(gateway, account, tmp_path):
    content = random.Random(3).randbytes(1_000_000)
    account.file("data", content)
    (tmp_path / "data").write_bytes(content[:300_000])
    lftp(gateway, account, f"get -c data -o {tmp_path}/data")
    assert (tmp_path / "data").read_bytes() == content
