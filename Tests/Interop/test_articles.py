"""The articles of the documentation say what they promise to say, name by name."""

import json
import os
import re
import shutil
import subprocess

import pytest

from gateway import ROOT

ARTICLES = ROOT / "Sources/Portcullis/Portcullis.docc"
CHECK = ROOT / ".ci/documented"


def test_every_name_of_pyftpdlib_is_in_its_article():
    handlers = pytest.importorskip("pyftpdlib.handlers")
    servers = pytest.importorskip("pyftpdlib.servers")
    authorizers = pytest.importorskip("pyftpdlib.authorizers")
    filesystems = pytest.importorskip("pyftpdlib.filesystems")
    types = [
        servers.FTPServer, servers.ThreadedFTPServer, handlers.FTPHandler, handlers.TLS_FTPHandler,
        handlers.DTPHandler, handlers.ThrottledDTPHandler, handlers.TLS_DTPHandler,
        handlers.PassiveDTP, handlers.ActiveDTP, handlers.FileProducer,
        handlers.BufferedIteratorProducer, authorizers.DummyAuthorizer, authorizers.UnixAuthorizer,
        filesystems.AbstractedFS]
    article = (ARTICLES / "ComingFromPyftpdlib.md").read_text(encoding="utf-8")
    written = set(re.findall(r"\w+", article))
    names = {name for kind in types for base in kind.__mro__
             if base.__module__.startswith("pyftpdlib") and not base.__module__.endswith("ioloop")
             for name in vars(base)}
    # One for each command: what takes their place is told once.
    public = {name for name in names if not name.startswith(("_", "ftp_"))}
    assert len(public) > 150
    assert sorted(public - written) == []


def test_every_option_of_vsftpd_in_its_article_is_one():
    table = (ARTICLES / "VsftpdOptions.md").read_text(encoding="utf-8")
    known = set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE))
    assert len(known) > 130
    article = (ARTICLES / "ComingFromVsftpd.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.*?) \|", article, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert len(named) > 40
    assert sorted(named - known) == []


def graph(path, *symbols):
    path.mkdir()
    (path / "Some.symbols.json").write_text(json.dumps({"symbols": [
        {"pathComponents": [name], "location": {}, **more} for name, more in symbols]}))
    return path


def test_a_public_symbol_without_a_word_is_found(tmp_path):
    said = ("Said", {"docComment": {"lines": []}})
    assert subprocess.run([CHECK, graph(tmp_path / "whole", said)], check=False).returncode == 0
    found = subprocess.run([CHECK, graph(tmp_path / "silent", said, ("Silent", {}))], check=False,
                           capture_output=True, text=True)
    assert (found.returncode, found.stderr) == (1, "Silent is public and has no documentation\n")


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("link", "is_fine"), [("<doc:Page>", True), ("<doc:Nowhere>", False)])
def test_a_broken_link_fails_the_documentation(tmp_path, link, is_fine):
    if not shutil.which("docc"):
        pytest.skip("needs docc, which comes with Swift")
    script = (ROOT / ".ci/docs").read_text(encoding="utf-8")
    command = re.search(r"^docc convert .*?(?=^echo)", script, re.MULTILINE | re.DOTALL)[0]
    catalog = tmp_path / "Portcullis.docc"
    catalog.mkdir()
    (catalog / "Portcullis.md").write_text(
        f"# Portcullis\n\n@Metadata {{\n    @TechnologyRoot\n}}\n\nOverview.\n\n## Overview\n\n{link}\n")
    (catalog / "Page.md").write_text("# Page\n\nText.\n")
    graphs = tmp_path / "graphs"
    graphs.mkdir()
    done = subprocess.run(
        ["bash", "-c", command.replace("Sources/Portcullis/Portcullis.docc", str(catalog))],
        check=False, capture_output=True, text=True,
        env=os.environ | {"own": str(graphs), "output": str(tmp_path / "out")})
    assert (done.returncode == 0) == is_fine, done.stdout
    assert is_fine or "Nowhere" in done.stdout + done.stderr
