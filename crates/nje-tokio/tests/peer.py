"""A peer that shares no code with the crate.

python3 peer.py PORT
    Opens a link to NODEB as NODEA, asks for the time, sends a file of three cards,
    takes a file, signs off, and prints what it saw, one line for each thing.
python3 peer.py PORT take BUFFER
    Opens a link to SENDER as TAKER, takes files until the link closes, and prints
    what it used: the most resident memory and that of the idle link in KiB, and CPU
    milliseconds.
"""
import socket
import struct
import sys
import time


def text(string, length=8):
    return string.ljust(length).encode("cp037")


def strings(octets):
    """Compresses: blanks, repeated octets, the rest as it is."""
    out, literal, at = b"", b"", 0

    def flush(out, literal):
        for start in range(0, len(literal), 63):
            piece = literal[start:start + 63]
            out += bytes([0xC0 | len(piece)]) + piece
        return out

    while at < len(octets):
        run = 1
        while at + run < len(octets) and octets[at + run] == octets[at] and run < 31:
            run += 1
        if octets[at] == 0x40 and run >= 2:
            out, literal = flush(out, literal) + bytes([0x80 | run]), b""
            at += run
        elif run >= 3:
            out, literal = flush(out, literal) + bytes([0xA0 | run, octets[at]]), b""
            at += run
        else:
            literal += octets[at:at + 1]
            at += 1
    return flush(out, literal) + b"\0"


def plain(block, at):
    """Decompresses a record; gives it and where the next begins."""
    out = b""
    while True:
        control = block[at]
        at += 1
        if control == 0:
            return out, at
        count = control & 0x1F
        if control >= 0xC0:
            count = control & 0x3F
            out += block[at:at + count]
            at += count
        elif control >= 0xA0:
            out += block[at:at + 1] * count
            at += 1
        elif control >= 0x80:
            out += b"\x40" * count
        else:
            raise ValueError("SCB %02x" % control)


class Link:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self.held = b""
        self.count = 0
        self.blocks = []
        self.passed_over = []

    def read(self, length):
        while len(self.held) < length:
            came = self.socket.recv(4096)
            if not came:
                raise EOFError
            self.held += came
        out, self.held = self.held[:length], self.held[length:]
        return out

    def ttb(self, *blocks):
        body = b"".join(struct.pack(">BBH", 0, 0, len(b)) + b for b in blocks) + bytes(4)
        self.socket.sendall(struct.pack(">HHI", 0, len(body) + 8, 0) + body)

    def records(self, *records):
        block = b"\x10\x02" + bytes([0x80 | self.count]) + b"\x8f\xcf"
        self.count = (self.count + 1) % 16
        self.ttb(block + b"".join(records) + b"\0")

    def block(self):
        while not self.blocks:
            length = struct.unpack(">xxHxxxx", self.read(8))[0]
            body = self.read(length - 8)
            at = 0
            while True:
                count = struct.unpack(">xxH", body[at:at + 4])[0]
                if count == 0:
                    break
                self.blocks.append(body[at + 4:at + 4 + count])
                at += 4 + count
        return self.blocks.pop(0)

    def next_records(self):
        block = self.block()
        if block[:2] != b"\x10\x02":
            return [(block, None, None)]
        out, at = [], 5
        while at < len(block) and block[at] != 0:
            if block[at] == 0xF0:
                out.append((0xF0, block[at + 1], block[at:]))
                break
            octets, after = plain(block, at + 2)
            out.append((block[at], block[at + 1], octets))
            at = after
        return out

    def wait(self, rcb, srcb=None):
        """The next record of a kind; others are kept, messages printed."""
        while True:
            for found in self.passed_over:
                if found[0] == rcb and srcb in (None, found[1]):
                    self.passed_over.remove(found)
                    return found
            for found in self.next_records():
                if found[0] == 0x9A:
                    print("message", found[2][30:30 + found[2][3]].decode("cp037"))
                else:
                    self.passed_over.append(found)


def section(identifier, data):
    return struct.pack(">HBB", len(data) + 4, identifier, 0) + data


def pieces(rcb, srcb, sections):
    out, number = [], 0
    while True:
        piece, sections = sections[:252], sections[252:]
        sequence = number | (0x80 if sections else 0)
        prefix = struct.pack(">HBB", len(piece) + 4, 0, sequence)
        out.append(bytes([rcb, srcb]) + strings(prefix + piece))
        number += 1
        if not sections:
            return out


def opened(me, you, buffer):
    """Signs on; prints what the partner said."""
    link = Link(int(sys.argv[1]))
    address = bytes([127, 0, 0, 1])
    link.socket.sendall(text("OPEN") + me + address + you + address + b"\0")
    answer = link.read(33)
    print("ttc", answer[:8].decode("cp037").strip(), answer[8:16].decode("cp037").strip())
    link.ttb(b"\x01\x2d")
    assert link.block() == b"\x10\x70"
    sign_on = b"\xf0\xc9\x29" + me + b"\x01" + bytes(6) + struct.pack(">H", buffer)
    sign_on += text("") + text("") + b"\0" + bytes(4)
    link.ttb(b"\x10\x02\xa0\x8f\xcf" + sign_on)
    response = link.wait(0xF0, 0xD1)[2]
    print("signed on with", struct.unpack(">H", response[18:20])[0])
    link.ttb(b"\x10\x70")
    return link


def resident(key):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(key))


def take():
    """Takes files and keeps nothing of them."""
    link = opened(text("TAKER"), text("SENDER"), int(sys.argv[3]))
    idle, cards = resident("VmRSS:"), 0
    try:
        while True:
            for rcb, srcb, octets in link.next_records():
                if rcb == 0x90:
                    link.records(bytes([0xA0, srcb, 0]))
                elif rcb & 0x0F == 0x09 and srcb & 0xF0 == 0x80:
                    if octets:
                        cards += len(octets[1:].ljust(octets[0], b"\x40"))
                    else:
                        link.records(bytes([0xC0, rcb, 0]))
                elif rcb == 0xF0 and srcb == 0xC2:
                    raise EOFError
    except (EOFError, ConnectionError):
        cpu = round(time.process_time() * 1000)
        print("used", resident("VmHWM:"), idle, cpu, flush=True)


def main():
    if sys.argv[2:3] == ["take"]:
        return take()
    me, you = text("NODEA"), text("NODEB")
    link = opened(me, you, 1024)
    command = b"\xa0\x77\x00\x08" + you + b"\0" + text("ALICE") + me + b"\0" + text("CPQ TIME")
    link.records(b"\x9a\x80" + strings(command))

    link.records(b"\x90\x99\0")
    link.wait(0xA0, 0x99)
    header = struct.pack(">H", 9) + text("AA", 2) + b"\x0c\x07\x01\x01" + bytes(4) + bytes(8)
    header += text("RSCS0009") + text("ALICE") + bytes(16) + bytes.fromhex("E39D66BE00000000")
    header += (me + text("ALICE")) * 2 + (you + text("BOB")) * 2 + bytes(24)
    header += text("ALICE", 20) + text("SYSTEM") + bytes(16) + struct.pack(">I", 3)
    data_set = you + text("BOB") + text("HELLO") + text("TEXT") + text("") + b"\0\x01\0"
    data_set += text("A", 1) + struct.pack(">I", 3) + b"\0\x80\0\x50\x01" + bytes(3)
    data_set += text("QUIET") + text("") * 2 + text("BOB") + bytes(8) + b"\x40" + bytes(3) + text("")
    vm = b"\0" + text("A", 1) + b"\x82\0" + text("SYSTEM") + text("HELLO", 12) + text("TEXT", 12)
    vm += b"\0\x32\x02\x01" + text("NODEB    BOB      50", 136)
    trailer = bytes(1) + text("A", 1) + bytes(22) + struct.pack(">III", 0, 3, 0) + bytes(4)
    link.records(*pieces(0x99, 0xC0, section(0, header)))
    link.records(*pieces(0x99, 0xE0, section(0, data_set) + section(0x87, vm)))
    cards = ["FIRST CARD", "", "x" * 80]
    link.records(*[b"\x99\x80" + strings(b"\x50" + text(c, 0)) for c in cards])
    link.records(*pieces(0x99, 0xD0, section(0, trailer)), b"\x99\x80\0")
    link.wait(0xC0, 0x99)
    print("taken over")

    _, stream, _ = link.wait(0x90)
    link.records(bytes([0xA0, stream, 0]))
    while True:
        for rcb, srcb, octets in link.next_records():
            if rcb != stream:
                continue
            if srcb & 0xF0 == 0x80 and octets:
                print("card", octets[1:].ljust(octets[0], b"\x40").decode("cp037").rstrip())
            elif srcb & 0xF0 == 0x80:
                link.records(bytes([0xC0, stream, 0]))
                link.ttb(b"\x10\x02" + bytes([0x80 | link.count]) + b"\x8f\xcf\xf0\xc2\x00")
                print("end")
                return


main()
