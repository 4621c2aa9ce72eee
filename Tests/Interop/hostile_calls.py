"""What somebody who has taken a process of the daemon over would try, and what comes of it."""

import fcntl
import os
import signal
import socket
import struct

AT_FDCWD = -100
MSG_FASTOPEN = 0x20000000
IPPROTO_MPTCP, NETLINK_SOCK_DIAG = 262, 4
PROT_EXEC = 4

# A call and its arguments. VICTIM stands for a process of the test's own, SCRATCH for an address that
# cannot be used.
VICTIM, SCRATCH = "victim", 1
FILES = {
    "open": ("openat", AT_FDCWD, b"/etc/passwd", os.O_RDONLY),
    "open_another_way": ("openat2", AT_FDCWD, b"/etc/passwd", struct.pack("=3Q", 0, 0, 0), 24),
    "see_others": ("openat", AT_FDCWD, b"/proc/1/environ", os.O_RDONLY),
}
NETWORK = {
    "make_a_socket": ("socket", socket.AF_INET, socket.SOCK_STREAM, 0),
    "make_a_unix_socket": ("socket", socket.AF_UNIX, socket.SOCK_STREAM, 0),
    "make_a_packet_socket": ("socket", socket.AF_PACKET, socket.SOCK_RAW, 0),
    "connect": ("connect", -1, SCRATCH, 16),
    "bind": ("bind", -1, SCRATCH, 16),
    "listen": ("listen", -1, 1),
    "connect_by_sending": ("sendto", -1, SCRATCH, 1, MSG_FASTOPEN, SCRATCH, 16),
    "connect_by_sending_more": ("sendmmsg", -1, SCRATCH, 1, MSG_FASTOPEN),
    "make_a_socket_of_many_paths": ("socket", socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP),
    "look_at_sockets": ("socket", socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG),
    "write_headers": ("setsockopt", -1, socket.IPPROTO_IP, socket.IP_OPTIONS, SCRATCH, 8),
    "choose_a_device": ("setsockopt", -1, socket.SOL_SOCKET, socket.SO_BINDTODEVICE, SCRATCH, 4),
}
# What fcntl(2) does to others: signals, and telling of what they open.
OTHERS = {
    "own_a_descriptor": ("fcntl", 0, 8, VICTIM),
    "choose_its_signal": ("fcntl", 0, 10, signal.SIGKILL),
    "own_it_another_way": ("fcntl", 0, 15, SCRATCH),
}
LEASES = {
    "be_told_of_readers": ("fcntl", 0, fcntl.F_SETLEASE, fcntl.F_WRLCK),
    "be_told_of_changes": ("fcntl", 0, fcntl.F_NOTIFY, 1),
    "change_a_pipe": ("fcntl", 0, 1031, 4096),
    "seal_a_file": ("fcntl", 0, 1033, 1),
}
PROCESSES = {
    "start_a_program": ("execve", b"/bin/true", 0, 0),
    "start_a_program_another_way": ("execveat", AT_FDCWD, b"/bin/true", 0, 0, 0),
    "fork": ("clone", signal.SIGCHLD, 0, 0, 0, 0),
    "fork_another_way": ("clone3", SCRATCH, 88),
    "signal": ("kill", VICTIM, 0),
    "signal_another_way": ("tkill", VICTIM, 0),
    "signal_a_thread": ("tgkill", VICTIM, VICTIM, 0),
    "limit_others": ("prlimit64", VICTIM, 0, 0, 0),
    "slow_others": ("setpriority", 0, VICTIM, 19),
    "become_root": ("setuid", 0),
    "keep_a_file_in_memory": ("memfd_create", b"x", 1),
    "load_code": ("mmap", 0, 4096, PROT_EXEC | 1, 0x22, -1, 0),
}
# Each of these has to leave no trace, were it carried out after all.
KERNEL = {
    "trace": ("ptrace", 16, VICTIM, 0, 0),
    "read_memory": ("process_vm_readv", VICTIM, 0, 0, 0, 0, 0),
    "write_memory": ("process_vm_writev", VICTIM, 0, 0, 0, 0, 0),
    "take_a_descriptor": ("pidfd_getfd", -1, 0, 0),
    "open_by_handle": ("open_by_handle_at", AT_FDCWD, SCRATCH, 0),
    "load_a_program": ("bpf", 0, SCRATCH, 0),
    "watch_the_machine": ("perf_event_open", SCRATCH, 0, -1, -1, 0),
    "serve_page_faults": ("userfaultfd", -1),
    "load_a_module": ("init_module", SCRATCH, 0, SCRATCH),
    "load_a_kernel": ("kexec_load", 0, -1, SCRATCH, 0),
    "restart": ("reboot", 0, 0, 0, 0),
    "set_the_clock": ("clock_settime", -1, SCRATCH),
}
PRIVILEGE = {
    "mount": ("mount", 0, b"/nonexistent", 0, 0, 0),
    "mount_another_way": ("fsopen", b"tmpfs", -1),
    "unmount": ("umount2", b"/nonexistent", 0),
    "leave": ("setns", -1, 0),
    "separate": ("unshare", 0x10000000),
    "change_what_it_is": ("personality", 0xFFFFFFFF),
    "set_quotas": ("quotactl", -1, 0, 0, 0),
    "fork_into_a_namespace": ("clone", 0x10000000 | signal.SIGCHLD, 0, 0, 0, 0),
}
ABSENT = {
    "use_keys": ("keyctl", 0, -3, 0),
    "ask_for_keys": ("request_key", SCRATCH, SCRATCH, 0, 0),
    "add_keys": ("add_key", SCRATCH, SCRATCH, 0, 0, 0),
    "use_io_uring": ("io_uring_setup", 1, SCRATCH),
}
# Whoever gets the last descriptor of a connection may have to wait in close(2).
PASSING = {
    "hand_a_descriptor_over": ("sendmsg", -1, SCRATCH, 0),
    "have_close_wait": ("setsockopt", -1, socket.SOL_SOCKET, socket.SO_LINGER, SCRATCH, 8),
}
EVERYTHING = {**PASSING, **FILES, **NETWORK, **OTHERS, **LEASES, **PROCESSES, **KERNEL,
              **PRIVILEGE, **ABSENT}

# What is answered, because libraries try it in passing; everything else ends the process.
ANSWERED = {
    "ftps-session": {"open": "ENOSYS", "see_others": "ENOSYS"},
    "ftps-signer": {"open": "ENOSYS", "see_others": "ENOSYS"},
    "ftps-auditor": {"open": "ENOSYS", "see_others": "ENOSYS"},
    "ftps-clerk": {"open": "ENOSYS", "see_others": "ENOSYS"},
    "ftps-metrics": {"open": "ENOSYS", "see_others": "ENOSYS"},
    # Its root is the home, whatever it asks for.
    "ftps-agent": {
        "open": "ENOSYS", "see_others": "ENOSYS", "open_another_way": "ENOENT",
        "hand_a_descriptor_over": "EBADF",
    },
    "ftps-resolver": {
        "see_others": "EACCES", "make_a_packet_socket": "EAFNOSUPPORT",
        "make_a_unix_socket": "EAFNOSUPPORT", "connect": "EBADF",
        "make_a_socket_of_many_paths": "EPROTONOSUPPORT", "look_at_sockets": "EPROTONOSUPPORT",
        "write_headers": "ENOPROTOOPT", "choose_a_device": "ENOPROTOOPT",
        "bind": "EBADF", "limit_others": "ENOSYS", "fork": "ENOSYS",
        "fork_another_way": "ENOSYS", "keep_a_file_in_memory": "ENOSYS",
        "fork_into_a_namespace": "ENOSYS", "hand_a_descriptor_over": "EBADF",
    },
}
# What each is there for; tried in test_confinement.py.
ALLOWED = {"ftps-resolver": {"open", "make_a_socket", "load_code"}}


def attempt(process, what, victim):
    """What comes of it `Inside` a process: a result, the name of an errno value, or KILLED."""
    name, *arguments = EVERYTHING[what]
    return process.call(name, *[victim if one is VICTIM else one for one in arguments])
