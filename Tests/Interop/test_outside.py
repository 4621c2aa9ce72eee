"""Somebody else's package, which depends on this one by its path."""

import re
import shutil
import subprocess

import pytest

from embedding import Example, combined
from gateway import ROOT

# Nothing may have been built yet.
pytestmark = pytest.mark.timeout(1800)

TUTORIAL = ROOT / "Sources/Portcullis/Portcullis.docc/FirstServer.md"


def code(marker):
    """The block of the tutorial that holds a text."""
    blocks = re.findall(r"```swift\n(.*?)```", TUTORIAL.read_text(), re.S)
    return next(block for block in blocks if marker in block)


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """Builds the tutorial's package as it stands there; what was built stays for the next run."""
    if not shutil.which("swift"):
        pytest.skip("needs swift")
    package = tmp_path_factory.mktemp("outside")
    manifest = code("PackageDescription").replace('"../portcullis"', f'"{ROOT}"')
    assert str(ROOT) in manifest
    (package / "Package.swift").write_text(manifest)
    source = package / "Sources/MyServer/MyServer.swift"
    source.parent.mkdir(parents=True)
    source.write_text(code("@main"))
    scratch = ROOT / ".build/outside"
    built = subprocess.run(
        ["swift", "build", "--package-path", package, "--scratch-path", scratch],
        capture_output=True, text=True, timeout=1800)
    assert built.returncode == 0, built.stdout[-4000:] + built.stderr[-4000:]
    return scratch / "debug/MyServer"


def test_the_tutorial_ends_with_a_server(program, certificate, account, tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"content")
    # Its port is a free one.
    server = Example(program, certificate, combined(certificate, tmp_path), port=account.home)
    try:
        subprocess.run(
            ["curl", "--silent", "--show-error", "--ssl-reqd", "--cacert", certificate.chain,
             "--user", "user:12345", "--upload-file", file,
             f"ftp://127.0.0.1:{server.port}/"], check=True, timeout=60)
        server.wait_for("user has stored /file")
    finally:
        server.stop()
    assert (account.home / "file").read_bytes() == b"content"
