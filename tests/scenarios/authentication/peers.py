#!/usr/bin/python3
"""What OpenDKIM, OpenDMARC, dkimpy, pyspf and authheaders say of a corpus.

Usage: peers.py DIRECTORY NAMESERVER

Reads DIRECTORY/cases.json and writes DIRECTORY/peers.json, one object for each
case. Must run where /etc/resolv.conf names NAMESERVER (an address; port 53).
The milters are children of this program, on sockets in DIRECTORY, and end with
it.
"""

import json
import os
import re
import socket
import struct
import subprocess
import sys
import time

import authheaders
import authheaders.findpsl
import dkim
import spf

DIRECTORY, NAMESERVER = sys.argv[1], sys.argv[2]
PATIENCE = 20


class Milter:
    """The MTA's side of the milter protocol, version 6, as far as needed."""

    def __init__(self, path):
        self.path = path

    def send(self, command, data=b""):
        self.socket.sendall(struct.pack(">I", len(data) + 1) + command + data)

    def receive(self):
        head = self.exactly(4)
        packet = self.exactly(struct.unpack(">I", head)[0])
        return packet[:1], packet[1:]

    def exactly(self, size):
        octets = b""
        while len(octets) < size:
            more = self.socket.recv(size - len(octets))
            if not more:
                raise EOFError("the milter closed the connection")
            octets += more
        return octets

    def answer(self):
        while True:
            code, data = self.receive()
            if code != b"p":
                return code, data

    def judge(self, case, message):
        """The header fields that the milter adds, and how it ended."""
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(self.path)
        try:
            return self.talk(case, message)
        finally:
            self.socket.close()

    def talk(self, case, message):
        # Header values come with their leading space; nothing else is special.
        self.send(b"O", struct.pack(">III", 6, 0x1FF, 0x100000))
        code, data = self.receive()
        _, _, protocol = struct.unpack(">III", data[:12])
        leading = bool(protocol & 0x100000)
        ip = case["ip"]
        family = b"6" if ":" in ip else b"4"
        shown = ("IPv6:" + ip if ":" in ip else ip).encode()
        self.send(b"C", b"client.example\0" + family + struct.pack(">H", 2525) + shown + b"\0")
        ended = self.answer()[0]
        steps = [(b"H", case["helo"].encode() + b"\0"),
                 (b"M", b"<" + case["mail_from"].encode() + b">\0"),
                 (b"R", b"<bob@beta.example>\0"), (b"T", b"")]
        for command, data in steps:
            if ended != b"c":
                return [], ended.decode()
            if command == b"M":
                self.send(b"D", b"Mi\0Q1\0")
            self.send(command, data)
            ended = self.answer()[0]
        head, _, body = message.partition(b"\r\n\r\n")
        fields = []
        for line in head.split(b"\r\n"):
            if line[:1] in (b" ", b"\t"):
                fields[-1][1] += b"\n" + line
            else:
                name, _, value = line.partition(b":")
                fields.append([name, value])
        for name, value in fields:
            if not leading and value[:1] == b" ":
                value = value[1:]
            self.send(b"L", name + b"\0" + value + b"\0")
            ended = self.answer()[0]
            if ended != b"c":
                return [], ended.decode()
        self.send(b"N")
        ended = self.answer()[0]
        if body and ended == b"c":
            for at in range(0, len(body), 65535):
                self.send(b"B", body[at:at + 65535])
                ended = self.answer()[0]
        if ended not in (b"c", b"s"):
            return [], ended.decode()
        self.send(b"E")
        added = []
        while True:
            code, data = self.receive()
            if code == b"h":
                name, value = data.split(b"\0")[:2]
                added.append((name.decode(), value.decode(errors="replace")))
            elif code == b"i":
                name, value = data[4:].split(b"\0")[:2]
                added.append((name.decode(), value.decode(errors="replace")))
            elif code in b"mp+-2":
                continue
            else:
                return added, code.decode()


def start(name, option, config):
    path = os.path.join(DIRECTORY, name + ".sock")
    file = os.path.join(DIRECTORY, name + ".conf")
    open(file, "w").write(config.format(socket=path, directory=DIRECTORY, nameserver=NAMESERVER))
    log = open(os.path.join(DIRECTORY, name + ".log"), "w")
    child = subprocess.Popen(["/usr/sbin/" + name, "-f", option, file], stdout=log, stderr=log)
    until = time.time() + PATIENCE
    while time.time() < until:
        try:
            socket.socket(socket.AF_UNIX).connect(path)
            return child, Milter(path)
        except OSError:
            if child.poll() is not None:
                break
            time.sleep(0.05)
    child.terminate()
    raise SystemExit(name + " does not start: " + open(log.name).read())


OPENDKIM = """
Socket local:{socket}
Mode v
Syslog no
Background no
AlwaysAddARHeader yes
AuthservID opendkim.example
On-Default accept
MinimumKeyBits 1024
Nameservers {nameserver}
ResolverConfiguration {directory}/unbound.conf
DNSTimeout 5
"""
# libunbound asks no server on this machine unless it is told to.
# The corpus lives below a name that is on no public suffix list.
SUFFIXES = "// ===BEGIN ICANN DOMAINS===\nexample\n// ===END ICANN DOMAINS===\n"
UNBOUND = "server:\n do-not-query-localhost: no\n"
OPENDMARC = """
Socket local:{socket}
Syslog false
Background false
AuthservID opendmarc.example
TrustedAuthservIDs opendkim.example
SPFIgnoreResults true
SPFSelfValidate true
RejectFailures false
PublicSuffixList {directory}/suffixes
DNSTimeout 5
"""


def words(text, method):
    """All results of a method in Authentication-Results."""
    text = re.sub(r"\([^()]*\)", "", text)
    return re.findall(r"\b" + method + r"=([a-z]+)", text)


def summary(results):
    """One word for all signatures of a message."""
    for word in ("pass", "temperror"):
        if word in results:
            return word
    return "none" if not results or set(results) == {"none"} else "fail"


def by_dkimpy(message):
    results = []
    d = dkim.DKIM(message)
    count = sum(name.lower() == b"dkim-signature" for name, _ in d.headers)
    for index in range(count):
        try:
            results.append("pass" if dkim.DKIM(message).verify(idx=index) else "fail")
        except dkim.DnsTimeoutError:
            results.append("temperror")
        except Exception:
            results.append("fail")
    return summary(results)


def by_dkimpy_arc(message):
    try:
        cv, _, _ = dkim.arc_verify(message)
        return cv.decode()
    except Exception:
        return "fail"


def by_pyspf(case):
    result, _ = spf.check2(i=case["ip"], s=case["mail_from"], h=case["helo"])
    return result


def by_authheaders(case, message):
    """DMARC as authheaders combines it from the others."""
    spf_result = authheaders.check_spf(case["ip"], case["mail_from"] or "postmaster@" + case["helo"],
                                       case["helo"])
    dkim_result = authheaders.check_dkim(message)
    dmarc = authheaders.check_dmarc(message, spf_result, dkim_result)
    return dmarc.result or "none"


def main():
    cases = json.load(open(os.path.join(DIRECTORY, "cases.json")))
    open(os.path.join(DIRECTORY, "unbound.conf"), "w").write(UNBOUND)
    open(os.path.join(DIRECTORY, "suffixes"), "w").write(SUFFIXES)
    authheaders.findpsl.location = os.path.join(DIRECTORY, "suffixes")
    children = []
    try:
        child, opendkim = start("opendkim", "-x", OPENDKIM)
        children.append(child)
        child, opendmarc = start("opendmarc", "-c", OPENDMARC)
        children.append(child)
        found = []
        for case in cases:
            message = open(case["file"], "rb").read()
            verdict = {}
            added, ended = opendkim.judge(case, message)
            said = " ".join(v for n, v in added if n.lower() == "authentication-results")
            verdict["opendkim"] = summary(words(said, "dkim")) if said else "ended " + ended
            trusted = b"Authentication-Results: " + said.encode(errors="replace").replace(b"\n", b"\r\n")
            marked = (trusted + b"\r\n" if said else b"") + message
            added, ended = opendmarc.judge(case, marked)
            said = " ".join(v for n, v in added if n.lower() == "authentication-results")
            verdict["opendmarc"] = (words(said, "dmarc") or ["none"])[0] if said else "ended " + ended
            verdict["opendmarc_spf"] = (words(said, "spf") or ["none"])[0] if said else "ended " + ended
            verdict["opendmarc_said"] = said
            verdict["dkimpy"] = by_dkimpy(message)
            verdict["dkimpy_arc"] = by_dkimpy_arc(message)
            verdict["pyspf"] = by_pyspf(case)
            try:
                verdict["authheaders"] = by_authheaders(case, message)
            except Exception as e:
                verdict["authheaders"] = "raises " + type(e).__name__
            verdict["authheaders_arc"] = authheaders.check_arc(message).result or "none"
            found.append(verdict)
        json.dump(found, open(os.path.join(DIRECTORY, "peers.json"), "w"))
    finally:
        for child in children:
            child.terminate()
            child.wait()


main()
