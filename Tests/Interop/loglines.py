"""Takes the lines of the log apart, as strictly as they are written."""

import re
from typing import NamedTuple

QUOTED = r'"(?:[^"\\]|\\.)*"'
HEAD = re.compile(r"\S+ [a-z]+ portcullis: ?")
FIELD = re.compile(rf'([a-z]+)=({QUOTED}|[^\s"=\\]+) ')
# The last field is the only one that may be several words, and those are ours.
REASON = re.compile(r'(why)=([^"=\\\[\]]+) (?=\[)')
TAIL = re.compile(r"\[(\w+)\] (.*)")


class Line(NamedTuple):
    fields: dict
    message: str

    @property
    def own_words(self):
        """The message without what stands between quotes."""
        return re.sub(QUOTED, "", self.message)


def unquoted(text):
    if not text.startswith('"'):
        return text
    whole = re.sub(rb"\\(?:x([0-9A-F]{2})|(.))",
                   lambda found: bytes.fromhex(found[1].decode()) if found[1] else found[2],
                   text[1:-1].encode())
    return whole.decode("utf-8", "surrogateescape")


def parse(text):
    head = HEAD.match(text)
    assert head, text
    place, fields = head.end(), {}
    while found := REASON.match(text, place) or FIELD.match(text, place):
        name, value = found.groups()
        assert name not in fields, text
        fields[name] = unquoted(value)
        place = found.end()
    tail = TAIL.fullmatch(text, place)
    assert tail, text
    return Line(fields, tail[2])
