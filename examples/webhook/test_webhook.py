"""Tests of the webhook connector; run them by `python3 -m unittest`."""

import base64
import http.client
import json
import logging
import os
import signal
import smtplib
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace

sys.dont_write_bytecode = True

import hook  # noqa: E402
import lmtp  # noqa: E402
import send  # noqa: E402
import webhook  # noqa: E402

LOG = logging.getLogger("test")
HERE = os.path.dirname(os.path.abspath(__file__))


class Endpoint:
    """An HTTP server that answers as it is told, and keeps what it got."""

    def __init__(self):
        outer = self
        self.got, self.status = [], 200

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):  # pylint: disable=invalid-name
                octets = self.rfile.read(int(self.headers["Content-Length"]))
                outer.got.append((self.path, dict(self.headers), json.loads(octets)))
                status = outer.status(outer.got[-1]) if callable(outer.status) else outer.status
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):  # pylint: disable=arguments-differ
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/in?x=1"

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Core:
    """The submission socket of a core that answers as it is told."""

    def __init__(self, path):
        self.answers, self.lines, self.messages = {}, [], []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                stream, _ = self.listener.accept()
            except OSError:
                return
            with stream, stream.makefile("rwb") as file:
                self._session(file)

    def _session(self, file):
        def say(text):
            file.write(text.encode() + b"\r\n")
            file.flush()

        say("220 core")
        while line := file.readline():
            line = line.decode().rstrip()
            self.lines.append(line)
            verb = line.split(" ")[0].upper()
            if verb == "EHLO":
                say("250-core\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-XFORWARD ADDR PROTO\r\n250 SIZE 0")
            elif verb == "DATA":
                say("354 go on")
                message = b""
                while (piece := file.readline()) != b".\r\n":
                    message += piece
                self.messages.append(message)
                say(self.answers.get("END", "250 2.0.0 queued as Q0000001"))
            else:
                say(next((a for k, a in self.answers.items() if line.startswith(k)), "250 2.0.0 ok"))
            if verb == "QUIT":
                return

    def close(self):
        self.listener.close()


def settings(url, **more):
    values = {"url": url, "url-token": "u-token", "send-token": "s-token", "timeout": 5}
    return webhook.Settings.read({**values, **more})


class SettingsAreChecked(unittest.TestCase):
    def test_good_ones(self):
        read = webhook.Settings.read({"url": "https://x.example:8443/a", "send-token": 12345})
        self.assertEqual((read.send_token, read.timeout, read.url_token), ("12345", 20, ""))

    def test_bad_ones(self):
        for bad in (
            {}, {"url": 1}, {"url": "ftp://x/"}, {"url": "http:///x"}, {"url": "http://x:99999/"},
            {"url": "http://x/\r\nA: b"}, {"url": "http://x/", "timeout": 0},
            {"url": "http://x/", "timeout": True}, {"url": "http://x/", "send-token": "a b"},
            {"url": "http://x/", "url-token": ["a"]},
        ):
            with self.subTest(bad), self.assertRaises(webhook.Misconfigured):
                webhook.Settings.read(bad)


class ToTheEndpoint(unittest.TestCase):
    RAW = (b"From: Jane <jane@example.test>\r\nSubject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\r\n"
           b"Content-Type: text/plain; charset=utf-8\r\n\r\nhello \xc3\xa4\r\n")

    def setUp(self):
        self.endpoint = Endpoint()
        self.addCleanup(self.endpoint.close)

    def post(self, to="IMCEAHOOK-orders_new+20x@mail.test", **more):
        return hook.post(settings(self.endpoint.url, **more), "jane@example.test", to, self.RAW)

    def test_a_message_is_posted_whole(self):
        reply = self.post()
        self.assertEqual(reply[1], "250 2.0.0 HTTP 200 OK")
        self.assertEqual(reply[0], "250-2.0.0 remote-mta: dns; 127.0.0.1; no-dsn")
        path, headers, body = self.endpoint.got[0]
        self.assertEqual((path, headers["Authorization"]), ("/in?x=1", "Bearer u-token"))
        self.assertEqual(base64.b64decode(body["raw"]), self.RAW)
        self.assertEqual(body["text"], "hello ä\n")
        self.assertIn(["Subject", "grüße"], body["headers"])
        self.assertEqual(body["envelope"]["address"], "HOOK:orders/new x")
        self.assertEqual(body["envelope"]["from"], "jane@example.test")

    def test_the_key_is_the_same_for_a_second_try_only(self):
        for to in ("a@x.test", "a@x.test", "b@x.test"):
            self.post(to)
        keys = [headers["Idempotency-Key"] for _, headers, _ in self.endpoint.got]
        self.assertEqual(keys[0], keys[1])
        self.assertNotEqual(keys[0], keys[2])

    def test_answers_are_told_apart(self):
        for status, code in ((202, "250"), (302, "451"), (400, "550"), (404, "550"),
                             (429, "451"), (500, "451"), (503, "451")):
            self.endpoint.status = status
            with self.subTest(status):
                lines = self.post()
                self.assertTrue(all(line.startswith(code) for line in lines), lines)

    def test_who_is_away_or_slow_is_tried_again(self):
        gone = hook.post(settings("http://127.0.0.1:1/"), "a@x.test", "b@x.test", b"x")
        self.assertTrue(gone[0].startswith("451 4.4.1 cannot reach 127.0.0.1"), gone)
        self.endpoint.status = lambda _: time.sleep(3) or 200
        began = time.monotonic()
        slow = self.post(timeout=1)
        self.assertTrue(slow[0].startswith("451 4.4.1"), slow)
        self.assertLess(time.monotonic() - began, 2.5)

    def test_mail_may_be_anything(self):
        for raw in (b"", b"\xff\xfe\x00", b"Content-Type: text/plain; charset=nonsense\r\n\r\n\xff",
                    b"Subject: =?x?q?\r\n" * 5000):
            body = hook.as_json("", "a@x.test", raw)
            self.assertEqual(base64.b64decode(body["raw"]), raw)


class Lmtp(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        path = os.path.join(self.directory.name, "deliver.sock")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen()
        self.delivered, self.go_on = [], threading.Event()
        self.go_on.set()
        self.server = lmtp.Server(listener, "webhook", self.deliver, LOG)
        self.server.start()
        self.addCleanup(self.server.stop, 1)
        stream = socket.socket(socket.AF_UNIX)
        stream.connect(path)
        stream.settimeout(10)
        self.addCleanup(stream.close)
        self.file = stream.makefile("rwb")
        self.addCleanup(self.file.close)
        self.assertTrue(self.reply().startswith("220"))

    def deliver(self, sender, recipients, raw):
        self.go_on.wait(10)
        self.delivered.append((sender, recipients, raw))
        return [["550 5.0.0 no"] if "bad" in to else ["250-2.0.0 a", "250 2.0.0 b"]
                for to in recipients]

    def reply(self):
        while True:
            line = self.file.readline().decode()
            if line[3:4] != "-":
                return line.rstrip()

    def say(self, text, replies=1):
        self.file.write(text if isinstance(text, bytes) else text.encode() + b"\r\n")
        self.file.flush()
        return [self.reply() for _ in range(replies)]

    def test_each_recipient_is_answered(self):
        self.say("LHLO core")
        self.say(b"MAIL FROM:<a@x.test> SIZE=9\r\nRCPT TO:<good@x>\r\nRCPT TO:<bad@x> NOTIFY=NEVER\r\n"
                 b"DATA\r\n", 4)
        answers = self.say(b"..dot\r\n.x\n\r\nlast\r\n.\r\n", 2)
        self.assertEqual(answers, ["250 2.0.0 b", "550 5.0.0 no"])
        self.assertEqual(self.delivered, [("a@x.test", ["good@x", "bad@x"], b".dot\r\nx\n\r\nlast\r\n")])

    def test_chunks_are_put_together(self):
        self.say("LHLO core")
        answers = self.say(b"MAIL FROM:<>\r\nRCPT TO:<good@x>\r\nBDAT 3\r\nab\rBDAT 2 LAST\r\n\nc", 4)
        self.assertEqual(answers[-1], "250 2.0.0 b")
        self.assertEqual(self.delivered, [("", ["good@x"], b"ab\r\nc")])
        self.assertTrue(self.say("RSET")[0].startswith("250"))

    def test_bounds_hold(self):
        self.assertTrue(self.say("MAIL FROM:<a@x>")[0].startswith("503"))
        self.assertTrue(self.say("EHLO core")[0].startswith("500"))
        self.say("LHLO core")
        size = lmtp.MAX_MESSAGE + 1
        self.assertTrue(self.say(f"MAIL FROM:<a@x> SIZE={size}")[0].startswith("552"))
        self.say("MAIL FROM:<a@x>")
        self.assertTrue(self.say("DATA")[0].startswith("503"))
        self.assertTrue(self.say("RCPT TO:a@x")[0].startswith("501"))
        answers = [self.say(f"RCPT TO:<u{n}@x>")[0][:3] for n in range(lmtp.MAX_RECIPIENTS + 1)]
        self.assertEqual(answers[-2:], ["250", "452"])
        self.assertTrue(self.say(b"x" * 5000 + b"\r\n")[0].startswith("500 5.5.6"))

    def test_a_stop_finishes_what_runs_and_ends_what_idles(self):
        self.go_on.clear()
        self.say("LHLO core")
        self.say(b"MAIL FROM:<>\r\nRCPT TO:<good@x>\r\nDATA\r\n", 3)
        self.say(b"x\r\n.\r\n", 0)
        stopped = []
        stopper = threading.Thread(target=lambda: stopped.append(self.server.stop(10)))
        stopper.start()
        time.sleep(0.3)
        self.assertEqual(stopped, [])
        self.go_on.set()
        self.assertEqual(self.reply(), "250 2.0.0 b")
        self.assertTrue(self.reply().startswith("421"))
        stopper.join(10)
        self.assertEqual(stopped, [True])


class FromHttp(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        path = os.path.join(self.directory.name, "submit.sock")
        self.core = Core(path)
        self.addCleanup(self.core.close)
        listener = socket.create_server(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        current = SimpleNamespace(send_token="s-token")
        self.server = send.Server(listener, "webhook", path, lambda: current, LOG)
        self.server.start()
        self.addCleanup(self.server.stop, 1)
        self.addCleanup(listener.close)

    def send(self, body, kind="application/json", token="s-token", path="/send"):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Type": kind, "Authorization": f"Bearer {token}"}
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        words = json.loads(answer.read())["words"]
        connection.close()
        return answer.status, words

    WISH = {"from": "Jane <jane@example.test>", "to": "bob@example.test", "subject": "Hi ä",
            "text": ".dot\nä\n"}

    def test_json_becomes_mail(self):
        self.assertEqual(self.send(self.WISH), (202, "2.0.0 queued as Q0000001"))
        self.assertEqual(self.core.lines[:2], ["ehlo webhook", "XFORWARD ADDR=127.0.0.1 PROTO=HTTP"])
        self.assertTrue(self.core.lines[2].startswith("mail FROM:<jane@example.test> "))
        self.assertIn(b"Received: from [127.0.0.1] by webhook with HTTP;", self.core.messages[0])
        self.assertIn(b"\r\nTo: bob@example.test\r\n", self.core.messages[0])

    def test_mail_stays_as_it_is(self):
        raw = b"From: jane@example.test\nTo: A <a@x.test>, b@x.test\nCc: a@x.test\n\n.x\n"
        self.assertEqual(self.send(raw, "message/rfc822")[0], 202)
        rcpts = [line for line in self.core.lines if line.startswith("rcpt")]
        self.assertEqual(rcpts, ["rcpt TO:<a@x.test>", "rcpt TO:<b@x.test>"])
        self.assertTrue(self.core.messages[0].endswith(b"\r\nCc: a@x.test\r\n\r\n..x\r\n"))

    def test_the_cores_words_are_passed_on(self):
        for answers, status, words in (
            ({"rcpt TO:<bob": "550 5.1.1 nobody"}, 422, "550 5.1.1 nobody"),
            ({"rcpt TO:<bob": "452 4.3.1 no space"}, 503, "452 4.3.1 no space"),
            ({"mail": "451 4.3.2 disabled"}, 503, "451 4.3.2 disabled"),
            ({"END": "554 5.4.6 too many hops"}, 422, "554 5.4.6 too many hops"),
            ({"END": "451 4.3.0 later"}, 503, "451 4.3.0 later"),
        ):
            self.core.answers = answers
            with self.subTest(answers):
                self.assertEqual(self.send(self.WISH), (status, words))

    def test_a_core_that_is_away_is_told(self):
        self.server.submit_socket += ".gone"
        self.assertEqual(self.send(self.WISH)[0], 503)

    def test_the_wrong_ones_are_refused(self):
        for status, more in (
            (401, {"token": "other"}), (404, {"path": "/other"}), (415, {"kind": "text/plain"}),
            (400, {"body": b"{"}), (422, {"body": {**self.WISH, "bcc": "x@x.test"}}),
            (422, {"body": {**self.WISH, "to": []}}), (422, {"body": {**self.WISH, "to": 1}}),
            (422, {"body": {"to": "a@x.test"}}), (422, {"body": {**self.WISH, "subject": "a\nB: c"}}),
            (422, {"body": {**self.WISH, "from": "nobody"}}),
            (422, {"body": b"Subject: no sender\n\n", "kind": "message/rfc822"}),
        ):
            with self.subTest(more):
                self.assertEqual(self.send(**{"body": self.WISH, **more})[0], status)
        self.assertEqual(self.core.messages, [])

    def test_a_body_without_bounds_is_refused(self):
        for header in (b"", b"Content-Length: 99999999\r\n", b"Transfer-Encoding: chunked\r\n"):
            with socket.create_connection(("127.0.0.1", self.port), timeout=10) as stream:
                stream.sendall(b"POST /send HTTP/1.1\r\nAuthorization: Bearer s-token\r\n"
                               b"Content-Type: application/json\r\n" + header + b"\r\n")
                self.assertIn(stream.recv(12)[9:], (b"411", b"413"))


class TheProcess(unittest.TestCase):
    """As the controller starts it."""

    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)

    def path(self, name):
        return os.path.join(self.directory.name, name)

    def admin(self, answer):
        """A core's API that has one answer."""
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(self.path("api.sock"))
        listener.listen()
        self.addCleanup(listener.close)

        def serve():
            while True:
                try:
                    stream, _ = listener.accept()
                except OSError:
                    return
                with stream:
                    stream.recv(4096)
                    status, body = answer()
                    stream.sendall(f"HTTP/1.1 {status} x\r\nContent-Length: {len(body)}\r\n\r\n{body}"
                                   .encode())

        threading.Thread(target=serve, daemon=True).start()

    def start(self):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(self.path("deliver.sock"))
        listener.listen()
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(self.path("notify.sock"))
        self.notify.settimeout(10)
        self.addCleanup(self.notify.close)
        environment = {
            **os.environ, "CONCORD_CONNECTOR": "webhook",
            "CONCORD_API_SOCKET": self.path("api.sock"), "CONCORD_API_TOKEN": "webhook.0",
            "CONCORD_SUBMIT_SOCKET": self.path("submit.sock"),
            "NOTIFY_SOCKET": self.path("notify.sock"), "WATCHDOG_USEC": "400000",
            "LISTEN_FDS": "1", "LISTEN_FDNAMES": "deliver",
        }
        # It keeps its process id when it becomes the connector.
        script = (f"import os, sys; os.dup2({listener.fileno()}, 3); "
                  "os.environ['LISTEN_PID'] = str(os.getpid()); os.execv(sys.argv[1], sys.argv[1:])")
        program = [sys.executable, "-c", script, sys.executable, os.path.join(HERE, "webhook.py")]
        process = subprocess.Popen(program, env=environment, pass_fds=[listener.fileno()],
                                   stdout=subprocess.PIPE, text=True)
        listener.close()
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def heard(self):
        return self.notify.recv(4096).decode()

    def test_it_lives_and_ends_as_it_should(self):
        urls = iter(["http://127.0.0.1:1/", "http://other.test/"])
        self.admin(lambda: (200, json.dumps({"settings": {"url": next(urls)}})))
        process = self.start()
        self.assertTrue(self.heard().startswith("READY=1\n"))
        for _ in range(3):
            self.assertEqual(self.heard(), "WATCHDOG=1")
        process.send_signal(signal.SIGHUP)
        core = smtplib.LMTP(self.path("deliver.sock"))
        core.ehlo("core")
        with self.assertRaises(smtplib.SMTPResponseException) as caught:
            core.mail("a@x.test")
            core.rcpt("b@x.test")
            code, words = core.data(b"Subject: x\r\n\r\nx\r\n")
            raise smtplib.SMTPResponseException(code, words)
        self.assertEqual(caught.exception.smtp_code, 451)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(10), 0)
        core.close()
        self.assertIn("the settings were read anew", process.stdout.read())

    def test_mistakes_in_the_settings_end_it_for_good(self):
        self.admin(lambda: (200, json.dumps({"settings": {"url": "nonsense"}})))
        process = self.start()
        self.assertEqual(process.wait(10), webhook.EXIT_CONFIGURATION)
        self.assertIn("the setting url", process.stdout.read())

    def test_without_a_core_it_is_to_be_started_again(self):
        process = self.start()
        self.assertEqual(process.wait(10), 1)


if __name__ == "__main__":
    unittest.main()
