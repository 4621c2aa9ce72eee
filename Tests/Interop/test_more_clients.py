"""Clients that partners use besides ftplib, curl, lftp and Java: PHP, rclone, openssl by hand."""

import base64
import io
import os
import random
import re
import shutil
import subprocess

import pytest

from control import VERSIONS, wait_until
from gateway import ResumingFTP

BOTH = pytest.mark.parametrize("version", VERSIONS)
CONTENT = random.Random(5).randbytes(300_000)


@pytest.fixture(params=["NO", "YES"], ids=["reuse-optional", "reuse-required"])
def gateway(serve, request):
    return serve(require_ssl_reuse=request.param)


def need(name):
    if not shutil.which(name):
        pytest.fail(f"missing: {name}; run .ci/install-packages test")
    return name


def resumed(gateway):
    return gateway.log.count("proof=session")


# Python's ftplib with the class that the documentation gives.

@BOTH
def test_hundreds_of_transfers_run_in_one_session_of_the_resuming_ftplib(
        serve, account, version):
    gateway = serve(require_ssl_reuse="YES")
    ftp = gateway.ftp(account, version, ResumingFTP)
    for number in range(150):
        content = CONTENT[:number * 97]
        ftp.storbinary(f"STOR file{number % 5}", io.BytesIO(content))
        received = bytearray()
        ftp.retrbinary(f"RETR file{number % 5}", received.extend)
        assert received == content
    assert len(ftp.nlst()) == 5
    ftp.quit()
    wait_until(lambda: "] disconnected" in gateway.log, what="the last line")
    assert resumed(gateway) == 301


# PHP's ftp extension.

PHP = r"""
[$name, $password] = explode("\n", stream_get_contents(STDIN));
$ftp = ftp_ssl_connect($argv[1], (int) $argv[2], 20);
if (!$ftp || !ftp_login($ftp, $name, $password)) exit("no login");
ftp_pasv($ftp, true);
for ($i = 0; $i < 10; $i++) {
    $up = fopen("php://memory", "w+");
    fwrite($up, str_repeat(chr(65 + $i), $i * 30000));
    rewind($up);
    if (!ftp_fput($ftp, "php$i", $up, FTP_BINARY)) exit("no upload $i");
    $down = fopen("php://memory", "w+");
    if (!ftp_fget($ftp, $down, "php$i", FTP_BINARY)) exit("no download $i");
    rewind($down);
    if (stream_get_contents($down) !== str_repeat(chr(65 + $i), $i * 30000)) exit("differs $i");
    if (count(ftp_nlist($ftp, ".")) !== $i + 1) exit("no list $i");
}
ftp_close($ftp);
echo "complete";
"""


def test_php_transfers_files_again_and_again(gateway, account):
    gateway.secrets.append(account.password)
    done = subprocess.run(
        [need("php"), "-r", PHP, "--", gateway.host, str(gateway.port)],
        input=f"{account.name}\n{account.password}".encode(), capture_output=True, timeout=60)
    assert done.stdout == b"complete", done.stdout + done.stderr
    assert sorted(path.stat().st_size for path in account.home.iterdir()) == \
        [number * 30_000 for number in range(10)]
    assert resumed(gateway) == 30


# rclone: Go's TLS, one control connection.

@BOTH
def test_rclone_copies_a_directory_both_ways(gateway, account, tmp_path, version):
    gateway.secrets.append(account.password)
    obscured = subprocess.run([need("rclone"), "obscure", "-"], input=account.password, text=True,
                              capture_output=True, check=True, timeout=30).stdout.strip()
    environment = {
        **os.environ, "HOME": str(tmp_path), "RCLONE_CONFIG": "/nonexistent",
        "SSL_CERT_FILE": str(gateway.certificate.chain), "RCLONE_FTP_HOST": gateway.host,
        "RCLONE_FTP_PORT": str(gateway.port), "RCLONE_FTP_USER": account.name,
        "RCLONE_FTP_PASS": obscured, "RCLONE_FTP_EXPLICIT_TLS": "true",
        "RCLONE_FTP_DISABLE_TLS13": str(version == "TLSv1.2").lower(),
        "RCLONE_FTP_CONCURRENCY": "1", "RCLONE_TRANSFERS": "1", "RCLONE_CHECKERS": "1",
        "RCLONE_RETRIES": "1", "RCLONE_LOW_LEVEL_RETRIES": "2",
    }
    source = tmp_path / "source"
    (source / "deep").mkdir(parents=True)
    for number in range(6):
        (source / "deep" / f"file {number}").write_bytes(CONTENT[:number * 50_000])

    def rclone(*arguments):
        done = subprocess.run(["rclone", *arguments], env=environment, capture_output=True,
                              timeout=60)
        assert done.returncode == 0, done.stderr.decode()

    rclone("copy", str(source), ":ftp:tree")
    rclone("copy", ":ftp:tree", str(tmp_path / "back"))
    for number in range(6):
        assert (tmp_path / "back/deep" / f"file {number}").read_bytes() == \
            CONTENT[:number * 50_000]
    assert resumed(gateway) > 12


# openssl s_client by hand: the control connection's session, saved and used on the data port.

class SClient:
    """A control connection in openssl s_client, and data connections in others."""

    def __init__(self, gateway, version, session_file):
        self.gateway = gateway
        self.session_file = session_file
        self.version = "-" + version.lower().replace("v", "").replace(".", "_")
        self.process = subprocess.Popen(
            ["openssl", "s_client", "-starttls", "ftp", "-quiet", "-sess_out", session_file,
             *self.common(gateway.port)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def common(self, port):
        return [self.version, "-connect", f"{self.gateway.host}:{port}",
                "-CAfile", self.gateway.certificate.chain, "-verify_return_error"]

    def command(self, line, code):
        self.process.stdin.write(line.encode() + b"\r\n")
        self.process.stdin.flush()
        return self.reply(code)

    def reply(self, code):
        while line := self.process.stdout.readline().decode():
            if re.match(r"\d{3} ", line):
                assert line.startswith(str(code)), line
                return line
        raise AssertionError("the control connection ended")

    def retrieve(self, name, session=True):
        port = re.search(r"\|(\d+)\|", self.command("EPSV", 229)).group(1)
        resume = ["-sess_in", self.session_file] if session else []
        data = subprocess.Popen(
            ["openssl", "s_client", "-ign_eof", *resume, *self.common(port)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.command(f"RETR {name}", 150)
        out, _ = data.communicate(timeout=20)
        return out

    def close(self):
        # With -quiet it would not end with its input.
        self.process.kill()
        self.process.communicate()


@BOTH
def test_openssl_by_hand_resumes_from_a_saved_session(serve, account, tmp_path, version):
    need("openssl")
    gateway = serve(require_ssl_reuse="YES")
    gateway.secrets.append(account.password)
    text = base64.b64encode(CONTENT[:3000])
    account.file("f", text)
    client = SClient(gateway, version, tmp_path / "session.pem")
    gateway.clients.append(client)
    client.command(f"USER {account.name}", 331)
    client.command(f"PASS {account.password}", 230)
    client.command("PBSZ 0", 200)
    client.command("PROT P", 200)
    for _ in range(3):
        out = client.retrieve("f")
        client.reply(226)
        assert b"\nReused, " in out and text in out
    out = client.retrieve("f", session=False)
    client.reply(522)
    assert b"\nNew, " in out and text not in out
