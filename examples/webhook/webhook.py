#!/usr/bin/env python3
"""A Concord connector: messages to an HTTP endpoint, and messages by HTTP.

It keeps nothing: a message is the core's until the endpoint has answered, and
the core's again before a request is answered 202. So it may be killed at any
moment. See README.md, and "Connector contract" in Concord's manual.
"""

import http.client
import json
import logging
import os
import signal
import socket
import sys
import threading
import urllib.parse
from dataclasses import dataclass

# The package stays as it was installed, so that its checksums hold.
sys.dont_write_bytecode = True

import hook  # noqa: E402
import lmtp  # noqa: E402
import send  # noqa: E402

# sysexits.h EX_CONFIG: the controller does not restart in vain.
EXIT_CONFIGURATION = 78
# First descriptor of sd_listen_fds(3), and the most that are looked at.
FIRST_FD, MAX_FDS = 3, 16
# Octets of the core's answer; settings have at most 64 KiB.
MAX_ANSWER = 1 << 20
# Seconds for the core's API, and for what runs at the end.
API_TIMEOUT, STOP_TIME = 10, 15
# Looks at life signs if the controller asks for none.
LOOK = 5.0

log = logging.getLogger("webhook")


class Misconfigured(Exception):
    """Somebody must change the settings, or how it is started."""


@dataclass(frozen=True)
class Settings:
    """See connector.toml."""

    url: str
    url_token: str
    send_token: str
    timeout: float

    @classmethod
    def read(cls, settings):
        """Settings from the directory object; unknown ones are passed over."""
        url, timeout = settings.get("url"), settings.get("timeout", 20)
        if not isinstance(url, str):
            raise Misconfigured("the setting url is missing")
        try:
            parts = urllib.parse.urlsplit(url)
            fits = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            fits = False
        if not fits or any(c <= " " or c > "~" for c in url):
            raise Misconfigured("the setting url is not an http or https URL")
        if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) \
                or not 1 <= timeout <= 45:
            raise Misconfigured("the setting timeout is not a number from 1 to 45")
        tokens = [settings.get("url-token", ""), settings.get("send-token", "")]
        # A token of digits only comes as a number.
        tokens = [str(t) if type(t) is int else t for t in tokens]
        if not all(isinstance(t, str) and all("!" <= c <= "~" for c in t) for t in tokens):
            raise Misconfigured("a token has printable ASCII characters only, and no blanks")
        return cls(url, tokens[0], tokens[1], timeout)


class UnixHttp(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path):
        super().__init__("localhost", timeout=API_TIMEOUT)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(API_TIMEOUT)
        self.sock.connect(self.path)


def read_settings(api_socket, token, name):
    """This connector's settings, from the core."""
    connection = UnixHttp(api_socket)
    try:
        connection.request("GET", f"/v1/connectors/{urllib.parse.quote(name)}",
                           headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        body = json.loads(answer.read(MAX_ANSWER))
    finally:
        connection.close()
    if answer.status == 404:
        raise Misconfigured(f"the directory has no connector {name}")
    if answer.status != 200:
        raise OSError(f"the core answered {answer.status}")
    return Settings.read(body.get("settings") or {})


def inherited():
    """Listening sockets by name, as sd_listen_fds(3) says."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        return {}
    names = os.environ.get("LISTEN_FDNAMES", "").split(":")
    count = min(int(os.environ.get("LISTEN_FDS", "0")), MAX_FDS)
    sockets = {}
    for place in range(count):
        listener = socket.socket(fileno=FIRST_FD + place)
        listener.set_inheritable(False)
        listener.setblocking(True)
        name = names[place] if place < len(names) else ""
        sockets.setdefault(name, []).append(listener)
    return sockets


def tell(news):
    """A line to the controller, as sd_notify(3) says."""
    path = os.environ.get("NOTIFY_SOCKET")
    if not path:
        return
    path = "\0" + path[1:] if path.startswith("@") else path
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.sendto(news.encode(), path)
    except OSError as error:
        log.debug("the controller does not hear: %s", error)


class Connector:
    """The connector while it runs."""

    def __init__(self, name, api_socket, token, submit_socket, sockets):
        self.name, self.api_socket, self.token = name, api_socket, token
        self.settings = read_settings(api_socket, token, name)
        self.wake = threading.Event()
        self.ending = self.reread = False
        self.servers = [
            lmtp.Server(listener, name, self.deliver, log) for listener in sockets["deliver"]
        ]
        self.servers += [
            send.Server(listener, name, submit_socket, lambda: self.settings, log)
            for listener in sockets.get("http", [])
        ]

    def deliver(self, sender, recipients, raw):
        """An LMTP reply for each recipient."""
        settings, replies = self.settings, []
        for recipient in recipients:
            reply = hook.post(settings, sender, recipient, raw)
            log.info("from <%s> to <%s>: %s", hook.words(sender), hook.words(recipient), reply[-1])
            replies.append(reply)
        return replies

    def on_signal(self, number, _frame):
        """SIGHUP rereads the settings, others end it."""
        self.reread |= number == signal.SIGHUP
        self.ending |= number != signal.SIGHUP
        self.wake.set()

    def run(self):
        """Until a signal ends it; True if everything was finished."""
        for server in self.servers:
            server.start()
        tell("READY=1\nSTATUS=posting to " + urllib.parse.urlsplit(self.settings.url).hostname)
        watchdog = os.environ.get("WATCHDOG_USEC", "")
        every = int(watchdog) / 2e6 if watchdog.isdigit() and int(watchdog) else LOOK
        while not self.ending:
            if not all(server.is_alive() for server in self.servers):
                raise RuntimeError("a server ended by itself")
            tell("WATCHDOG=1")
            self.wake.wait(every)
            self.wake.clear()
            if self.reread:
                self.reread = False
                self.read_again()
        tell("STOPPING=1")
        # All of them first, then their work: each gets the same time.
        finished = [server.stop(STOP_TIME / len(self.servers)) for server in self.servers]
        return all(finished)

    def read_again(self):
        """New settings, if they are any good; else it goes on with the old ones."""
        try:
            self.settings = read_settings(self.api_socket, self.token, self.name)
            log.info("the settings were read anew")
        except (Misconfigured, OSError, ValueError, http.client.HTTPException) as error:
            log.error("the old settings stay: %s", error)


def main():
    """The exit code."""
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(levelname)s %(message)s")
    try:
        sockets = inherited()
        if "deliver" not in sockets:
            raise Misconfigured("no socket 'deliver' was handed over; the controller starts it")
        wanted = ("CONCORD_CONNECTOR", "CONCORD_API_SOCKET", "CONCORD_API_TOKEN",
                  "CONCORD_SUBMIT_SOCKET")
        values = [os.environ.get(variable) for variable in wanted]
        if not all(values):
            raise Misconfigured(f"one of {', '.join(wanted)} is not set")
        connector = Connector(*values, sockets)
    except Misconfigured as error:
        log.error("cannot start: %s; see 'concord connector set'", error)
        return EXIT_CONFIGURATION
    except (OSError, ValueError, http.client.HTTPException) as error:
        log.error("cannot read the settings: %s; is the core running?", error)
        return 1
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, connector.on_signal)
    return 0 if connector.run() else 1


if __name__ == "__main__":
    sys.exit(main())
