"""A service for the controller's tests. Arguments: what to do, in order."""
import os, signal, socket, sys, threading, time


def notify(text):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.connect(os.environ["NOTIFY_SOCKET"])
        s.send(text.encode())


def log(*words):
    print(*words, flush=True)


def stop(signum, frame):
    log("stopping", time.monotonic())
    if "slow-stop" in sys.argv:
        time.sleep(0.3)
    log("stopped", time.monotonic())
    os._exit(0)


def serve():
    listener = socket.socket(fileno=3)
    listener.setblocking(True)
    while True:
        peer, _ = listener.accept()
        with peer:
            peer.settimeout(10)
            word = peer.recv(100)
            peer.sendall(b"%d %s" % (os.getpid(), word))


signal.signal(signal.SIGTERM, signal.SIG_IGN if "stubborn" in sys.argv else stop)
log("started", os.getpid())
if "children" in sys.argv:
    log("fds", os.environ["LISTEN_FDS"], os.environ["LISTEN_FDNAMES"],
        os.environ["LISTEN_PID"] == str(os.getpid()))
for word in sys.argv[1:]:
    if word == "ready":
        notify("READY=1\nSTATUS=at work")
    elif word == "word":
        log("word", os.environ.get("WORD"))
    elif word == "hold":
        log("hold", os.environ.get("CONCORD_HOLD"))
    elif word == "crash":
        os._exit(1)
    elif word == "refuse":
        os._exit(78)
    elif word == "serve":
        threading.Thread(target=serve, daemon=True).start()
    elif word == "alive":
        def alive():
            while True:
                notify("WATCHDOG=1")
                time.sleep(0.05)
        threading.Thread(target=alive, daemon=True).start()
    elif word.startswith("sleep="):
        time.sleep(float(word[6:]))
while True:
    # Not signal.pause(): a signal just before it would be slept through.
    time.sleep(0.05)
