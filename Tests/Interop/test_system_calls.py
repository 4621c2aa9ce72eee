"""The numbers of system calls, and the C sources, on both architectures that the server runs on."""

import pathlib
import platform
import re
import shutil
import subprocess

import pytest

from gateway import ROOT
from injection import system_calls

ARM = pathlib.Path("/usr/aarch64-linux-gnu/include")
# The compiler's own headers stay; those of the system are another machine's.
CROSS = ["--target=aarch64-linux-gnu", "--sysroot=/nonexistent", "-isystem", str(ARM)]
TARGETS = {"x86_64": ["--target=x86_64-linux-gnu"], "aarch64": CROSS}
HERE = platform.machine()


@pytest.fixture(params=TARGETS)
def target(request):
    """The arguments for clang, and the column of the table."""
    arguments = [] if request.param == HERE else TARGETS[request.param]
    if request.param == "aarch64" and HERE != "aarch64":
        assert ARM.is_dir(), "missing: run .ci/install-packages test"
    elif request.param != HERE:
        pytest.skip("there are no headers of x86_64 here")
    return arguments, list(TARGETS).index(request.param)


def clang(*arguments, text=None):
    done = subprocess.run([shutil.which("clang"), *map(str, arguments)], input=text, text=True,
                          capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_table_agrees_with_the_headers(target):
    arguments, column = target
    text = clang(*arguments, "-dM", "-E", "-", text="#include <asm/unistd.h>\n")
    macros = dict(re.findall(r"^#define (__NR\w+) (\S+)$", text, re.MULTILINE))
    found = {}
    for name, value in macros.items():
        while value in macros:
            value = macros[value]
        if name.startswith("__NR_") and value.isdigit():
            found[name[5:]] = int(value)
    assert len(found) > 250
    table = {name: numbers[column] for name, numbers in system_calls().items()}
    wrong = {name: (number, found.get(name)) for name, number in table.items()
             if number != found.get(name, -1 if number < 451 else number)}
    assert not wrong


@pytest.mark.parametrize("source", sorted((ROOT / "Sources/CLinux").glob("*.c")),
                         ids=lambda path: path.name)
def test_the_sources_compile(target, source):
    arguments, _ = target
    clang(*arguments, "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Wconversion", "-Werror",
          "-fsyntax-only", "-I", ROOT / "Sources/CLinux/include", source)


def test_a_filter_names_only_calls_that_exist():
    """A name without a number on either architecture ends the daemon at its start."""
    table = system_calls()
    text = "".join(path.read_text() for path in sorted(
        (ROOT / "Sources/Isolation/Confinement").glob("SystemCallFilter+*.swift")))
    lists = re.findall(r'words\(\s*"(?:"")?(.*?)"', text, re.DOTALL)
    names = {name for one in lists for name in one.split()}
    assert len(names) > 200
    assert names <= set(table)
    # What aarch64 has another call for.
    for name in sorted(names):
        assert max(table[name]) >= 0, name
