"""A PAM service that lets everybody in and writes down which sessions were opened and closed."""

import collections

from control import wait_until

SERVICE = """auth required pam_permit.so
account required pam_permit.so
session required pam_exec.so quiet {script}
"""


class Witness:
    def __init__(self, directory):
        self.directory = directory
        self.book = directory / "book"
        self.book.touch()
        script = directory / "witness"
        # One write(2) with O_APPEND for each line, so that no two of them mix.
        script.write_text(
            f'#!/bin/sh\necho "$PAM_TYPE $PAM_USER $PAM_RHOST $PAM_TTY" >>{self.book}\n')
        script.chmod(0o755)
        (directory / "portcullis").write_text(SERVICE.format(script=script))

    def lines(self):
        return self.book.read_text().splitlines()

    def forget(self):
        """Begins with an empty book."""
        self.book.write_text("")

    def open(self):
        """How many sessions have been opened and not closed.

        One may be closed twice, where somebody was killed who had not yet told that it was.
        """
        counts = collections.Counter()
        for line in self.lines():
            what, user, *_ = line.split()
            counts[user] += {"open_session": 1, "close_session": -1}[what]
        return sum(max(0, count) for count in counts.values())

    def expect(self, count):
        wait_until(lambda: self.open() == count, what=f"{count} open PAM sessions")
