"""The kinds of incidents. Each is a generator over a world (incident_world.World.run). Before its first yield it says
what there is to find and where it can be seen; each yield is the fraction of the time at which it goes on."""
import socket
import struct
import time

from incident_world import ACK, RST, SYN, Truth, packet, raw_socket
from namespaces import flags, internet_sum, link_address, packet_socket, receive, tcp_segment

KINDS = {}
ANSWER = "tcp flags & (syn | ack) == (syn | ack)"


def kind(name):
    def register(work):
        KINDS[name] = work
        return work

    return register


# What incidents are about

def to(world, servers):
    """The match of some endpoints, in the direction of the servers."""
    if set(servers) == set(world.endpoints):
        return ""
    hosts = {host for host, _ in servers}
    assert len(hosts) == 1
    host = hosts.pop()
    return f"ip daddr {host} " if len(servers) > 1 else f"ip daddr {host} tcp dport {servers[0][1]} "


def back(world, servers):
    return to(world, servers).replace("daddr", "saddr").replace("dport", "sport")


def some_servers(world, *forms):
    """All endpoints, those of a host, or one."""
    form = world.draw.choice(forms)
    if form == "all":
        return world.endpoints
    host = world.pick_host()
    return world.at(host) if form == "host" else [world.draw.choice(world.at(host))]


def subnet(world, number):
    return f"{world.subnets[number]}.0/24"


def a_filter(world):
    """A filter in the direction of the servers, on the router or on the servers -> a function that makes a rule."""
    if world.draw.random() < 0.5:
        world.capture("clients", "both")
        return lambda text: world.rule(world.router, "forward", text)
    world.capture("servers", "clients", "both")
    return lambda text: [world.rule(space, "input", text) for space in world.server_spaces]


def a_link(world, role, seconds):
    number = world.draw.randrange(2)
    world.link_at = (role, number, seconds)
    return number


# Filters

def of_port(name, code, verdict):
    @kind(name)
    def run(world):
        servers = some_servers(world, "port")
        filtering = a_filter(world)
        world.truth = Truth(code, servers, world.everyone)
        yield world.begin
        filtering(to(world, servers) + verdict)


of_port("port-dropped", "port-filtered", "drop")
of_port("port-prohibited", "port-filtered", "reject with icmp type admin-prohibited")
of_port("port-unreachable", "port-filtered", "reject with icmp type port-unreachable")
of_port("port-rejected", "port-refused", "reject with tcp reset")


def of_clients(name, verdict, is_one=False):
    @kind(name)
    def run(world):
        servers = some_servers(world, "all", "host") if is_one else some_servers(world, "all", "host", "port")
        number = world.draw.randrange(2)
        clients = world.clients[number]
        match = f"ip saddr {subnet(world, number)} "
        if is_one:
            clients = [world.draw.choice(clients)]
            match = f"ip saddr {clients[0]} "
        filtering = a_filter(world)
        world.truth = Truth("clients-blocked", servers, clients)
        yield world.begin
        filtering("meta l4proto tcp " + match + to(world, servers) + verdict)


of_clients("clients-dropped", "drop")
of_clients("clients-prohibited", "reject with icmp type admin-prohibited")
of_clients("clients-rejected", "reject with tcp reset")
of_clients("one-client-dropped", "drop", is_one=True)


# Hosts

@kind("host-down")
def host_down(world):
    host = world.pick_host()
    world.capture("clients", "both")
    world.truth = Truth("host-unreachable", world.at(host), world.everyone)
    yield world.begin
    # The router notices soon that nobody answers its ARP requests.
    world.router.sysctl(
        ipv4__neigh__br0__base_reachable_time_ms=400, ipv4__neigh__br0__delay_first_probe_time=0,
        ipv4__neigh__br0__retrans_time_ms=100)
    world.ip(world.server_spaces[host], "link set eth0 down")
    world.ip(world.router, f"neigh flush to {world.hosts[host]}")


@kind("host-silent")
def host_silent(world):
    host = world.pick_host()
    world.truth = Truth("host-silent", world.at(host), world.everyone)
    yield world.begin
    world.rule(world.server_spaces[host], "input", "drop")


@kind("host-off")
def host_off(world):
    """The router keeps the address of its neighbour, as with a static entry."""
    host = world.pick_host()
    world.truth = Truth("host-silent", world.at(host), world.everyone)
    yield world.begin
    space = world.server_spaces[host]
    address = space.call(link_address, "eth0")
    world.ip(world.router, f"neigh replace {world.hosts[host]} lladdr {address} dev br0 nud permanent")
    world.ip(space, "link set eth0 down")


# Services

@kind("port-closed")
def port_closed(world):
    servers = some_servers(world, "port")
    world.truth = Truth("port-refused", servers, world.everyone)
    yield world.begin
    world.set_mode(servers[0], "closed")


@kind("service-flaps")
def service_flaps(world):
    servers = some_servers(world, "port")
    world.truth = Truth("port-refused", servers, world.everyone)
    world.plan(count=int(world.rate * world.seconds * 1.3))
    yield world.draw.uniform(0.15, 0.25)
    world.set_mode(servers[0], "closed")
    yield world.draw.uniform(0.4, 0.5)
    world.set_mode(servers[0], "serves")
    yield world.draw.uniform(0.65, 0.75)
    world.set_mode(servers[0], "closed")


@kind("accept-queue-full")
def accept_queue_full(world):
    """An application accepts one connection in 1.5 s. The truth begins where the kernel first counts an overflow."""
    host = a_link(world, "s", world.draw.uniform(0.02, 0.04))
    servers = [world.draw.choice(world.at(host))]
    world.truth = Truth("accept-queue-full", servers, world.everyone)
    # Clients come in small crowds there.
    world.plan()
    moments = [world.draw.random() * world.seconds for _ in range(int(world.seconds / 2))]
    for moment in moments:
        crowd = world.draw.randint(3, 7)
        before = len(world.connections)
        world.plan([(client, servers[0]) for client in world.everyone], crowd)
        for connection in world.connections[before:]:
            connection.when = moment + world.draw.random() * 0.1
    yield world.begin
    world.set_mode(servers[0], "slow", backlog=world.draw.randint(1, 4))

    def watch():
        still = time.time_ns()
        while not world.ending:
            with open("/proc/thread-self/net/netstat") as handle:
                names, values = handle.read().splitlines()[:2]
            if int(dict(zip(names.split(), values.split()))["ListenOverflows"]):
                # What overflowed was on its way before.
                world.truth.begin = still - int(world.link.delay * 1e9)
                return
            still = time.time_ns()
            time.sleep(0.005)

    world.background(world.server_spaces[host], watch)


@kind("server-resets")
def server_resets(world):
    servers = some_servers(world, "host", "port")
    world.truth = Truth("server-resets", servers, world.everyone)
    # Where data of the client come first, the kernel acknowledges them, and nothing of the handshake shows the RST.
    world.pause = 0.15
    yield world.begin
    for server in servers:
        world.set_mode(server, "resets")


# Handshakes that are not finished

@kind("answers-lost")
def answers_lost(world):
    number = world.draw.randrange(2)
    servers = some_servers(world, "all", "host")
    match = back(world, servers) + f"ip daddr {subnet(world, number)} {ANSWER} drop"
    world.truth = Truth("answers-lost", servers, world.clients[number])
    is_on_router = world.draw.random() < 0.5
    world.capture(*(("servers", "both") if is_on_router else ("servers", "clients", "both")))
    yield world.begin
    if is_on_router:
        world.rule(world.router, "forward", match)
    else:
        world.rule(world.client_spaces[number], "input", match)


@kind("final-acks-lost")
def final_acks_lost(world):
    """The way from the clients carries SYNs only."""
    world.capture("servers")
    servers = some_servers(world, "all", "host")
    clients, match = world.everyone, ""
    if world.draw.random() < 0.5:
        number = world.draw.randrange(2)
        clients, match = world.clients[number], f"ip saddr {subnet(world, number)} "
    elif len(servers) == len(world.endpoints):
        match = "ip daddr 10.1.1.0/24 "
    world.truth = Truth("final-acks-lost", servers, clients)
    yield world.begin
    world.rule(world.router, "forward", match + to(world, servers) + "tcp flags & syn == 0 drop")


@kind("clients-reject")
def clients_reject(world):
    """Filters of the clients' own reject the answers."""
    number = world.draw.randrange(2)
    servers = some_servers(world, "all", "host")
    world.truth = Truth("client-resets", servers, world.clients[number])
    yield world.begin
    world.rule(world.client_spaces[number], "input", back(world, servers) + ANSWER + " reject with tcp reset")


@kind("fast-open-dropped")
def fast_open_dropped(world):
    """A client's kernel gives Fast Open up after a few losses: so it happens to a share."""
    host = world.pick_host()
    world.fast_open = True
    world.truth = Truth("fast-open-blackholed", world.at(host), world.everyone, rate=lambda one: one.went_hard)
    yield 0
    world.rule(world.server_spaces[host], "input", "tcp flags & syn == syn tcp option fastopen exists drop")


# The path

@kind("path-loss")
def path_loss(world):
    """Losses in one direction of a host or of a subnet."""
    percent = world.draw.randint(5, 15)
    is_of_host, is_towards_it = world.draw.random() < 0.5, world.draw.random() < 0.5
    if is_of_host:
        host = world.pick_host()
        name, servers, clients = world.hosts[host], world.at(host), world.everyone
    else:
        number = world.draw.randrange(2)
        name, servers, clients = subnet(world, number), world.endpoints, world.clients[number]
    # A drop on the way out of an end would tell its kernel: the router drops it. What is lost before the capture is
    # not seen.
    world.capture(*(("clients", "both") if not is_of_host and not is_towards_it else ("servers", "clients", "both")))
    world.truth = Truth("path-loss", servers, clients, rate=lambda one: one.went_hard)
    # A few losses among few attempts have no place: more are asked for.
    world.plan(count=int(world.rate * world.seconds * 2))
    world.notes.append(f"{percent} % {'to' if is_towards_it else 'from'} {name}")
    yield 0
    drop = f"numgen random mod 100 < {percent} drop"
    if is_towards_it:
        space = world.server_spaces[host] if is_of_host else world.client_spaces[number]
        world.rule(space, "input", "meta l4proto tcp " + drop)
    else:
        world.rule(world.router, "forward", f"meta l4proto tcp ip saddr {name} " + drop)


@kind("server-slow")
def server_slow(world):
    host = a_link(world, "s", world.draw.uniform(0.0005, 0.006))
    world.truth = Truth("server-slow", world.at(host), world.everyone)
    world.begin = world.draw.uniform(0.3, 0.55)
    yield world.begin
    world.link.delay += world.draw.uniform(0.015, 0.06)


@kind("client-slow")
def client_slow(world):
    number = a_link(world, "c", world.draw.uniform(0.0005, 0.006))
    world.truth = Truth("client-slow", world.endpoints, world.clients[number])
    world.begin = world.draw.uniform(0.3, 0.55)
    yield world.begin
    world.link.delay += world.draw.uniform(0.015, 0.06)


@kind("middlebox-resets")
def middlebox_resets(world):
    """A box on the router answers final ACKs with RSTs in both ends' names."""
    servers = some_servers(world, "host", "port")
    share = world.draw.choice((1.0, 1.0, 0.5))
    # Several hops away, by the usual initial limits: nearer ones may as well be the ends' own.
    hops = world.draw.choice((250, 120, 56, 40))
    hit = set()
    # The box is no part of the path: what clients send at once would be before its RSTs.
    world.pause = 0.15
    is_hit = lambda one: (one.client, one.port) in hit
    world.truth = Truth("reset-by-middlebox", servers, world.everyone, rate=None if share == 1 else is_hit)
    yield world.begin

    def inject():
        eyes, hand, open_ones = packet_socket("br0"), raw_socket(), set()
        while not world.ending:
            got = receive(eyes)
            if not got:
                time.sleep(0.0005)
                continue
            frame = got[0]
            if frame[12:14] != b"\x08\0" or frame[23] != 6:
                continue
            source, target = socket.inet_ntoa(frame[26:30]), socket.inet_ntoa(frame[30:34])
            sport, dport, seq, ack = struct.unpack("!HHII", frame[34:46])
            if flags(frame) & (SYN | ACK) == SYN | ACK:
                open_ones.add((target, dport, source, sport))
            elif (source, sport, target, dport) in open_ones and flags(frame) & ACK:
                open_ones.discard((source, sport, target, dport))
                if (target, dport) not in servers or world.draw.random() >= share:
                    continue
                hit.add((source, sport))
                forged = tcp_segment((target, dport), (source, sport), ack, 0, RST)
                hand.sendto(packet(target, source, forged, hops), (source, 0))
                forged = tcp_segment((source, sport), (target, dport), seq, 0, RST)
                hand.sendto(packet(source, target, forged, hops), (target, 0))

    world.background(world.router, inject)


@kind("mss-clamped")
def mss_clamped(world):
    world.capture("both")
    servers = some_servers(world, "all", "host")
    clients, match = world.everyone, to(world, servers)
    if world.draw.random() < 0.5:
        number = world.draw.randrange(2)
        clients, match = world.clients[number], match + f"ip saddr {subnet(world, number)} "
    world.truth = Truth("mss-clamped", servers, clients)
    yield world.begin
    world.rule(
        world.router, "forward",
        match + f"tcp flags & (syn | rst) == syn tcp option maxseg size set {world.draw.randint(1000, 1400)}")


@kind("syn-proxy")
def syn_proxy(world):
    """The router answers SYNs in the servers' name, and calls them once the client is there."""
    servers = some_servers(world, "host", "one")
    world.capture("clients", "both")
    world.truth = Truth("syn-proxy", servers, world.everyone)

    def track():
        # Connections are tracked from the start: else those underway would be invalid.
        world.router.sysctl(netfilter__nf_conntrack_tcp_loose=0)
        world.nft(world.router, "add rule ip incident forward ct state established accept")

    world.preparation = track
    yield world.begin
    match = to(world, servers)
    world.nft(world.router, f"add rule ip incident prerouting {match} tcp flags & (syn | ack) == syn notrack")
    world.rule(
        world.router, "forward",
        f"{match} ct state invalid,untracked synproxy mss 1460 wscale 7 timestamp sack-perm")


@kind("answers-from-elsewhere")
def answers_from_elsewhere(world):
    """The router rewrites the destination, and nobody rewrites the answers."""
    host = world.pick_host()
    servers = [world.draw.choice(world.at(host))] if world.draw.random() < 0.5 else world.at(host)
    world.capture("clients", "both")
    world.truth = Truth("answer-from-elsewhere", servers, world.everyone)
    yield world.begin
    space = world.server_spaces[host]
    world.ip(space, "addr add 10.1.1.50/24 dev eth0")

    def listen():
        # The services of the other address, as behind a balancer.
        for _, port in servers:
            handle = socket.socket()
            handle.bind(("10.1.1.50", port))
            handle.listen(1024)
            world.handles.append(handle)

    space.call(listen)
    world.rule(world.router, "prerouting", to(world, servers) + "meta l4proto tcp ip daddr set 10.1.1.50")


@kind("numbers-rewritten")
def numbers_rewritten(world):
    """A firewall that moves the clients' sequence numbers, and not what acknowledges them."""
    host = a_link(world, "s", world.draw.uniform(0.0005, 0.004))
    move = world.draw.getrandbits(31) | 1
    world.truth = Truth("sequence-rewritten", world.at(host), world.everyone)
    yield world.begin

    def rewrite(direction, frame):
        if direction == 0 or frame[12:14] != b"\x08\0" or frame[23] != 6:
            return frame
        end = 14 + struct.unpack("!H", frame[16:18])[0]
        seq = (struct.unpack("!I", frame[38:42])[0] + move) & 0xffffffff
        segment = frame[34:38] + struct.pack("!I", seq) + frame[42:50] + b"\0\0" + frame[52:end]
        padded = segment + b"\0" * (len(segment) % 2)
        total = internet_sum(frame[26:34] + struct.pack("!BBH", 0, 6, len(segment)) + padded)
        return frame[:34] + segment[:16] + struct.pack("!H", total) + segment[18:]

    world.link.rewrite = rewrite


@kind("one-direction")
def one_direction(world):
    """A mirror that has one direction of a subnet only."""
    number = world.draw.randrange(2)
    prefix = socket.inet_aton(subnet(world, number)[:-3])[:3]
    place = world.draw.choice((26, 30))
    world.notes.append("without " + ("what clients send" if place == 26 else "what clients get"))
    world.keeps = lambda frame: frame[12:14] != b"\x08\0" or frame[place:place + 3] != prefix
    world.truth = Truth("asymmetric-routing", world.endpoints, world.clients[number])
    yield 0


@kind("port-collisions")
def port_collisions(world):
    """Clients lose their state without a word, and come again with the same ports: RSTs do not pass."""
    number = world.draw.randrange(2)
    world.truth = Truth(
        "port-reuse-collision", world.endpoints, world.clients[number], rate=lambda one: not one.is_connected)
    # No tuple is met again before the first ones were used.
    world.truth.begins_with_first = True
    world.resetting = set(world.clients[number])
    yield 0
    space = world.client_spaces[number]
    space.sysctl(ipv4__ip_local_port_range="20000 20007")
    world.rule(space, "output", "tcp flags & (rst | fin) != 0 drop")


# Strangers

@kind("scan")
def scan(world):
    number, host = world.draw.randrange(2), world.pick_host()
    scanner, count = f"{world.subnets[number]}.201", world.draw.randint(30, 60)
    hosts = [world.hosts[host]] if world.draw.random() < 0.6 else world.hosts
    prefix = hosts[0] if len(hosts) == 1 else "10.1.1.0/24"
    world.truth = Truth("scan", [], [])
    world.truth.strangers = (prefix, [], scanner)
    yield world.begin
    world.ip(world.client_spaces[number], f"addr add {scanner}/24 dev eth0")
    wait = world.draw.uniform(0.02, 0.15)
    ports = world.draw.sample(range(1, 10000), count)

    def work():
        hand = raw_socket()
        for port in ports:
            for target in hosts:
                if world.ending:
                    return
                world.send_syn(hand, scanner, (target, port))
                time.sleep(wait)

    world.background(world.client_spaces[number], work)


@kind("flood")
def flood(world):
    target = world.draw.choice(world.endpoints)
    count, wait = world.draw.randint(300, 600), world.draw.uniform(0.005, 0.02)
    world.truth = Truth("flood", [], [])
    world.truth.strangers = (target[0], [target[1]], None)
    world.begin = world.draw.uniform(0.1, 0.6)
    yield world.begin

    def work():
        hand = raw_socket()
        for _ in range(count):
            if world.ending:
                return
            world.send_syn(hand, f"198.18.{world.draw.randrange(256)}.{world.draw.randint(1, 254)}", target)
            time.sleep(wait)

    world.background(world.client_spaces[world.draw.randrange(2)], work)


@kind("health-checks")
def health_checks(world):
    """A balancer resets what it opens: after connect(), or by SYNs of its own making, whose SYN-ACKs its kernel answers
    with RST."""
    connects = world.draw.random() < 0.5
    number = world.draw.randrange(2)
    checker, target = f"{world.subnets[number]}.202", world.draw.choice(world.endpoints)
    period = world.draw.choice((0.5, 1, 2))
    world.truth = Truth("load-balancer-checks", [], [])
    world.truth.strangers = (target[0], [target[1]], checker)
    yield world.begin
    world.ip(world.client_spaces[number], f"addr add {checker}/24 dev eth0")

    def work():
        hand, due, sport = raw_socket(), time.monotonic(), 30000
        while not world.ending:
            if connects:
                world.check(checker, target)
            else:
                world.send_syn(hand, checker, target, sport)
            sport, due = sport + 1, due + period
            time.sleep(max(0, due - time.monotonic()))

    world.background(world.client_spaces[number], work)


@kind("backscatter")
def backscatter(world):
    """A host elsewhere answers SYNs that somebody sent in these subnets' names."""
    world.capture("servers")
    victim, count = "198.18.5.5", world.draw.randint(30, 80)
    # Early on, SYNs may have been before the capture.
    world.begin = world.draw.uniform(0.3, 0.6)
    world.truth = Truth("backscatter", [], [])
    world.truth.strangers = (victim, [], None)
    yield world.begin

    def work():
        hand = raw_socket()
        for number in range(count):
            if world.ending:
                return
            target = f"{world.subnets[number % 2]}.{100 + number // 2}"
            sport = world.draw.randint(1024, 65000)
            seq, ack = world.draw.getrandbits(32), world.draw.getrandbits(32)
            answer = tcp_segment((victim, 80), (target, sport), seq, ack, SYN | ACK)
            world.stranger(target, (victim, 80))
            hand.sendto(packet(victim, target, answer), (target, 0))
            time.sleep(0.1)

    world.background(world.server_spaces[world.pick_host()], work)


@kind("healthy")
def healthy(world):
    if world.draw.random() < 0.4:
        a_link(world, world.draw.choice("cs"), world.draw.uniform(0.0005, 0.03))
    world.fast_open = world.draw.random() < 0.2
    return
    yield
