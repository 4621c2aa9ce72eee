"""`portcullis demo`: the printed password logs in, and the printed commands run as they stand."""

import ftplib
import io
import os
import re
import socket
import ssl
import subprocess

import pytest

from control import TIMEOUT
from gateway import BINARY, PAM, Daemon


class Demo(Daemon):
    def __init__(self, *arguments, cwd):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        super().__init__("demo", "--port", str(self.port), "--pam-conf-dir", str(PAM), *arguments,
                         cwd=cwd)
        self.wait_for_line(r"^listening on 127\.0\.0\.1:")
        self.password = self.wait_for_line(r"password: *(\S+)")[0].group(1)
        self.commands = {name: self.wait_for_line(rf"^\s*\$?\s*({name}\b.*)$")[0].group(1)
                         for name in ("python3", "curl", "lftp")}

    def login(self):
        ftp = ftplib.FTP_TLS(timeout=TIMEOUT)
        ftp.connect("127.0.0.1", self.port)
        ftp.login("demo", self.password)
        ftp.prot_p()
        return ftp


@pytest.fixture
def demo(tmp_path):
    started = []

    def start(*arguments):
        started.append(Demo(*arguments, cwd=tmp_path))
        return started[-1]

    yield start
    for daemon in started:
        daemon.stop()


def test_the_printed_password_logs_in_and_files_travel(demo):
    ftp = demo().login()
    ftp.storbinary("STOR hello.txt", io.BytesIO(b"hello"))
    received = bytearray()
    ftp.retrbinary("RETR hello.txt", received.extend)
    assert received == b"hello"
    assert "hello.txt" in ftp.nlst()
    ftp.quit()


def test_another_password_does_not_log_in(demo):
    daemon = demo()
    daemon.password = "wrong"
    with pytest.raises(ftplib.error_perm, match="^530"):
        daemon.login()


@pytest.mark.parametrize("name", ["python3", "curl", "lftp"])
def test_the_printed_command_runs(demo, tmp_path, name):
    daemon = demo()
    done = subprocess.run(
        ["bash", "-c", daemon.commands[name]], cwd=tmp_path, capture_output=True, text=True,
        timeout=60, stdin=subprocess.DEVNULL, env={**os.environ, "HOME": str(tmp_path)})
    assert done.returncode == 0, f"{daemon.commands[name]}\n{done.stderr}{done.stdout}"


def test_two_demos_have_two_passwords(demo):
    assert demo().password != demo().password


def test_a_given_certificate_is_shown_to_the_client(demo, certificate):
    daemon = demo("--certificate", str(certificate.chain), "--key", str(certificate.key))
    context = ssl.create_default_context(cafile=certificate.chain)
    ftp = ftplib.FTP_TLS(context=context, timeout=TIMEOUT)
    ftp.connect("127.0.0.1", daemon.port)
    ftp.login("demo", daemon.password)
    ftp.quit()


def test_the_directory_is_gone_afterwards(demo):
    daemon = demo()
    certificate, = re.findall(r"--cacert '?(/[^' ]+)", daemon.commands["curl"])
    directory = os.path.dirname(certificate)
    for name in os.listdir(directory):
        path = os.path.join(directory, name)
        if os.path.isfile(path) and b"PRIVATE KEY" in open(path, "rb").read():
            assert os.stat(path).st_mode & 0o077 == 0
    daemon.stop()
    assert not os.path.exists(directory)


def test_settings_apply(demo):
    daemon = demo("--set", "write_enable=NO")
    with pytest.raises(ftplib.error_perm, match="^550"):
        daemon.login().storbinary("STOR f", io.BytesIO(b"x"))


def test_the_server_outlives_the_reader_of_its_log():
    with subprocess.Popen([str(BINARY), "demo", "--port", "0"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as server:
        try:
            port = int(re.search(rb":(\d+)$", server.stdout.readline().rstrip()).group(1))
            server.stderr.close()
            for _ in range(3):
                with socket.create_connection(("127.0.0.1", port), 10) as client:
                    assert client.recv(4) == b"220 "
        finally:
            server.terminate()
            server.stdout.close()
        assert server.wait(20) == 0
