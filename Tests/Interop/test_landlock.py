"""Kernels whose Landlock is missing or old: what does not hold is told, and everything else works."""

import ctypes
import re
import shlex
import struct
import subprocess

import pytest

import gateway as daemon
import injection
from confining import UNPRIVILEGED, every_role, roles
from control import wait_until
from hostile_calls import FILES
from injection import inside

LANDLOCK_CREATE_RULESET = 444

# What a kernel of each version of the interface lacks, and how much it is told of the rules.
ALL = "truncating files, TCP and signals"
OLDER = {1: (ALL, 8), 2: (ALL, 8), 3: ("TCP and signals", 8), 4: ("signals", 16), 5: ("signals", 16)}


def refuse_landlock():
    """Has the kernel say that it has no Landlock, to this process and its children."""
    refuse_call(LANDLOCK_CREATE_RULESET)


def refuse_call(number):
    """Has the kernel say that it has no such system call, to this process and its children."""
    def step(code, jump_true, jump_false, value):
        return struct.pack("=HBBI", code, jump_true, jump_false, value)

    program = b"".join([
        step(0x20, 0, 0, 0),
        step(0x15, 0, 1, number),
        step(0x06, 0, 0, 0x00050000 | 38),
        step(0x06, 0, 0, 0x7FFF0000),
    ])
    steps = ctypes.create_string_buffer(program, len(program))
    header = ctypes.create_string_buffer(
        struct.pack("=H6xQ", len(program) // 8, ctypes.addressof(steps)), 16)
    libc = ctypes.CDLL(None, use_errno=True)
    for arguments in ((38, 1, 0, 0, 0), (22, 2, ctypes.addressof(header), 0, 0)):
        if libc.prctl(*[ctypes.c_ulong(one) for one in arguments]):
            raise OSError(ctypes.get_errno(), "prctl")


def works(gateway, account):
    """A session that stores and reads a file."""
    session = gateway.session(account)
    session.store("STOR f", b"content")
    assert session.retrieve("RETR f") == b"content"
    return session


def test_a_kernel_without_landlock_is_named_in_the_log(place, monkeypatch, serve, account):
    class Popen(subprocess.Popen):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, preexec_fn=refuse_landlock, **options)

    monkeypatch.setattr(daemon.subprocess, "Popen", Popen)
    gateway = serve(**every_role(place))
    monkeypatch.undo()
    wait_until(lambda: "this kernel has no Landlock" in gateway.log, what="the warning")
    works(gateway, account)
    if injection.is_possible:
        # The other walls stand.
        assert inside(roles(gateway)["ftps-agent"], *FILES["open"]) == "ENOSYS"


@pytest.mark.parametrize("version", OLDER)
def test_what_an_older_landlock_lacks_is_named_in_the_log_and_the_rest_holds(
        place, monkeypatch, serve, account, tmp_path, version):
    """Each process that asks for the version is told an older one; its rules are the kernel's."""
    lack, size = OLDER[version]
    report = tmp_path / "calls"
    starter = tmp_path / "starter"
    call = "landlock_create_ruleset"
    starter.write_text(
        f"#!/bin/sh\nexec strace -DDD -ff -qq -o {shlex.quote(str(report))} -e trace={call}"
        f' -e inject={call}:retval={version}:when=1 {daemon.BINARY} "$@"\n')
    starter.chmod(0o755)
    monkeypatch.setattr(daemon, "BINARY", starter)
    gateway = serve(**every_role(place))
    monkeypatch.undo()
    wait_until(lambda: f"this kernel's Landlock does not hold against {lack}\n" in gateway.log,
               what="the warning")
    works(gateway, account)
    for name, pid in roles(gateway).items():
        if name in UNPRIVILEGED:
            text = (tmp_path / f"calls.{pid}").read_text()
            # Asked for the version, and then made.
            assert re.findall(rf"{call}\({{.*}}, (\d+), 0\) += \d+$", text, re.MULTILINE) == [
                str(size)], (name, text)


def test_a_kernel_with_landlock_is_worth_no_line(gateway):
    assert "Landlock" not in gateway.log
