"""Messages from HTTP: `POST /send` to the core's submission socket."""

import contextlib
import email
import email.message
import email.policy
import email.utils
import hmac
import json
import smtplib
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# Requests at once; more are answered 503.
MAX_REQUESTS = 32
# Octets of a request's body; held in memory.
MAX_BODY = 10 << 20
# Octets of a body that are read although it is refused.
MAX_DRAIN = 64 << 10
# Recipients of one message.
MAX_RECIPIENTS = 100
# Seconds without a word from the client, and from the core: it answers after a
# sync of its disk.
CLIENT_TIMEOUT = 30
CORE_TIMEOUT = 60
# Accepting looks so often, in seconds, whether it is to stop: while an update is
# under way all mail waits for the slowest connector.
LOOK_EVERY = 0.1


class Refused(Exception):
    """An answer other than 202."""

    def __init__(self, status, text):
        super().__init__(text)
        self.status = status
        self.text = text


class UnixSmtp(smtplib.SMTP):
    """SMTP over a Unix socket."""

    def __init__(self, path, name):
        super().__init__(local_hostname=name, timeout=CORE_TIMEOUT)
        self.path = path

    def _get_socket(self, host, port, timeout):
        stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            stream.settimeout(timeout)
            stream.connect(self.path)
        except OSError:
            stream.close()
            raise
        return stream


def from_json(octets):
    """Sender, recipients and message from JSON."""
    try:
        wish = json.loads(octets)
    except ValueError as error:
        raise Refused(400, f"the body is not JSON: {error}") from error
    known = {"from", "to", "subject", "text"}
    if not isinstance(wish, dict) or set(wish) - known:
        raise Refused(422, "the body is an object with from, to, subject and text")
    to = wish.get("to")
    to = [to] if isinstance(to, str) else to
    texts = [wish.get("from"), wish.get("subject", ""), wish.get("text", "")]
    if not isinstance(to, list) or not all(isinstance(t, str) for t in to + texts):
        raise Refused(422, "from, subject and text are texts; to is one, or a list of them")
    message = email.message.EmailMessage(policy=email.policy.SMTP)
    try:
        message["From"], message["To"] = wish["from"], ", ".join(to)
        message["Subject"] = texts[1]
        message["Date"] = email.utils.formatdate()
        message["Message-ID"] = email.utils.make_msgid()
        message.set_content(texts[2])
        octets = message.as_bytes()
    except (ValueError, UnicodeError, IndexError) as error:
        raise Refused(422, f"that makes no message: {error}") from error
    return address(texts[0]), [address(one) for one in to], octets


def from_rfc822(octets):
    """Sender and recipients are the message's own: From, To and Cc."""
    message = email.message_from_bytes(octets, policy=email.policy.compat32)
    names = ("to", "cc")
    fields = [str(value) for name in names for value in message.get_all(name, [])]
    to = [found for _, found in email.utils.getaddresses(fields) if found]
    senders = [found for _, found in email.utils.getaddresses([str(message.get("from", ""))])]
    if len(senders) != 1:
        raise Refused(422, "the message has no From, or several")
    body = b"\r\n".join(octets.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n"))
    return address(senders[0]), [address(one) for one in to], body


def address(text):
    """The bare address; nothing that could be more than one."""
    _, found = email.utils.parseaddr(text)
    if "@" not in found or any(c in "<>\r\n \0" for c in found):
        raise Refused(422, "'" + text[:80] + "' is not an address")
    return found


def submit(path, name, client, sender, recipients, octets):
    """Hands a message to the core, whole or not at all; gives back its words."""
    recipients = list(dict.fromkeys(recipients))
    if not 1 <= len(recipients) <= MAX_RECIPIENTS:
        raise Refused(422, f"a message has 1 to {MAX_RECIPIENTS} recipients")
    client = f"IPv6:{client}" if ":" in client else client
    trace = (f"Received: from [{client}] by {name} with HTTP;\r\n"
             f"\t{email.utils.formatdate()}\r\n")
    octets = trace.encode("ascii") + octets
    core = UnixSmtp(path, name)
    try:
        check(core.connect("localhost", 25))
        check(core.ehlo())
        if core.has_extn("xforward"):
            check(core.docmd("XFORWARD", f"ADDR={client} PROTO=HTTP"))
        options = [f"SIZE={len(octets)}", "BODY=8BITMIME"]
        if not all(text.isascii() for text in [sender, *recipients]):
            options.append("SMTPUTF8")
        check(core.mail(sender, options))
        for recipient in recipients:
            check(core.rcpt(recipient))
        return check(core.data(octets))
    except smtplib.SMTPDataError as error:
        check((error.smtp_code, error.smtp_error))
        raise Refused(503, "the core did not take the message") from error
    except (OSError, smtplib.SMTPException) as error:
        raise Refused(503, f"the core is not available: {error}") from error
    finally:
        # Whatever becomes of the goodbye, the answer stands.
        with contextlib.suppress(OSError, smtplib.SMTPException):
            core.quit()
        core.close()


def check(reply):
    """The words of a good reply; the refusal that a bad one is."""
    code, text = reply
    text = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    if 200 <= code < 400:
        return text
    raise Refused(422 if code >= 500 else 503, f"{code} {text}")


class Handler(BaseHTTPRequestHandler):
    """One connection. `server` is a [`Server`]."""

    timeout = CLIENT_TIMEOUT
    server_version = "concord-webhook"
    sys_version = ""

    def do_POST(self):  # pylint: disable=invalid-name
        self.unread = True
        try:
            answer = (202, {"status": "accepted", "words": self._send()})
        except Refused as refused:
            self._drain()
            answer = (refused.status, {"status": "refused", "words": refused.text})
        except Exception:  # pylint: disable=broad-except
            self.server.log.exception("a request failed")
            answer = (500, {"status": "refused", "words": "this is a defect; see the log"})
        body = json.dumps(answer[1]).encode("ascii")
        self.close_connection = True
        self.send_response(answer[0])
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _send(self):
        if self.path != "/send":
            raise Refused(404, "there is /send only")
        self._check_token()
        octets = self._read()
        kind = self.headers.get_content_type()
        if kind == "application/json":
            parts = from_json(octets)
        elif kind == "message/rfc822":
            parts = from_rfc822(octets)
        else:
            raise Refused(415, "send application/json or message/rfc822")
        client = self.client_address[0]
        return submit(self.server.submit_socket, self.server.name, client, *parts)

    def _check_token(self):
        token = self.server.settings().send_token
        if not token:
            raise Refused(403, "nothing is taken in: the setting send-token is not set")
        given = self.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode("utf-8"), f"Bearer {token}".encode("utf-8")):
            raise Refused(401, "the bearer token is not the right one")

    def _drain(self):
        """Reads a small body that nobody wanted: closing over it would take the
        answer away from the client."""
        length = self.headers.get("Content-Length", "")
        if self.unread and length.isascii() and length.isdigit() and int(length) <= MAX_DRAIN:
            with contextlib.suppress(OSError):
                self.rfile.read(int(length))

    def _read(self):
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()) or "Transfer-Encoding" in self.headers:
            raise Refused(411, "give the length of the body")
        if int(length) > MAX_BODY:
            raise Refused(413, f"a body has at most {MAX_BODY} octets")
        self.unread = False
        octets = self.rfile.read(int(length))
        if len(octets) != int(length):
            raise Refused(400, "the body is shorter than its length")
        return octets

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        self.server.log.info("%s %s", self.client_address[0], format % args)


class Server(ThreadingHTTPServer):
    """Serves on an inherited socket; `stop` waits for requests that run."""

    daemon_threads = True

    def __init__(self, listener, name, submit_socket, settings, log):
        super().__init__(("", 0), Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.name = name
        self.submit_socket = submit_socket
        self.settings = settings
        self.log = log
        self.room = threading.BoundedSemaphore(MAX_REQUESTS)
        self.thread = threading.Thread(
            target=self.serve_forever, args=(LOOK_EVERY,), name="http", daemon=True)

    def start(self):
        self.thread.start()

    def is_alive(self):
        return self.thread.is_alive()

    def process_request(self, request, client_address):
        if not self.room.acquire(blocking=False):
            request.settimeout(1)
            request.sendall(b"HTTP/1.0 503 Busy\r\nConnection: close\r\n\r\n")
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request, client_address):
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.room.release()

    def handle_error(self, request, client_address):
        # A client that goes away is no fault of ours; defects are logged above.
        self.log.info("%s went away", client_address[0])

    def stop(self, seconds):
        """True if everything was finished in time."""
        self.shutdown()
        self.socket.close()
        waiter = threading.Event()
        for _ in range(int(seconds * 10)):
            free = [self.room.acquire(blocking=False) for _ in range(MAX_REQUESTS)]
            for _ in range(sum(free)):
                self.room.release()
            if all(free):
                return True
            waiter.wait(0.1)
        return False
