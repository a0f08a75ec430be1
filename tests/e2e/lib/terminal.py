"""A terminal for tests: runs a program in a pseudo-terminal and keeps the screen that a person
would see.

Usage: terminal.py COLUMNS ROWS COMMAND [ARGUMENT...]

A line of JSON on standard input is one order: {"type": "keys"}, {"resize": [columns, rows]},
{"signal": "TERM"} or {"look": true}; each is answered with a line that says what there is to see
(see look()). Ends when its input does; the program ends with it.
"""

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import unicodedata

SEQUENCE = re.compile(r"\x1b\[([?]?)([0-9;]*)([A-Za-z])")


def width_of(char):
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


class Screen:
    """What a VT100 and its heirs do with the few sequences that we use."""

    def __init__(self, columns, rows):
        self.modes = {"25": True, "7": True, "1049": False}
        self.unknown = []  # sequences that are none of ours
        self.cleared = 0  # how often all of it was
        self.styles = set()
        self.resize(columns, rows)

    def resize(self, columns, rows):
        self.columns, self.rows = columns, rows
        self.row = self.column = 0
        self.cells = [[" "] * columns for _ in range(rows)]

    def put(self, char):
        width = width_of(char)
        if width == 0:
            return
        if self.column + width > self.columns:
            if not self.modes["7"]:
                return
            self.line_feed()
            self.column = 0
        self.cells[self.row][self.column] = char
        if width == 2:
            self.cells[self.row][self.column + 1] = ""
        self.column += width

    def line_feed(self):
        if self.row + 1 < self.rows:
            self.row += 1
        else:
            self.cells = self.cells[1:] + [[" "] * self.columns]

    def control(self, is_private, numbers, letter):
        values = [int(number or 0) for number in numbers.split(";")]
        if is_private and letter in "hl" and numbers in self.modes:
            self.modes[numbers] = letter == "h"
        elif letter == "H":
            self.row = min(max((values + [0])[0], 1), self.rows) - 1
            self.column = min(max((values + [0, 0])[1], 1), self.columns) - 1
        elif letter == "J" and numbers == "2":
            self.cells = [[" "] * self.columns for _ in range(self.rows)]
            self.cleared += 1
        elif letter == "K" and numbers == "":
            self.cells[self.row][self.column :] = [" "] * (self.columns - self.column)
        elif letter == "m":
            self.styles.update(values)
        else:
            self.unknown.append(is_private + numbers + letter)

    def feed(self, text):
        """What could not be read yet, as it is not whole."""
        at = 0
        while at < len(text):
            char = text[at]
            match = SEQUENCE.match(text, at)
            if match:
                self.control(*match.groups())
                at = match.end()
                continue
            if char == "\x1b" and len(text) - at < 16:
                return text[at:]
            if char == "\r":
                self.column = 0
            elif char == "\n":
                self.line_feed()
            elif ord(char) < 32 or 127 <= ord(char) < 160:
                self.unknown.append(repr(char))
            else:
                self.put(char)
            at += 1
        return ""

    def lines(self):
        return ["".join(row).rstrip() for row in self.cells]


class Program:
    def __init__(self, columns, rows, command):
        self.screen = Screen(columns, rows)
        self.master, self.slave = pty.openpty()
        self.set_size(columns, rows)
        self.before = self.modes()
        self.status = None  # the exit status, or minus the signal
        self.is_stopped = False
        self.bytes = b""
        self.text = ""
        self.bytes_count = 0
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
            for number in range(3):
                os.dup2(self.slave, number)
            os.closerange(3, 256)
            os.execvp(command[0], command)

    def modes(self):
        """Of the terminal, and of the file that the program shares with whoever started it."""
        return termios.tcgetattr(self.slave), fcntl.fcntl(self.slave, fcntl.F_GETFL)

    def set_size(self, columns, rows):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def wait(self):
        if self.status is not None:
            return
        pid, status = os.waitpid(self.pid, os.WNOHANG | os.WUNTRACED | os.WCONTINUED)
        if pid == 0:
            return
        self.is_stopped = os.WIFSTOPPED(status)
        if os.WIFEXITED(status) or os.WIFSIGNALED(status):
            self.status = os.waitstatus_to_exitcode(status)

    def read(self):
        """Takes what the program has written, as long as there is something."""
        while select.select([self.master], [], [], 0)[0]:
            data = os.read(self.master, 65536)
            self.bytes_count += len(data)
            self.bytes += data
        end = len(self.bytes)
        while end > 0 and len(self.bytes) - end < 4 and not self.is_whole(end):
            end -= 1
        text, self.bytes = self.bytes[:end], self.bytes[end:]
        self.text = self.screen.feed(self.text + text.decode("utf-8", errors="replace"))

    def is_whole(self, end):
        try:
            self.bytes[max(0, end - 4) : end].decode("utf-8")
        except UnicodeDecodeError as error:
            return error.reason != "unexpected end of data"
        return True

    def look(self):
        self.read()
        self.wait()
        modes = self.screen.modes
        return {
            "lines": self.screen.lines(),
            "isSecond": modes["1049"],
            "hasCursor": modes["25"],
            "isWrapping": modes["7"],
            "isAsBefore": self.modes() == self.before,
            "status": self.status,
            "isStopped": self.is_stopped,
            "unknown": self.screen.unknown,
            "cleared": self.screen.cleared,
            "styles": sorted(self.screen.styles),
            "bytes": self.bytes_count,
        }

    def obey(self, order):
        if "type" in order:
            os.write(self.master, order["type"].encode())
        if "resize" in order:
            self.screen.resize(*order["resize"])
            self.set_size(*order["resize"])
        if "signal" in order and self.status is None:
            os.kill(self.pid, getattr(signal, f"SIG{order['signal']}"))
        return self.look()


def main():
    program = Program(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
    orders = b""
    try:
        while True:
            ready, _, _ = select.select([0, program.master], [], [])
            if program.master in ready:
                program.read()
            if 0 not in ready:
                continue
            data = os.read(0, 65536)
            if not data:
                return
            *lines, orders = (orders + data).split(b"\n")
            for line in lines:
                print(json.dumps(program.obey(json.loads(line))), flush=True)
    finally:
        if program.status is None:
            os.kill(program.pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
