"""`portcullis who` and its kin, as an administrator types them."""

import json
import subprocess

from gateway import BINARY


def ask(socket, *words, user=None):
    """What a command says; as `user`, an account without root's rights."""
    command = [str(BINARY), *map(str, words), "--socket", str(socket)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=30,
        **({"user": user.uid, "group": user.gid, "extra_groups": user.groups} if user else {}))


def answer(socket, *words):
    """What a command prints that has to succeed."""
    done = ask(socket, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def sessions(socket):
    return [json.loads(line) for line in answer(socket, "who", "--json").splitlines()]


def status(socket):
    return json.loads(answer(socket, "status", "--json"))
