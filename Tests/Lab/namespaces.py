"""What the kernel labs share: network namespaces, captures by packet sockets, and frames."""
import ctypes
import fcntl
import select
import socket
import struct
import subprocess
import threading
import time

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
ETH_P_ALL = 3
SO_TIMESTAMPNS = 35


class Namespace:
    """A network namespace of this run, entered by threads."""

    def __init__(self, name):
        self.name = name
        subprocess.run(["ip", "netns", "add", name], check=True)

    def enter(self):
        with open(f"/run/netns/{self.name}", "rb") as handle:
            if LIBC.setns(handle.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), f"setns {self.name}")

    def call(self, work, *arguments):
        """Runs work in a thread that is in the namespace, and returns what it returns."""
        box = {}

        def body():
            try:
                self.enter()
                box["value"] = work(*arguments)
            except BaseException as error:  # handed on below
                box["error"] = error

        thread = threading.Thread(target=body)
        thread.start()
        thread.join()
        if "error" in box:
            raise box["error"]
        return box.get("value")

    def thread(self, work, *arguments):
        def body():
            self.enter()
            work(*arguments)

        thread = threading.Thread(target=body, daemon=True)
        thread.start()
        return thread

    def sysctl(self, **values):
        def write():
            for key, value in values.items():
                with open("/proc/sys/net/" + key.replace("__", "/"), "w") as handle:
                    handle.write(str(value))

        self.call(write)

    def counters(self):
        def read():
            found = {}
            for path in ("snmp", "netstat"):
                with open(f"/proc/thread-self/net/{path}") as handle:
                    lines = handle.read().splitlines()
                for names, values in zip(lines[::2], lines[1::2]):
                    group, names = names.split(":")
                    for name, value in zip(names.split(), values.split(":")[1].split()):
                        found[group + name] = int(value)
            return found

        return self.call(read)

    def command(self, *words):
        subprocess.run(["ip", "netns", "exec", self.name, *words], check=True)


class Pcap:
    """A capture file with nanosecond times."""

    def __init__(self, path):
        self.file = open(path, "wb")
        self.file.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1))
        self.count = 0

    def write(self, nanoseconds, frame):
        self.file.write(struct.pack("<IIII", nanoseconds // 10**9, nanoseconds % 10**9, len(frame), len(frame)) + frame)
        self.count += 1
        return self.count

    def close(self):
        self.file.close()


def packet_socket(interface):
    handle = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    handle.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 25)
    handle.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    handle.bind((interface, 0))
    handle.setblocking(False)
    return handle


def receive(handle):
    """-> (frame, nanoseconds, whether this host sends it), or None."""
    try:
        frame, ancillary, _, address = handle.recvmsg(65536, 256)
    except BlockingIOError:
        return None
    stamp = time.time_ns()
    for _, kind, data in ancillary:
        if kind == SO_TIMESTAMPNS:
            seconds, nanoseconds = struct.unpack("qq", data[:16])
            stamp = seconds * 10**9 + nanoseconds
    return frame, stamp, address[2] == socket.PACKET_OUTGOING


def is_tcp_or_icmp(frame):
    kind = frame[12:14]
    if kind == b"\x08\x00":
        return frame[23] in (1, 6)
    return kind == b"\x86\xdd" and (frame[20] == 6 or frame[20] == 58 and frame[54] < 128)


def flags(frame):
    """The TCP flags; 0 for anything else."""
    if frame[12:14] == b"\x08\x00" and frame[23] == 6:
        return frame[14 + (frame[14] & 15) * 4 + 13]
    if frame[12:14] == b"\x86\xdd" and frame[20] == 6:
        return frame[54 + 13]
    return 0


class Sniffer:
    """Captures at one end, or at several interfaces of a namespace at once: then in the order of the frames' times.
    `keeps` says of a frame whether the capture has it."""

    def __init__(self, namespace, interfaces, path, keeps=None):
        names = [interfaces] if isinstance(interfaces, str) else interfaces
        self.pcap = Pcap(path)
        self.keeps = keeps
        self.sockets = [namespace.call(packet_socket, name) for name in names]
        self.waiting = []
        self.stopping = False
        self.thread = threading.Thread(target=self.loop)
        self.thread.start()

    def loop(self):
        while True:
            ready = select.select(self.sockets, [], [], 0.05)[0]
            for handle in ready:
                while got := receive(handle):
                    if is_tcp_or_icmp(got[0]) and (self.keeps is None or self.keeps(got[0])):
                        self.take(got[1], got[0])
            if self.stopping and not ready:
                break
        for nanoseconds, frame in sorted(self.waiting, key=lambda one: one[0]):
            self.pcap.write(nanoseconds, frame)
        self.pcap.close()
        for handle in self.sockets:
            handle.close()

    def take(self, nanoseconds, frame):
        if len(self.sockets) == 1:
            self.pcap.write(nanoseconds, frame)
        else:
            self.waiting.append((nanoseconds, frame))

    def stop(self):
        self.stopping = True
        self.thread.join()


def no_offload(interface):
    handle = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for command in (0x17, 0x1F, 0x24, 0x2C):  # ETHTOOL_STXCSUM, STSO, SGSO, SGRO
        value = ctypes.create_string_buffer(struct.pack("II", command, 0))
        request = struct.pack("16sP", interface.encode(), ctypes.addressof(value))
        request = ctypes.create_string_buffer(request.ljust(40, b"\0"))
        LIBC.ioctl(handle.fileno(), 0x8946, request)
    handle.close()


def link_address(interface):
    handle = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    answer = fcntl.ioctl(handle.fileno(), 0x8927, struct.pack("256s", interface.encode()))
    return ":".join(f"{octet:02x}" for octet in answer[18:24])


def internet_sum(octets):
    total = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    total = (total & 0xffff) + (total >> 16)
    return ~((total & 0xffff) + (total >> 16)) & 0xffff


def tcp_segment(source, target, seq, ack, flags, data=b""):
    header = struct.pack("!HHIIBBHHH", source[1], target[1], seq, ack, 5 << 4, flags, 64240, 0, 0)
    pseudo = socket.inet_aton(source[0]) + socket.inet_aton(target[0]) + struct.pack("!BBH", 0, 6, len(header + data))
    return header[:16] + struct.pack("!H", internet_sum(pseudo + header + data)) + header[18:] + data
