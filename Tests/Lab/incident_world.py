"""Two subnets of clients, a router and two servers in network namespaces, with traffic that is well, until an incident.

    clients 0 (10.2x.y.0/24) -- c0 \\                    / s0 -- server 0 (10.1.1.10)
                                    router -- bridge br0
    clients 1 (10.2x.y.0/24) -- c1 /                    \\ s1 -- server 1 (10.1.1.11)

The capture is taken at br0 ("servers"), at c0 and c1 ("clients"), or at all of them ("both"): of a packet that the
router drops, the place before it has what the place behind it has not. A slow link may stand before one server or one
subnet of clients: it holds each frame back, and may rewrite it.
"""
import asyncio
import errno
import heapq
import os
import random
import select
import socket
import struct
import subprocess
import threading
import time

from namespaces import Namespace, Sniffer, no_offload, packet_socket, receive, tcp_segment

PORTS = (22, 80, 443, 5432, 8443)
SYN, RST, ACK = 2, 4, 16
TCP_FASTOPEN = 23
TCP_FASTOPEN_CONNECT = 30
IP_BIND_ADDRESS_NO_PORT = 24
# The router knows no way to these: forged sources.
NOWHERE = "198.18.0.0/15"


def packet(source, target, segment, hops=64):
    """An IPv4 packet; the kernel fills in its checksum and identification."""
    return struct.pack(
        "!BBHHHBBH4s4s", 0x45, 0, 20 + len(segment), 0, 0x4000, hops, 6, 0, socket.inet_aton(source),
        socket.inet_aton(target)) + segment


def raw_socket():
    return socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)


class Connection:
    """What a client asked for, and what came of it: `error` is None where connect() succeeded, or still waits."""

    def __init__(self, when, client, server, patience=30, linger=0):
        self.when, self.client, self.server = when, client, server
        self.patience, self.linger = patience, linger
        self.time = self.error = self.port = None
        self.retransmissions = 0
        self.is_connected = False

    @property
    def went_hard(self):
        """Whether the kernel sent its SYN again, or had no connection until the end."""
        return self.retransmissions > 0 or not self.is_connected


class Truth:
    """What there is to find. `servers` are (address, port). `spans` are filled in as the incident comes and goes, in
    nanoseconds since the epoch."""

    def __init__(self, code, servers, clients, rate=None):
        self.code, self.servers, self.clients = code, set(servers), set(clients)
        # Whether it happened to a connection of the scope, where it happens to a share of them.
        self.rate = rate
        # The moment from which on it can be seen, where that is not when it was made.
        self.begin = None
        self.begins_with_first = False
        self.spans = []
        # The scope of strangers, who are no part of the traffic: (servers, ports, clients) as the diagnosis says it.
        self.strangers = None


class Link:
    """Two interfaces of a namespace: each frame goes on after a delay, and may be rewritten."""

    def __init__(self, namespace, delay):
        self.delay = delay
        self.rewrite = None
        self.sides = [namespace.call(packet_socket, name) for name in ("near", "far")]
        self.stopping = False
        self.thread = threading.Thread(target=self.loop, daemon=True)
        self.thread.start()

    def loop(self):
        waiting, order = [], 0
        while not self.stopping:
            now = time.monotonic()
            while waiting and waiting[0][0] <= now:
                _, _, side, frame = heapq.heappop(waiting)
                try:
                    self.sides[side].send(frame)
                except OSError:
                    pass  # The link is down.
            wait = min(max(0.0, waiting[0][0] - now), 0.05) if waiting else 0.05
            for handle in select.select(self.sides, [], [], wait)[0]:
                while got := self.take(handle):
                    frame, _, is_outgoing = got
                    if is_outgoing:
                        continue
                    direction = self.sides.index(handle)
                    if self.rewrite:
                        frame = self.rewrite(direction, frame)
                    order += 1
                    heapq.heappush(waiting, (time.monotonic() + self.delay, order, 1 - direction, frame))
        for handle in self.sides:
            handle.close()

    @staticmethod
    def take(handle):
        try:
            return receive(handle)
        except OSError:
            return None

    def stop(self):
        self.stopping = True
        self.thread.join()


class Listener:
    """A service at a port of a server, in the loop of that server's thread. Its mode is "serves", "resets", "closed" or
    "slow"."""

    def __init__(self, loop, address, port, closes_first, fast_open):
        self.loop, self.address, self.port, self.closes_first = loop, address, port, closes_first
        self.fast_open = fast_open
        self.mode = "serves"
        self.handle = None
        self.open(1024)

    def open(self, backlog):
        self.handle = socket.socket()
        self.handle.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if self.fast_open:
            self.handle.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN, 256)
        self.handle.bind((self.address, self.port))
        self.handle.listen(backlog)
        self.handle.setblocking(False)
        self.loop.add_reader(self.handle, self.accept)

    def close(self):
        if self.handle:
            self.loop.remove_reader(self.handle)
            self.handle.close()
            self.handle = None

    def set_mode(self, mode, backlog=1024):
        """In the loop's thread."""
        self.mode = mode
        if mode == "closed":
            self.close()
        elif not self.handle:
            self.open(backlog)
        elif mode == "slow":
            # A shorter queue, and nobody who looks at it but now and then.
            self.loop.remove_reader(self.handle)
            self.handle.listen(backlog)
            self.loop.call_later(1.5, self.accept_one)

    def accept_one(self):
        if self.mode == "slow" and self.handle:
            self.accept(limit=1)
            self.loop.call_later(1.5, self.accept_one)

    def accept(self, limit=64):
        for _ in range(limit):
            try:
                connection = self.handle.accept()[0]
            except OSError:
                return
            connection.setblocking(False)
            if self.mode == "resets":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.close()
            else:
                self.loop.create_task(self.serve(connection))

    async def serve(self, connection):
        try:
            await asyncio.wait_for(self.loop.sock_recv(connection, 1000), 20)
            await self.loop.sock_sendall(connection, b"an answer\n" * 20)
            if not self.closes_first:
                await asyncio.wait_for(self.loop.sock_recv(connection, 1000), 20)
        except (OSError, asyncio.TimeoutError):
            pass
        connection.close()


class World:
    """One run. It draws its addresses first; a kind of incident then says what the kernel is to set up."""

    def __init__(self, seed):
        self.draw = draw = random.Random(seed)
        second = draw.choice((20, 21, 22))
        # Subnets of one /16, or of two.
        self.subnets = draw.choice(((f"10.{second}.1", f"10.{second}.2"), (f"10.{second}.1", f"10.{second + 8}.7")))
        self.clients = [[f"{net}.{11 + n}" for n in range(draw.randint(3, 6))] for net in self.subnets]
        self.hosts = ["10.1.1.10", "10.1.1.11"]
        self.ports = [sorted(draw.sample(PORTS, draw.randint(2, 3))) for _ in self.hosts]
        self.endpoints = [(host, port) for host, ports in zip(self.hosts, self.ports) for port in ports]
        # Services that close before their clients do.
        self.closing_first = {endpoint for endpoint in self.endpoints if draw.random() < 0.3}
        self.seconds = draw.uniform(28, 42)
        self.rate = draw.uniform(11, 16)
        # Where the incident begins, as a fraction of the time; 0 for from the start.
        self.begin = 0 if draw.random() < 0.25 else draw.uniform(0.25, 0.5)
        self.linear_timeouts = draw.choice((0, 4))
        self.place = None
        # Done in the namespaces before the traffic begins.
        self.preparation = None
        # (a server or a subnet, its number, seconds each way) of a slow link.
        self.link_at = None
        self.link = None
        self.truth = None
        self.keeps = None
        self.fast_open = False
        # Seconds that clients wait before their first line.
        self.pause = 0
        self.connections, self.strangers = [], []
        self.namespaces, self.listeners, self.watchers = [], {}, []
        self.loops = []
        # When the last act of a step began.
        self.acting = None
        # What is to stay open; clients that close with RST.
        self.handles, self.resetting = [], set()
        self.ending = False
        self.notes = []

    # What kinds say before the kernel is asked

    @property
    def everyone(self):
        return [client for clients in self.clients for client in clients]

    def capture(self, *places):
        """The places where the incident can be seen."""
        self.place = self.draw.choice(places)

    def pick_host(self):
        return self.draw.randrange(2)

    def at(self, host):
        return [(self.hosts[host], port) for port in self.ports[host]]

    # The kernel

    def set_up(self):
        stem = f"inc{os.getpid()}"
        make = lambda role: self.namespaces.append(Namespace(f"{stem}{role}")) or self.namespaces[-1]
        self.router = make("r")
        self.client_spaces = [make(f"c{n}") for n in range(2)]
        self.server_spaces = [make(f"s{n}") for n in range(2)]
        for space in self.namespaces:
            space.sysctl(ipv6__conf__all__disable_ipv6=1, ipv6__conf__default__disable_ipv6=1)
        self.ip(self.router, "link add br0 type bridge")
        self.ip(self.router, "link set br0 up")
        self.ip(self.router, "addr add 10.1.1.1/24 dev br0")
        self.router.call(no_offload, "br0")
        self.router.sysctl(ipv4__ip_forward=1)
        self.ip(self.router, f"route add blackhole {NOWHERE}")
        for number, space in enumerate(self.client_spaces):
            net = self.subnets[number]
            self.join(space, "c", number)
            for address in self.clients[number]:
                self.ip(space, f"addr add {address}/24 dev eth0")
            self.ip(self.router, f"addr add {net}.1/24 dev c{number}")
            self.ip(space, f"route add default via {net}.1")
            space.sysctl(
                ipv4__tcp_syn_retries=3, ipv4__tcp_syn_linear_timeouts=self.linear_timeouts,
                ipv4__tcp_fastopen=1 if self.fast_open else 0)
        for number, space in enumerate(self.server_spaces):
            self.join(space, "s", number)
            self.ip(self.router, f"link set s{number} master br0")
            self.ip(space, f"addr add {self.hosts[number]}/24 dev eth0")
            self.ip(space, "route add default via 10.1.1.1")
            space.sysctl(ipv4__tcp_synack_retries=4, ipv4__tcp_fastopen=2 if self.fast_open else 0)
        if self.link_at:
            self.link = Link(self.link_space, self.link_at[2])
        for space in [self.router, *self.client_spaces, *self.server_spaces]:
            self.nft(space, "\n".join([
                "table ip incident {",
                *(f" chain {hook} {{ type filter hook {hook} priority {priority}; }}" for hook, priority in (
                    ("prerouting", -300), ("input", 0), ("forward", 0), ("output", 0), ("postrouting", 300))),
                "}"]))
        for number, space in enumerate(self.server_spaces):
            self.start_loop(space, self.serve, number)
        while len(self.listeners) < len(self.endpoints):
            time.sleep(0.02)

    def join(self, space, role, number):
        """A link from a host to the router, perhaps with a slow one between."""
        name = f"{role}{number}"
        if self.link_at and self.link_at[:2] == (role, number):
            self.link_space = Namespace(f"inc{os.getpid()}l")
            self.namespaces.append(self.link_space)
            between = self.link_space
            between.sysctl(ipv6__conf__default__disable_ipv6=1)
            self.pair(space, "eth0", between, "near")
            self.pair(between, "far", self.router, name)
        else:
            self.pair(space, "eth0", self.router, name)
        self.ip(space, "link set lo up")

    def pair(self, one, name, other, peer):
        subprocess.run(
            ["ip", "-n", one.name, "link", "add", name, "type", "veth", "peer", "name", peer, "netns", other.name],
            check=True)
        for space, interface in ((one, name), (other, peer)):
            space.call(no_offload, interface)
            self.ip(space, f"link set {interface} up")

    @staticmethod
    def ip(space, words):
        subprocess.run(["ip", "-n", space.name, *words.split()], check=True)

    @staticmethod
    def nft(space, text):
        run = lambda: subprocess.run(["nft", "-f", "-"], input=text, text=True, check=True)
        space.call(run)

    def rule(self, space, chain, text):
        self.acting = time.time_ns()
        self.nft(space, f"add rule ip incident {chain} {text}")

    # The traffic

    def start_loop(self, space, work, number):
        """A thread with a loop of its own in a namespace."""
        def body():
            loop = asyncio.new_event_loop()
            self.loops.append(loop)
            work(loop, number)
            loop.run_forever()
            for task in asyncio.all_tasks(loop):
                task.cancel()

        return space.thread(body)

    def serve(self, loop, number):
        for port in self.ports[number]:
            self.listeners[(self.hosts[number], port)] = Listener(
                loop, self.hosts[number], port, (self.hosts[number], port) in self.closing_first, self.fast_open)

    def set_mode(self, endpoint, mode, backlog=1024):
        """Of a service; returns when it is so."""
        self.acting = time.time_ns()
        listener, done = self.listeners[endpoint], threading.Event()
        listener.loop.call_soon_threadsafe(lambda: (listener.set_mode(mode, backlog), done.set()))
        done.wait()

    def plan(self, only=None, count=None):
        """Connections at random moments: each client and each server some, or those of `only`."""
        pairs = only or [(client, server) for client in self.everyone for server in self.endpoints]
        count = count or max(len(pairs) * 2, int(self.rate * self.seconds))
        chosen = (pairs if not only else []) + [self.draw.choice(pairs) for _ in range(count)]
        self.connections += [
            Connection(
                self.draw.random() * self.seconds, client, server, self.draw.choice((3.5, 30, 30)),
                self.draw.choice((0, 0, self.draw.random() * 2)))
            for client, server in chosen[:max(count, len(pairs))]]

    def ask(self, loop, number):
        """All connections of a subnet's clients."""
        mine = [one for one in self.connections if one.client in self.clients[number]]
        for connection in mine:
            wait = max(0, connection.when - (time.monotonic() - self.started))
            loop.call_later(wait, lambda one=connection: loop.create_task(self.connect(loop, one)))

    async def connect(self, loop, connection):
        handle = socket.socket()
        handle.setblocking(False)
        handle.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
        if self.fast_open:
            handle.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1)
        if connection.client in self.resetting:
            handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handle.bind((connection.client, 0))
        connection.time = time.time_ns()
        try:
            asked = loop.create_task(loop.sock_connect(handle, connection.server))
            await asyncio.sleep(0)
            connection.port = handle.getsockname()[1]
            await asyncio.wait_for(asked, connection.patience)
            connection.is_connected = True
            connection.retransmissions = handle.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)[100]
            await asyncio.sleep(self.pause)
            await loop.sock_sendall(handle, b"a line\n")
            await asyncio.wait_for(loop.sock_recv(handle, 1000), 10)
            await asyncio.sleep(connection.linger)
        except asyncio.TimeoutError:
            connection.error = connection.error or "timeout"
        except OSError as error:
            if not connection.is_connected:
                connection.error = errno.errorcode.get(error.errno, str(error.errno))
        if not connection.is_connected:
            connection.retransmissions = handle.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)[100]
        handle.close()

    # What strangers send

    def stranger(self, client, server):
        """Notes an attempt that is no part of the traffic."""
        one = Connection(0, client, server)
        one.time = time.time_ns()
        self.strangers.append(one)

    def send_syn(self, handle, client, server, sport=None):
        sport = sport or self.draw.randint(1024, 65000)
        segment = tcp_segment((client, sport), server, self.draw.getrandbits(32), 0, SYN)
        self.stranger(client, server)
        handle.sendto(packet(client, server[0], segment), (server[0], 0))

    def check(self, client, server):
        """Connects, and resets the connection."""
        handle = socket.socket()
        handle.settimeout(1)
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handle.bind((client, 0))
        self.stranger(client, server)
        try:
            handle.connect(server)
        except OSError:
            pass
        handle.close()

    def background(self, space, work):
        """A thread of the incident, that looks at `ending`."""
        self.watchers.append(space.thread(work))

    # The run

    def run(self, incident, path):
        """`incident` is a generator: what is before its first yield is said before the kernel is asked; each yield is
        the fraction of the time at which it goes on. Its steps begin and end spans of the truth in turn."""
        try:
            at = next(incident, None)
            if self.place is None:
                self.capture("servers", "clients", "both")
            if not self.connections:
                self.plan()
            self.set_up()
            if self.preparation:
                self.preparation()
            names = {"servers": ["br0"], "clients": ["c0", "c1"], "both": ["br0", "c0", "c1"]}[self.place]
            sniffer = Sniffer(self.router, names, path, self.keeps)
            time.sleep(0.3)
            if at == 0:
                at = self.go_on(incident, is_from_start=True)
            self.started = time.monotonic()
            for number, space in enumerate(self.client_spaces):
                self.start_loop(space, self.ask, number)
            while at is not None:
                time.sleep(max(0, self.started + at * self.seconds - time.monotonic()))
                at = self.go_on(incident)
            time.sleep(max(0, self.started + self.seconds - time.monotonic()))
            # So long until an attempt without answer is decided.
            time.sleep(8.6)
            self.ending = True
            sniffer.stop()
        finally:
            self.ending = True
            self.take_down()

    def go_on(self, incident, is_from_start=False):
        self.acting = time.time_ns()
        at = next(incident, None)
        moment = (self.acting + time.time_ns()) // 2
        if self.truth:
            spans = self.truth.spans
            if spans and spans[-1][1] is None:
                spans[-1] = (spans[-1][0], moment)
            else:
                spans.append((None if is_from_start else moment, None))
        return at

    def take_down(self):
        for watcher in self.watchers:
            watcher.join(timeout=3)
        for loop in self.loops:
            loop.call_soon_threadsafe(loop.stop)
        if self.link:
            self.link.stop()
        for namespace in self.namespaces:
            subprocess.run(["ip", "netns", "del", namespace.name], check=False)
