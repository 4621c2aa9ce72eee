"""What each process of the daemon has given up, as /proc shows it."""

import pathlib
import secrets

import proc
from control import wait_until

UNPRIVILEGED = ["ftps-signer", "ftps-session", "ftps-resolver", "ftps-auditor", "ftps-clerk",
                "ftps-metrics", "ftps-agent"]
PRIVILEGED = ["ftps-listener", "ftps-warden"]

# SETUID, SETGID, KILL, SETPCAP, SYS_RESOURCE, SYS_NICE, DAC_OVERRIDE, CHOWN, FOWNER, FSETID,
# SYS_CHROOT, NET_BIND_SERVICE, AUDIT_WRITE, AUDIT_CONTROL
KEPT = sum(1 << number for number in (7, 6, 5, 8, 24, 23, 1, 0, 3, 4, 18, 10, 29, 30))


def roles(gateway):
    """Process by name, of a daemon that has `every_role` and one session that is logged in."""
    def find():
        found = {proc.name(pid): pid for pid in [gateway.pid, *proc.tree(gateway.pid)]}
        return found if set(found) == set(UNPRIVILEGED + PRIVILEGED) else None
    return wait_until(find, what="every process of a session")


def every_role(directory):
    """Options by which a daemon has every role that there is."""
    trail = pathlib.Path(directory) / f"trail-{secrets.token_hex(4)}"
    return {"pasv_address": "localhost", "pasv_addr_resolve": "YES", "audit_log_file": trail,
            "admin_socket": f"{trail}.socket", "metrics_address": "0"}


def capabilities(pid="self"):
    return int(proc.status(pid)["CapPrm"], 16)


def limits(pid):
    with open(f"/proc/{pid}/limits", encoding="ascii") as file:
        return {line[:26].strip(): line[26:].split()[:2] for line in file.readlines()[1:]}


def environment(pid):
    with open(f"/proc/{pid}/environ", "rb") as file:
        return file.read().strip(b"\0")
