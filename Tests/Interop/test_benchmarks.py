"""The benchmarks: that they work and leave nothing; what they measure is nothing for a test."""

import json
import os
import pathlib
import pwd
import re
import signal
import subprocess
import sys
import textwrap

import pytest

import proc
from control import wait_until
from gateway import BINARY, ROOT

BENCHMARKS = ROOT / "Tests/Benchmarks"
STARTED = re.compile(r"^account (\w+), files in (.+)$", re.MULTILINE)
OURS = ["--quick", "--server", "portcullis"]


def start(*arguments, errors):
    # By its full path: a server's command line names the run's directory.
    return subprocess.Popen(
        [sys.executable, BENCHMARKS / "run", *arguments], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=errors, text=True,
        env={**os.environ, "PORTCULLIS": str(BINARY), "PYTHONDONTWRITEBYTECODE": "1",
             "TMPDIR": str(pathlib.Path(errors.name).parent)})


def commands():
    found = {}
    for pid in proc.pids():
        try:
            found[pid] = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            pass
    return found


def assert_nothing_remains(said):
    account, directory = STARTED.search(said).groups()
    with pytest.raises(KeyError):
        pwd.getpwnam(account)
    assert not os.path.exists(f"/home/{account}")
    assert not os.path.exists(directory)
    assert not [pid for pid, line in commands().items() if directory.encode() in line]


def rows(text, load):
    """The cells of the tables of one load."""
    section = re.search(rf"^## {load}: .*?(?=^## |\Z)", text, re.MULTILINE | re.DOTALL).group()
    lines = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("|")]
    return {line[0]: line[1:] for line in lines[2:]}


def test_a_quick_run_prints_its_tables_and_leaves_nothing(root, tmp_path):
    kept = tmp_path / "kept.json"
    with open(tmp_path / "errors", "w+", encoding="utf-8") as errors:
        run = start(*OURS, "--loads", "connect,list", "--rounds", "1", "--json", kept,
                    errors=errors)
        text, _ = run.communicate(timeout=240)
    said = (tmp_path / "errors").read_text(encoding="utf-8")
    assert run.returncode == 0, said
    for load, figures in (("connect", 3), ("list", 8)):
        cells = rows(text, load)["portcullis"]
        assert len(cells) == figures
        assert all(float(value.replace(",", "")) > 0 for value in cells), cells
    for fact in ("date", "machine", "kernel", "OpenSSL", "portcullis"):
        assert re.search(rf"^- {fact}: .+$", text, re.MULTILINE), text
    found = json.loads(kept.read_text(encoding="utf-8"))
    assert found["failures"] == []
    assert found["results"]["connect"][0]["portcullis"]["cpu"] > 0
    assert_nothing_remains(said)


def test_a_run_that_is_ended_early_leaves_nothing(root, tmp_path):
    with open(tmp_path / "errors", "w+", encoding="utf-8") as errors:
        run = start(*OURS, "--loads", "connect", "--rounds", "1000", errors=errors)

        def said():
            return (tmp_path / "errors").read_text(encoding="utf-8")
        try:
            wait_until(lambda: "connect 1/1000 portcullis: " in said(), 120, "the first round")
            run.send_signal(signal.SIGTERM)
            run.communicate(timeout=60)
        finally:
            run.kill()
            run.communicate()
    assert run.returncode == 143, said()
    assert_nothing_remains(said())


def test_what_is_not_there_is_named(root):
    done = subprocess.run(
        [sys.executable, BENCHMARKS / "run", "--quick", "--server", "other=/nonexistent"],
        capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0 and "/nonexistent is not built" in done.stderr


def test_no_processor_time_of_a_server_is_missed(root):
    """A tenth of a second each: a child that was waited for, its child, an orphan, the server."""
    program = textwrap.dedent("""
        import os, subprocess, sys, time
        sys.path[:0] = sys.argv[1:]
        from accounting import Tree, adopt_orphans
        WORK = '''
        import os, sys, time
        def work():
            end = time.process_time() + 0.1
            while time.process_time() < end:
                pass
        def child(then):
            pid = os.fork()
            if not pid:
                then()
                os._exit(0)
            return pid
        def middle():
            os.waitpid(child(work), 0)
            work()
        os.waitpid(child(middle), 0)
        # Its parent ends before it does, and before anybody waits for it.
        os.waitpid(child(lambda: child(work)), 0)
        work()
        print(flush=True)
        sys.stdin.read()
        '''
        adopt_orphans()
        bystander = subprocess.Popen(["sleep", "60"])
        tree = Tree({bystander.pid})
        server = subprocess.Popen([sys.executable, "-c", WORK], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE)
        tree.root = server.pid
        server.stdout.readline()
        tree.settle(1)
        print(tree.seconds(), tree.faults(), tree.uncounted())
        subprocess.run(["kill", str(server.pid)])
        server.wait()
        deaf = subprocess.Popen(["env", "--ignore-signal=CHLD", sys.executable, "-c",
                                 "print(flush=True); input()"],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        deaf.stdout.readline()
        print(tree.uncounted() == [deaf.pid])
        tree.kill()
        bystander.kill()
        bystander.wait()
    """)
    done = subprocess.run(
        [sys.executable, "-c", program, BENCHMARKS, ROOT / "Tests/Interop"],
        capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    counted, refused = done.stdout.splitlines()
    seconds, faults, unknown = counted.split(" ", 2)
    assert 0.38 <= float(seconds) < 0.38 + 1, "four times a tenth, and the start of an interpreter"
    assert int(faults) > 0
    assert unknown == "[]"
    assert refused == "True"
