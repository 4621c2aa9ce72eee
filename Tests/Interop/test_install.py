"""`make install`: what goes where, what is left alone, and what the pages and completions say."""

import json
import os
import re
import shutil
import subprocess

import pytest

from gateway import BINARY, ROOT

PAGES = ROOT / "Packaging/man/make-pages"
CONFIGURATION = {"etc/portcullis.conf": "Packaging/portcullis.conf",
                 "etc/pam.d/portcullis": "pam.d/portcullis",
                 "etc/logrotate.d/portcullis": "Packaging/logrotate/portcullis"}


def make(target, destination, **variables):
    """With the program that was built, whatever else there is in PATH."""
    settings = {"PREBUILT": "1", "DESTDIR": destination, "BINARY": BINARY, **variables}
    done = subprocess.run(
        ["make", "--no-print-directory", "-C", str(ROOT), target,
         *[f"{name}={value}" for name, value in settings.items()]],
        capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def files(directory):
    return {str(path.relative_to(directory)) for path in directory.rglob("*") if not path.is_dir()}


@pytest.fixture
def installed(tmp_path):
    place = tmp_path / "root"
    made = tmp_path / "made"
    make("install", place, PREFIX="/opt/ftps", MADE=made)
    return place


def test_everything_has_its_place(installed):
    assert files(installed) == {
        "opt/ftps/bin/portcullis", "opt/ftps/share/man/man1/portcullis.1",
        "opt/ftps/share/man/man5/portcullis.conf.5",
        "opt/ftps/share/bash-completion/completions/portcullis",
        "opt/ftps/share/zsh/site-functions/_portcullis",
        "opt/ftps/share/fish/vendor_completions.d/portcullis.fish",
        "opt/ftps/lib/systemd/system/portcullis.service",
        "opt/ftps/lib/systemd/system/portcullis.socket",
        "opt/ftps/lib/systemd/system/portcullis-implicit.socket",
        "opt/ftps/lib/sysusers.d/portcullis.conf",
        "opt/ftps/share/doc/portcullis/README.md", "opt/ftps/share/doc/portcullis/SECURITY.md",
        "opt/ftps/share/doc/portcullis/examples/portcullis.conf",
        "opt/ftps/share/doc/portcullis/examples/fail2ban/filter.d/portcullis.conf",
        "opt/ftps/share/doc/portcullis/examples/fail2ban/jail.d/portcullis.conf",
        "opt/ftps/share/doc/portcullis/examples/grafana/portcullis.json", *CONFIGURATION}
    unit = (installed / "opt/ftps/lib/systemd/system/portcullis.service").read_text()
    assert "ExecStart=/opt/ftps/bin/portcullis serve --config /etc/portcullis.conf" in unit
    program = installed / "opt/ftps/bin/portcullis"
    assert os.access(program, os.X_OK)
    done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=30)
    version = re.search(r"\((.*?)\)", (ROOT / "Packaging/debian/changelog").read_text())[1]
    assert done.stdout.strip() == version


def test_what_an_administrator_changed_is_never_replaced_or_removed(installed, tmp_path):
    changed = installed / "etc/portcullis.conf"
    changed.write_text("listen=YES\n")
    make("install", installed, PREFIX="/opt/ftps", MADE=tmp_path / "made")
    assert changed.read_text() == "listen=YES\n"
    said = make("uninstall", installed, PREFIX="/opt/ftps")
    assert str(changed) in said
    assert files(installed) == {"etc/portcullis.conf"}


def test_nothing_is_left_when_nothing_was_changed(installed):
    make("uninstall", installed, PREFIX="/opt/ftps")
    assert files(installed) == set()


def test_the_example_is_a_configuration(installed, certificate, tmp_path):
    text = (installed / "etc/portcullis.conf").read_text()
    text = re.sub("^rsa_cert_file=.*$", f"rsa_cert_file={certificate.chain}", text, flags=re.M)
    text = re.sub("^rsa_private_key_file=.*$", f"rsa_private_key_file={certificate.key}", text,
                  flags=re.M)
    config = tmp_path / "portcullis.conf"
    config.write_text(text.replace("nopriv_user=portcullis", "nopriv_user=nobody")
                      + f"pam_conf_dir={installed}/etc/pam.d\n")
    done = subprocess.run([BINARY, "check-config", config], capture_output=True, text=True,
                          timeout=30)
    assert done.returncode == 0, done.stdout
    assert all(line.endswith(": honoured") for line in done.stdout.splitlines()
               if line.startswith(str(config)))


# The manual.

@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    directory = tmp_path_factory.mktemp("pages")
    subprocess.run([PAGES, BINARY, directory], check=True, timeout=60)
    return directory


@pytest.mark.parametrize("name", ["portcullis.1", "portcullis.conf.5"])
def test_the_pages_render_without_a_warning(pages, name):
    page = pages / name
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", page], capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 0 and done.stdout == "", done.stdout
    environment = {**os.environ, "MANROFFSEQ": "", "MANWIDTH": "80", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(["man", "--warnings=w", "-E", "UTF-8", "-l", "-Tutf8", "-Z", page],
                          capture_output=True, text=True, timeout=60, env=environment)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    # They would have found something.
    broken = pages / f"broken.{name}"
    broken.write_text(page.read_text().replace(".Sh NAME", ".Sh NAME\n.Nonsense", 1))
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", broken], capture_output=True,
                          text=True, timeout=60)
    assert done.returncode != 0


def rendered(page):
    text = subprocess.run(["mandoc", "-T", "utf8", "-O", "width=200", page], check=True,
                          capture_output=True, text=True, timeout=60).stdout
    return re.sub(".\b", "", text)


def test_every_option_stands_in_the_page(pages):
    text = rendered(pages / "portcullis.conf.5")
    told = subprocess.run([BINARY, "options", "--json"], capture_output=True, text=True, timeout=30)
    options = [json.loads(line) for line in told.stdout.splitlines()]
    assert len(options) > 180
    for option in options:
        for name in option["names"]:
            found = re.search(rf"^ +{name} \((.*)\)", text, re.MULTILINE)
            assert found, name
            if option["default"] is not None:
                assert found[1].endswith(f"default {option['default']}"), name


def test_every_command_and_flag_stands_in_the_page(pages):
    text = rendered(pages / "portcullis.1")
    dumped = subprocess.run([BINARY, "--experimental-dump-help"], capture_output=True, text=True,
                            timeout=30)
    commands = json.loads(dumped.stdout)["command"]["subcommands"]
    assert len(commands) > 4
    for command in commands:
        if command["commandName"] == "help":
            continue
        assert re.search(rf"^ +{command['commandName']}( |$)", text, re.MULTILINE)
        for argument in command["arguments"]:
            if argument["kind"] != "positional" and argument["valueName"] != "help":
                assert f"--{argument['preferredName']['name']}" in text


# Completions.

@pytest.mark.parametrize("shell, check", [("bash", ["bash", "-n"]), ("zsh", ["zsh", "-n"]),
                                          ("fish", ["fish", "--no-execute"])])
def test_completions_are_read_by_their_shell(shell, check, tmp_path):
    file = tmp_path / f"portcullis.{shell}"
    file.write_text(subprocess.run([BINARY, "--generate-completion-script", shell], check=True,
                                   capture_output=True, text=True, timeout=30).stdout)
    done = subprocess.run([*check, file], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0 and done.stderr == ""


def test_bash_completes_commands_and_flags(installed):
    script = installed / "opt/ftps/share/bash-completion/completions/portcullis"
    for line, expected in (("portcullis ch", "check-config"), ("portcullis serve --co", "--config")):
        words = line.split()
        done = subprocess.run(
            ["bash", "-c", 'source "$1"; shift; COMP_LINE="$*"; COMP_WORDS=("$@"); '
             'COMP_CWORD=$(($# - 1)); COMP_POINT=${#COMP_LINE}; COMP_TYPE=9; COMP_KEY=9; '
             '_portcullis "$1" "${@: -1}" "${@: -2:1}"; printf "%s\n" "${COMPREPLY[@]}"',
             "bash", str(script), *words], capture_output=True, text=True, timeout=30)
        assert expected in [one.strip() for one in done.stdout.splitlines()], done.stderr


def test_fish_completes_commands(installed):
    if not shutil.which("fish"):
        pytest.skip("no fish")
    script = installed / "opt/ftps/share/fish/vendor_completions.d/portcullis.fish"
    done = subprocess.run(["fish", "--no-config", "-c", f"source {script}; complete -C 'portcullis ch'"],
                          capture_output=True, text=True, timeout=30)
    assert "check-config" in done.stdout, done.stderr
