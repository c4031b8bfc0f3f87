"""An LMTP server (RFC 2033) on an inherited Unix socket, a thread a session.

It knows nothing of what becomes of a message: `deliver(sender, recipients, raw)`
answers each recipient with an LMTP reply, given as a list of lines.
"""

import re
import socket
import threading

# The core keeps at most so many sessions by default; more wait in the backlog.
MAX_SESSIONS = 128
# Each recipient is a request of its own, one after the other: 16 at the longest
# time-out of 45 seconds stay within the 14 minutes that the core waits.
MAX_RECIPIENTS = 16
# RFC 5321 section 4.5.3.1.4 has 512; DSN parameters may double it.
MAX_COMMAND = 2048
# Octets of a message; it is held in memory, and once more as base 64.
MAX_MESSAGE = 32 << 20
# A line of a message is read in pieces of at most so many octets.
PIECE = 64 << 10
# An idle session is closed after so many seconds; the core opens another one.
IDLE = 300
# The core drops a peer that keeps misspeaking; so do we.
MAX_ERRORS = 20
# Accepting looks so often, in seconds, whether it is to stop: while an update is
# under way all mail waits for the slowest connector.
LOOK_EVERY = 0.1

PATH = re.compile(r"^(?:FROM|TO):\s*<([^<>\r\n]*)>((?: +\S+)*)$", re.IGNORECASE)


class Closed(Exception):
    """The session is over."""


class Server:
    """Accepts sessions until `stop`; then lets transactions that run finish."""

    def __init__(self, listener, name, deliver, log):
        self.listener = listener
        self.name = name
        self.deliver = deliver
        self.log = log
        self.sessions = set()
        self.lock = threading.Lock()
        self.stopping = False
        self.room = threading.BoundedSemaphore(MAX_SESSIONS)
        self.thread = threading.Thread(target=self._accept, name="lmtp", daemon=True)

    def start(self):
        self.listener.settimeout(LOOK_EVERY)
        self.thread.start()

    def is_alive(self):
        return self.thread.is_alive()

    def _accept(self):
        while not self.stopping:
            if not self.room.acquire(timeout=LOOK_EVERY):
                continue
            try:
                stream, _ = self.listener.accept()
            except OSError as error:
                self.room.release()
                if not isinstance(error, TimeoutError):
                    self.log.warning("cannot accept a session of the core: %s", error)
                    threading.Event().wait(0.1)
                continue
            session = Session(self, stream)
            with self.lock:
                self.sessions.add(session)
            session.thread.start()

    def ended(self, session):
        with self.lock:
            self.sessions.discard(session)
        self.room.release()

    def stop(self, seconds):
        """True if everything was finished in time."""
        self.stopping = True
        with self.lock:
            sessions = list(self.sessions)
        for session in sessions:
            session.end_when_idle()
        self.thread.join(2)
        self.listener.close()
        waiter = threading.Event()
        for _ in range(int(seconds * 10)):
            with self.lock:
                if not self.sessions:
                    return True
            waiter.wait(0.1)
        return False


class Session:
    def __init__(self, server, stream):
        self.server = server
        self.stream = stream
        self.thread = threading.Thread(target=self._run, name="lmtp-session", daemon=True)
        self.lock = threading.Lock()
        self.in_transaction = False
        self.errors = 0
        self.greeted = False
        self._reset()

    def end_when_idle(self):
        """Between transactions nobody is harmed; within one it goes on to its end."""
        with self.lock:
            if not self.in_transaction:
                try:
                    self.stream.shutdown(socket.SHUT_RD)
                except OSError:
                    pass

    def _run(self):
        try:
            self.stream.settimeout(IDLE)
            with self.stream, self.stream.makefile("rb") as self.input:
                self._say([f"220 {self.server.name} LMTP ready"])
                while True:
                    self._command()
        except (Closed, OSError):
            pass
        except Exception:  # pylint: disable=broad-except
            self.server.log.exception("a session failed")
        finally:
            self.server.ended(self)

    def _reset(self):
        self.sender = None
        self.recipients = []
        self.message = None
        with self.lock:
            self.in_transaction = False

    def _say(self, lines):
        text = "".join(line + "\r\n" for line in lines)
        self.stream.sendall(text.encode("utf-8", "replace"))

    def _refuse(self, line):
        self.errors += 1
        self._say([line])
        if self.errors > MAX_ERRORS:
            raise Closed

    def _command(self):
        if self.server.stopping and self.sender is None:
            self._say(["421 4.3.2 the connector is being restarted"])
            raise Closed
        line = self.input.readline(MAX_COMMAND + 1)
        if not line:
            raise Closed
        if not line.endswith(b"\r\n"):
            self._say(["500 5.5.6 the line is too long, or does not end in CRLF"])
            raise Closed
        try:
            verb, _, rest = line[:-2].decode("utf-8").partition(" ")
        except UnicodeDecodeError:
            return self._refuse("500 5.5.2 that is not UTF-8")
        handler = getattr(self, "_do_" + verb.lower(), None) if verb.isalpha() else None
        if handler is None:
            return self._refuse("500 5.5.2 no such command")
        return handler(rest.strip())

    def _do_lhlo(self, _name):
        self._reset()
        self.greeted = True
        words = [self.server.name, "PIPELINING", "ENHANCEDSTATUSCODES", "8BITMIME", "SMTPUTF8",
                 "CHUNKING", "DSN", f"SIZE {MAX_MESSAGE}"]
        self._say([f"250-{word}" for word in words[:-1]] + [f"250 {words[-1]}"])

    def _do_mail(self, rest):
        found = PATH.match(rest)
        if not self.greeted or self.sender is not None:
            return self._refuse("503 5.5.1 not now")
        if not found or not rest.upper().startswith("FROM:"):
            return self._refuse("501 5.5.4 write MAIL FROM:<address>")
        for parameter in found.group(2).split():
            key, _, value = parameter.partition("=")
            if key.upper() == "SIZE" and value.isdigit() and int(value) > MAX_MESSAGE:
                return self._say(["552 5.3.4 the message is too large"])
        with self.lock:
            # `stop` passes a transaction by only if it began before.
            self.in_transaction = not self.server.stopping
        if not self.in_transaction:
            self._say(["421 4.3.2 the connector is being restarted"])
            raise Closed
        self.sender = found.group(1)
        return self._say(["250 2.1.0 ok"])

    def _do_rcpt(self, rest):
        found = PATH.match(rest)
        if self.sender is None or self.message is not None:
            return self._refuse("503 5.5.1 not now")
        if not found or not rest.upper().startswith("TO:") or not found.group(1):
            return self._refuse("501 5.5.4 write RCPT TO:<address>")
        if len(self.recipients) >= MAX_RECIPIENTS:
            return self._say(["452 4.5.3 too many recipients at once"])
        self.recipients.append(found.group(1))
        return self._say(["250 2.1.5 ok"])

    def _do_data(self, _rest):
        if not self.recipients or self.message is not None:
            return self._refuse("503 5.5.1 no recipients")
        self._say(["354 go on"])
        pieces, octets, at_start = [], 0, True
        while True:
            piece = self.input.readline(PIECE)
            if not piece:
                raise Closed
            if at_start and piece == b".\r\n":
                break
            if at_start and piece.startswith(b"."):
                piece = piece[1:]
            at_start = piece.endswith(b"\r\n")
            octets += len(piece)
            if octets <= MAX_MESSAGE:
                pieces.append(piece)
        return self._finish(b"".join(pieces), octets > MAX_MESSAGE)

    def _do_bdat(self, rest):
        size, _, last = rest.partition(" ")
        if not size.isdigit() or last.upper() not in ("", "LAST"):
            # How much follows is not known, so nothing can follow.
            self._say(["501 5.5.4 write BDAT size [LAST]"])
            raise Closed
        message = self.message if self.message is not None else bytearray()
        left = int(size)
        while left:
            piece = self.input.read(min(left, PIECE))
            if not piece:
                raise Closed
            left -= len(piece)
            if len(message) <= MAX_MESSAGE:
                message += piece
        if not self.recipients:
            return self._refuse("503 5.5.1 no recipients")
        self.message = message
        if last:
            return self._finish(bytes(message), len(message) > MAX_MESSAGE)
        return self._say([f"250 2.0.0 {size} octets"])

    def _finish(self, raw, too_large):
        if too_large:
            replies = [["552 5.3.4 the message is too large"]] * len(self.recipients)
        else:
            replies = self.server.deliver(self.sender, list(self.recipients), raw)
        self._reset()
        self._say([line for reply in replies for line in reply])

    def _do_rset(self, _rest):
        self._reset()
        self._say(["250 2.0.0 ok"])

    def _do_noop(self, _rest):
        self._say(["250 2.0.0 ok"])

    def _do_vrfy(self, _rest):
        self._say(["252 2.1.5 send a message and see"])

    def _do_quit(self, _rest):
        self._say(["221 2.0.0 bye"])
        raise Closed
