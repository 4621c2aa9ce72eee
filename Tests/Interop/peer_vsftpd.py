"""Debian's vsftpd, run beside ours to compare what both write."""

import contextlib
import socket
import subprocess

from control import wait_until


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def vsftpd(directory, **options):
    """The port of a vsftpd in clear, for one block."""
    empty = directory / "empty"
    empty.mkdir()
    port = free_port()
    settings = {
        "listen": "YES", "listen_port": port, "listen_address": "127.0.0.1", "ssl_enable": "NO",
        "local_enable": "YES", "write_enable": "YES", "anonymous_enable": "NO",
        "pam_service_name": "other", "chroot_local_user": "YES", "allow_writeable_chroot": "YES",
        "secure_chroot_dir": empty, "use_localtime": "YES", "utf8_filesystem": "YES",
        "seccomp_sandbox": "NO", "isolate": "NO", "isolate_network": "NO",
        "delay_failed_login": 0, "background": "NO", **options,
    }
    file = directory / "vsftpd.conf"
    file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    file.chmod(0o600)
    with subprocess.Popen(["/usr/sbin/vsftpd", file]) as process:
        try:
            wait_until(lambda: accepts(port), 10, "vsftpd")
            yield port
        finally:
            process.terminate()


def accepts(port):
    """Whether it listens; the attempt shows up in its log."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 5):
        return True
    return False
