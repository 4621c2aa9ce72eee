"""Reads the audit trail as its documentation describes it, apart from the code that writes it."""

import hashlib
import json
import re
import subprocess

from gateway import BINARY

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
TAIL = len(',"hash":"') + 64 + len('"}')


def records(*paths):
    """Every record of files that hang together from the first one on, each checked."""
    origin = {"seq": 0, "hash": "0" * 64}
    found = []
    for path in paths:
        found += chained(path, found[-1] if found else origin)
    return found


def chained(path, previous=None):
    """Every record of one file, each checked; `previous` is the one before, if that is known."""
    found = []
    for line in path.read_bytes().splitlines():
        record = json.loads(line, object_pairs_hook=unique)
        assert record["v"] == 1 and TIME.fullmatch(record["time"]), line
        assert record["hash"] == hashlib.sha256(line[:-TAIL]).hexdigest(), line
        if previous:
            assert (record["seq"], record["prev"]) == (previous["seq"] + 1, previous["hash"]), line
        found.append(record)
        previous = record
    return found


def unique(pairs):
    names = [name for name, _ in pairs]
    assert len(set(names)) == len(names), f"a name stands twice: {names}"
    return dict(pairs)


def of(found, *events):
    return [record for record in found if record["event"] in events]


def verify(*arguments):
    return subprocess.run([str(BINARY), "audit", "verify", *map(str, arguments)],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)


def judge(*paths):
    """What `portcullis audit verify` says: whether all is intact, and what it found."""
    result = verify("--json", *paths)
    answer = json.loads(result.stdout)
    assert result.returncode == (0 if answer["intact"] else 1), result
    return answer
