"""Has a running process make a system call, as whoever had taken it over would.

By ptrace(2), as root: the process is stopped in the call that it waits in, makes another one with the
same instruction, and goes on waiting.
"""

import ctypes
import errno
import os
import pathlib
import platform
import re
import signal
import socket
import struct
import threading

import pytest

import proc
from control import wait_until

SOURCES = pathlib.Path(__file__).resolve().parents[2] / "Sources/CLinux"
LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.ptrace.restype = ctypes.c_long
LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
GETREGS, SETREGS, SINGLESTEP, DETACH, SEIZE, INTERRUPT = 12, 13, 9, 17, 0x4206, 0x4207
CONTINUE, TO_CALL, GET_EVENT = 7, 24, 0x4201
# Calls stop with a mark of their own, and so do children that are forked.
MARK_CALLS, FOLLOW_FORKS = 1, 2 | 4 | 8
CALL_MARK, ANY_CHILD = 0x80, 0x40000000

# user_regs_struct of x86_64: where what stands, of 27 words.
REGISTERS = struct.Struct("=27Q")
R10, R9, R8, RAX, RDX, RSI, RDI, ORIG_RAX, RIP, RSP = 7, 8, 9, 10, 12, 13, 14, 15, 16, 19
ARGUMENTS = (RDI, RSI, RDX, R10, R8, R9)
WAITING = ("poll", "ppoll", "recvmsg", "clock_nanosleep", "wait4", "restart_syscall")
MINUS_ONE = (1 << 64) - 1
KILLED = "killed"
PIDFD_GETFD = 438

is_possible = platform.machine() == "x86_64"
needs_injection = pytest.mark.skipif(
    not is_possible, reason="the registers of x86_64 are all that it knows")


def system_calls():
    """Name to number, on x86_64 and on aarch64."""
    text = (SOURCES / "system_calls.h").read_text(encoding="utf-8")
    return {name: (int(first), int(second)) for name, first, second in
            re.findall(r"^CALL\((\w+), (-?\d+), (-?\d+)\)$", text, re.MULTILINE)}


class Inside:
    """A process that is stopped, to be used in a `with` statement."""

    def __init__(self, pid):
        self.pid = pid
        self.calls = system_calls()

    def __enter__(self):
        # A process that has only just been forked is not the one that is meant yet.
        wait_until(self._waits, what="a process that waits for something to do")
        self._ptrace(SEIZE)
        self._ptrace(INTERRUPT)
        assert self._wait(), "it ended while it was stopped"
        self.before = self._registers()
        with open(f"/proc/{self.pid}/mem", "rb") as memory:
            memory.seek(self.before[RIP] - 2)
            assert memory.read(2) == b"\x0f\x05", "it was not in a system call"
        return self

    def __exit__(self, *_):
        if self.pid:
            self._set_registers(self.before)
            self._ptrace(DETACH)

    def _waits(self):
        with open(f"/proc/{self.pid}/syscall", encoding="ascii") as file:
            return file.read().split()[0] in {str(self.calls[name][0]) for name in WAITING}

    def call(self, name, *arguments):
        """The result, the name of the errno value, or KILLED."""
        registers = list(self.before)
        place = (self.before[RSP] - 8192) & ~63
        for register, argument in zip(ARGUMENTS, arguments):
            if isinstance(argument, bytes):
                with open(f"/proc/{self.pid}/mem", "r+b", buffering=0) as memory:
                    memory.seek(place)
                    memory.write(argument + b"\0")
                argument, place = place, place + (len(argument) + 64 & ~63)
            registers[register] = argument & MINUS_ONE
        registers[RAX], registers[ORIG_RAX] = self.calls[name][0], MINUS_ONE
        registers[RIP] -= 2
        self._set_registers(registers)
        self._ptrace(SINGLESTEP)
        if not self._wait():
            return KILLED
        result = self._registers()[RAX]
        if result > MINUS_ONE - 4096:
            return errno.errorcode[MINUS_ONE - result + 1]
        return result

    def _wait(self):
        """Waits for a stop; False when a forbidden call has ended the process."""
        _, status = os.waitpid(self.pid, 0)
        if os.WIFSTOPPED(status):
            return True
        assert os.WTERMSIG(status) == signal.SIGSYS, status
        self.pid = None
        return False

    def _registers(self):
        buffer = ctypes.create_string_buffer(REGISTERS.size)
        self._ptrace(GETREGS, ctypes.addressof(buffer))
        return REGISTERS.unpack(buffer.raw)

    def _set_registers(self, registers):
        buffer = ctypes.create_string_buffer(REGISTERS.pack(*registers), REGISTERS.size)
        self._ptrace(SETREGS, ctypes.addressof(buffer))

    def _ptrace(self, request, data=0):
        if LIBC.ptrace(request, self.pid, 0, data) < 0:
            number = ctypes.get_errno()
            raise OSError(number, f"ptrace: {os.strerror(number)}")


class NextChild(Inside):
    """The next process that another one forks, stopped before it makes its first call of a name."""

    def __init__(self, parent, call, trigger):
        """`trigger` brings the fork about; it runs in a thread and may wait for what comes of it."""
        super().__init__(parent)
        self.call_number = self.calls[call][0]
        self.thread = threading.Thread(target=trigger, daemon=True)

    def __enter__(self):
        self._ptrace(SEIZE, MARK_CALLS | FOLLOW_FORKS)
        self.thread.start()
        while True:
            _, status = os.waitpid(self.pid, ANY_CHILD)
            assert os.WIFSTOPPED(status), "it ended"
            if status >> 16:
                break
            self._ptrace(CONTINUE, os.WSTOPSIG(status))
        child = ctypes.c_ulong()
        self._ptrace(GET_EVENT, ctypes.addressof(child))
        self._ptrace(DETACH)
        self.pid = child.value
        os.waitpid(self.pid, ANY_CHILD)
        while True:
            self._go_to_call()
            self.before = self._registers()
            if self.before[ORIG_RAX] == self.call_number:
                break
        # A call that every filter knows, in place of the one that is put off.
        registers = list(self.before)
        registers[ORIG_RAX] = self.calls["getpid"][0]
        self._set_registers(registers)
        self._go_to_call()
        return self

    def __exit__(self, *_):
        if self.pid:
            registers = list(self.before)
            registers[RIP] -= 2
            registers[RAX], registers[ORIG_RAX] = self.call_number, MINUS_ONE
            self.before = registers
        super().__exit__()
        self.thread.join(20)

    def _go_to_call(self):
        """Up to the beginning or the end of the next call."""
        number = 0
        while True:
            self._ptrace(TO_CALL, number)
            _, status = os.waitpid(self.pid, ANY_CHILD)
            assert os.WIFSTOPPED(status), "it ended"
            if os.WSTOPSIG(status) == signal.SIGTRAP | CALL_MARK:
                return
            number = 0 if status >> 16 else os.WSTOPSIG(status)


def inside(pid, name, *arguments):
    """What comes of one system call."""
    with Inside(pid) as process:
        return process.call(name, *arguments)


def copies_of_sockets(pid):
    """Copies of every socket that a process holds: their other ends hear nothing of its end."""
    process = os.pidfd_open(pid)
    copies = []
    for number, target in proc.descriptors(pid).items():
        if target.startswith("socket:"):
            copy = LIBC.syscall(PIDFD_GETFD, process, number, 0)
            assert copy >= 0, os.strerror(ctypes.get_errno())
            copies.append(copy)
    os.close(process)
    return copies


def taken(pid, number):
    """A copy of a socket that another process has (pidfd_getfd(2))."""
    process = os.pidfd_open(pid)
    copy = LIBC.syscall(PIDFD_GETFD, process, number, 0)
    os.close(process)
    if copy < 0:
        raise OSError(ctypes.get_errno(), "pidfd_getfd")
    return socket.socket(fileno=copy)


def channel_to_warden(session):
    """The descriptor over which a Session without TLS asks its Warden, before the login."""
    internet = {f"socket:[{inode}]" for inode in proc.internet_sockets()}
    channel, = [number for number, target in proc.descriptors(session).items()
                if target.startswith("socket:") and target not in internet]
    return channel
