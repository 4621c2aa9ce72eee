"""The curl command line."""

import subprocess

import pytest

VERSIONS = {
    "TLSv1.2": ["--tlsv1.2", "--tls-max", "1.2"],
    "TLSv1.3": ["--tlsv1.3"],
}
BOTH = pytest.mark.parametrize("version", VERSIONS)
CONTENT = bytes(range(256)) * 4000


class Curl:
    def __init__(self, gateway, account, version):
        gateway.secrets.append(account.password)
        self.base = f"ftp://{gateway.host}:{gateway.port}/"
        self.options = [
            "curl", "--silent", "--show-error", "--ssl-reqd", "--max-time", "40",
            "--cacert", str(gateway.certificate.chain), "--config", "-", *VERSIONS[version]]
        self.config = f'user = "{account.name}:{account.password}"\n'

    def run(self, *arguments, status=0):
        done = subprocess.run(
            [*self.options, *map(str, arguments)], input=self.config.encode(),
            capture_output=True, timeout=60)
        assert done.returncode == status, done.stderr.decode()
        return done.stdout

    def url(self, path=""):
        return self.base + path


@pytest.fixture(params=["NO", "YES"], ids=["reuse-optional", "reuse-required"])
def gateway(serve, request):
    """curl resumes the control connection's TLS session, so both policies must suit it."""
    return serve(require_ssl_reuse=request.param)


@BOTH
def test_files_travel_both_ways(gateway, account, version, tmp_path):
    source = tmp_path / "source"
    source.write_bytes(CONTENT)
    curl = Curl(gateway, account, version)
    curl.run("--upload-file", source, curl.url("data.bin"))
    assert (account.home / "data.bin").read_bytes() == CONTENT
    assert curl.run(curl.url("data.bin")) == CONTENT


@BOTH
def test_several_files_travel_over_one_control_connection(gateway, account, version, tmp_path):
    paths = []
    for number in range(8):
        path = tmp_path / f"f{number}"
        path.write_bytes(CONTENT[:number * 1000])
        paths.append(path)
    curl = Curl(gateway, account, version)
    curl.run("--upload-file", "{" + ",".join(map(str, paths)) + "}", curl.url())
    for path in paths:
        assert (account.home / path.name).read_bytes() == path.read_bytes()
    joined = b"".join(path.read_bytes() for path in paths)
    assert curl.run(curl.url("f[0-7]")) == joined


@BOTH
def test_transfers_resume_both_ways(gateway, account, version, tmp_path):
    curl = Curl(gateway, account, version)
    account.file("download", CONTENT)
    partial = tmp_path / "partial"
    partial.write_bytes(CONTENT[:400_000])
    curl.run("--continue-at", "-", "--output", partial, curl.url("download"))
    assert partial.read_bytes() == CONTENT

    source = tmp_path / "source"
    source.write_bytes(CONTENT)
    account.file("upload", CONTENT[:400_000])
    curl.run("--continue-at", "-", "--upload-file", source, curl.url("upload"))
    assert (account.home / "upload").read_bytes() == CONTENT


@BOTH
def test_directories_are_listed(gateway, account, version):
    account.file("one", b"1")
    account.directory("two")
    curl = Curl(gateway, account, version)
    lines = curl.run(curl.url()).decode().splitlines()
    assert sorted((line[0], line.split()[-1]) for line in lines) == [("-", "one"), ("d", "two")]
    assert sorted(curl.run("--list-only", curl.url()).decode().split()) == ["one", "two"]
    assert curl.run(curl.url("two/")) == b""


@BOTH
def test_the_older_passive_command_works(gateway, account, version):
    """Active mode is left to ftplib and lftp: curl 7.88 forgets TLS there (curl pull 10669)."""
    account.file("data.bin", CONTENT)
    curl = Curl(gateway, account, version)
    assert curl.run("--disable-epsv", curl.url("data.bin")) == CONTENT


def test_missing_directories_are_created_and_commands_quoted(gateway, account, tmp_path):
    source = tmp_path / "source"
    source.write_bytes(b"deep")
    curl = Curl(gateway, account, "TLSv1.3")
    curl.run("--ftp-create-dirs", "--upload-file", source, curl.url("a/b/c/file"),
             "--quote", "-SITE CHMOD 600 /a/b/c/file")
    deep = account.home / "a/b/c/file"
    assert deep.read_bytes() == b"deep"
    assert deep.stat().st_mode & 0o777 == 0o600


def test_failures_have_curls_own_status(gateway, account):
    curl = Curl(gateway, account, "TLSv1.3")
    curl.run(curl.url("nothing"), status=78)
    curl.config = f'user = "{account.name}:wrong"\n'
    curl.run(curl.url(), status=67)
