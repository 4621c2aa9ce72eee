"""portcullis passwd: the file of virtual users from the command line."""

import ctypes
import os
import pty
import re
import select
import subprocess
import threading

import pytest

from control import wait_until
from gateway import BINARY

LINE = re.compile(r"^amy:(?P<hash>\$y\$[^:]+):(?P<home>[^:]*):(?P<letters>\w*):(?P<options>.*)$",
                  re.MULTILINE)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "users"


def passwd(file, *arguments, text="", status=0):
    done = subprocess.run([BINARY, "passwd", file, *map(str, arguments)], input=text, text=True,
                          capture_output=True, timeout=60, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    assert not text.strip() or text.strip() not in done.stdout + done.stderr
    return done


def crypt(password, setting):
    library = ctypes.CDLL("libcrypt.so.1")
    library.crypt.restype = ctypes.c_char_p
    return library.crypt(password.encode(), setting.encode()).decode()


def entry(file):
    found = LINE.search(file.read_text())
    assert found, file.read_text()
    return found


def test_a_new_user_is_written_with_a_hash_of_yescrypt(file):
    passwd(file, "amy", "--home", "/srv/a b", "--permissions", "elradfmw", text="geheim\n")
    found = entry(file)
    assert crypt("geheim", found["hash"]) == found["hash"]
    assert (found["home"], found["letters"]) == ("/srv/a%20b", "elradfmw")
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_password_is_changed_and_everything_else_stays(file):
    file.write_text("# who may come\n\nbob:!:/srv/bob:elr:\n")
    file.chmod(0o600)
    passwd(file, "amy", "--home", "/srv", "--set", "local_umask=022", text="first\n")
    before = entry(file)
    passwd(file, "amy", text="second")
    after = entry(file)
    assert crypt("second", after["hash"]) == after["hash"] != before["hash"]
    assert file.read_text().startswith("# who may come\n\nbob:!:/srv/bob:elr:\n")
    assert after["options"] == "local_umask=022" and after["letters"] == "elr"


def test_options_are_set_and_taken_back(file):
    passwd(file, "amy", "--home", "/srv", text="geheim\n")
    before = entry(file)["hash"]
    passwd(file, "amy", "--set", "cmds_denied=SITE, DELE", "--set", "write_enable=NO")
    passwd(file, "amy", "--set", "write_enable=YES", "--home", "/srv/amy", "--permissions", "el")
    found = entry(file)
    assert found["hash"] == before
    assert found["options"] == "cmds_denied=SITE,%20DELE write_enable=YES"
    assert (found["home"], found["letters"]) == ("/srv/amy", "el")
    passwd(file, "amy", "--set", "cmds_denied=")
    assert entry(file)["options"] == "write_enable=YES"


def test_a_user_is_locked_and_unlocked_and_removed(file):
    passwd(file, "amy", "--home", "/srv", text="geheim\n")
    whole = file.read_text()
    passwd(file, "amy", "--lock")
    assert file.read_text() == whole.replace("amy:", "amy:!")
    assert "locked" in passwd(file, "--list").stdout
    passwd(file, "amy", "--unlock")
    assert file.read_text() == whole
    passwd(file, "amy", "--delete")
    assert file.read_text() == ""
    passwd(file, "amy", "--delete", status=1)


def test_the_list_shows_no_hash(file):
    passwd(file, "amy", "--home", "/srv", "--set", "local_umask=022", text="geheim\n")
    done = passwd(file, "--list")
    assert done.stdout == "amy\topen\telr\t/srv\tlocal_umask=022\n"


@pytest.mark.parametrize("arguments", [
    (), ("a:b", "--home", "/"), ("a/b", "--home", "/"), (".a", "--home", "/"),
    ("amy", "--home", "srv"), ("amy", "--home", "/", "--permissions", "rx"),
    ("amy", "--home", "/", "--set", "listen_port=1"), ("amy", "--home", "/", "--set", "nonsense=1"),
    ("amy", "--home", "/", "--set", "local_umask=8x"), ("amy", "--lock", "--unlock"),
    ("amy", "--delete", "--lock"), ("amy", "--list"), ("--lock",),
])
def test_what_makes_no_sense_is_refused(file, arguments):
    passwd(file, *arguments, text="geheim\n", status=64)
    assert not file.exists()


@pytest.mark.parametrize("text", ["", "\n", "x" * 512 + "\n", "a\0b\n"])
def test_what_is_no_password_is_refused(file, text):
    passwd(file, "amy", "--home", "/srv", text=text, status=1)
    assert not file.exists()


def test_a_new_user_needs_a_home(file):
    assert "--home" in passwd(file, "amy", text="geheim\n", status=1).stderr
    assert not file.exists()


@pytest.mark.parametrize("mode", [0o620, 0o606])
def test_a_file_that_others_may_write_is_not_trusted(file, mode):
    file.write_text("")
    file.chmod(mode)
    passwd(file, "amy", "--home", "/srv", text="geheim\n", status=1)
    assert file.read_text() == ""


@pytest.mark.parametrize("before, after", [(0o644, 0o640), (0o640, 0o640), (0o600, 0o600)])
def test_the_owner_stays_and_the_mode_is_tightened(file, account, before, after):
    """Nobody else reads the file but the group, through which a daemon without root does."""
    file.write_text("")
    file.chmod(before)
    # Run as root, the command takes files of root and of its own account only.
    os.chown(file, 0, account.gid)
    passwd(file, "amy", "--home", "/srv", text="geheim\n")
    facts = file.stat()
    assert (facts.st_uid, facts.st_gid, facts.st_mode & 0o777) == (0, account.gid, after)


def test_a_link_stays_a_link(file, tmp_path):
    link = tmp_path / "link"
    link.symlink_to("users")
    file.write_text("")
    file.chmod(0o600)
    passwd(link, "amy", "--home", "/srv", text="geheim\n")
    assert link.is_symlink() and entry(file)


def test_writers_wait_for_each_other(file):
    names = [f"user{number}" for number in range(12)]

    def add(name):
        passwd(file, name, "--home", "/srv", text=f"geheim {name}\n")

    threads = [threading.Thread(target=add, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(line.split(":")[0] for line in file.read_text().splitlines()) == sorted(names)
    assert os.listdir(file.parent) == ["users"]


def test_a_plain_file_is_imported_whole(file, tmp_path):
    old = tmp_path / "old"
    old.write_text("# users\namy  geheim elradfmw /srv/a b\nbob:ge heim:elr:/srv/bob\n")
    done = passwd(file, "--import", old)
    assert "geheim" not in done.stdout + done.stderr + file.read_text()
    found = entry(file)
    assert crypt("geheim", found["hash"]) == found["hash"]
    assert (found["home"], found["letters"]) == ("/srv/a%20b", "elradfmw")
    digest = file.read_text().splitlines()[1].split(":")[1]
    assert crypt("ge heim", digest) == digest


@pytest.mark.parametrize("line", ["bob geheim elr", "bob geheim xyz /srv", "amy geheim elr /srv",
                                  "bob geheim elr srv"])
def test_an_import_is_all_or_nothing(file, tmp_path, line):
    old = tmp_path / "old"
    old.write_text(f"zoe geheim elr /srv/zoe\n{line}\n")
    passwd(file, "amy", "--home", "/srv", text="secret\n")
    before = file.read_text()
    done = passwd(file, "--import", old, status=1)
    assert "line 2" in done.stderr or "amy" in done.stderr
    assert "geheim" not in done.stdout + done.stderr
    assert file.read_text() == before


class Terminal:
    """The command at a terminal of its own, and everything that the terminal showed."""

    def __init__(self, *arguments):
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.execv(BINARY, [str(BINARY), *map(str, arguments)])
        self.shown = b""

    def wait_for(self, text, count=1):
        def look():
            if select.select([self.master], [], [], 0.1)[0]:
                self.shown += os.read(self.master, 4096)
            return self.shown.count(text) >= count
        wait_until(look, 20, f"{text!r} on the terminal")

    def type(self, text):
        os.write(self.master, text)

    def end(self):
        try:
            while chunk := os.read(self.master, 4096):
                self.shown += chunk
        except OSError:
            pass
        os.close(self.master)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def test_at_a_terminal_a_password_is_asked_for_twice_and_not_shown(file):
    terminal = Terminal("passwd", file, "amy", "--home", "/srv")
    terminal.wait_for(b": ")
    terminal.type(b"gehx\x7feim\r")
    terminal.wait_for(b": ", 2)
    terminal.type(b"wrong\x15geheim\r")
    assert terminal.end() == 0
    assert b"eim" not in terminal.shown and b"wrong" not in terminal.shown
    digest = entry(file)["hash"]
    assert crypt("geheim", digest) == digest


def test_two_passwords_that_differ_change_nothing(file):
    terminal = Terminal("passwd", file, "amy", "--home", "/srv")
    terminal.wait_for(b": ")
    terminal.type(b"geheim\r")
    terminal.wait_for(b": ", 2)
    terminal.type(b"another\r")
    assert terminal.end() == 1
    assert b"differ" in terminal.shown and not file.exists()


def test_interrupting_the_question_changes_nothing(file):
    terminal = Terminal("passwd", file, "amy", "--home", "/srv")
    terminal.wait_for(b": ")
    terminal.type(b"geheim\x03")
    assert terminal.end() == 1
    assert not file.exists()
