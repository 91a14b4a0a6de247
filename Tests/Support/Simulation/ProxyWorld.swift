import HandshakeComparison
import HandshakeRecord
import PacketWire

/// Connections of which a SYN proxy ends the client's handshake and begins another one with the server (RFC 4987 3.6),
/// seen from two or three points. Both sides lose packets, and the captures some.
package struct ProxyWorld {
    package let seed: UInt64
    package let flavor: Flavor
    package let proxyIsNearClient: Bool
    package private(set) var points: [PathWorld.Point] = []
    package private(set) var packets: [Packet] = []
    package static let connectionCount = 24

    /// What a proxy's own handshakes look like.
    package enum Flavor: CaseIterable, Sendable {
        /// Linux: the SYN-ACK closes the window, and the SYN behind it has the timestamps of the client's ACK.
        case linux
        /// Timestamps of its own on both sides, and an open window.
        case ownTimestamps
        /// No timestamps, and an open window: only times tell it from a box that rewrites y.
        case silent
    }

    package struct Packet: Sendable {
        package var connection: Int
        package var fromClient: Bool
        package var isBehindProxy: Bool
        /// It came to the end of its side.
        package var arrived = false
        /// Places that it passed, captured or not.
        package var passed: Set<PathWorld.Place> = []
    }

    private struct Content {
        var letters: String
        var seq: UInt32
        var ack: UInt32 = 0
        var timestamps: (value: UInt32, echo: UInt32)?
        var window: UInt16 = 64_240
        var mss: UInt16?
        var length: UInt32 = 0
    }

    private var draw: Draw
    /// Nanoseconds: client to proxy, proxy to server.
    private let delays: (near: Int64, far: Int64)
    private let losses: (near: Double, far: Double)
    private var identification: UInt16 = 1

    package init(seed: UInt64) {
        self.seed = seed
        draw = Draw(seed: seed ^ 0x5e9_0a51)
        flavor = draw.pick(Flavor.allCases)
        proxyIsNearClient = draw.chance(0.5)
        delays = (
            draw.nanoseconds(draw.pick([0.05...0.1, 1...20, 30...90])),
            draw.nanoseconds(draw.pick([0.02...0.2, 1...40]))
        )
        losses = (draw.pick([0, 0.05, 0.3]), draw.pick([0, 0.05, 0.3]))
        let places = draw.pick([[PathWorld.Place.client, .server], PathWorld.Place.allCases])
        let end: Int64 = 120_000_000_000
        for place in places {
            points.append(
                PathWorld.Point(
                    place: place, offset: draw.chance(0.3) ? 0 : draw.nanoseconds(-3_600_000...3_600_000), skew: 0,
                    step: nil, tick: 1, captureLoss: draw.pick([0, 0, 0.02]), span: 0...end))
        }
        for connection in 0..<ProxyWorld.connectionCount {
            run(connection, at: draw.nanoseconds(0...60_000))
        }
        PathWorld.complete(&points)
    }

    // MARK: One connection

    private mutating func run(_ number: Int, at start: Int64) {
        let (x, y, z) = (draw.number(), draw.number(), draw.number())
        let clocks = (client: draw.number() | 1, proxy: draw.number() | 1, server: draw.number() | 1)
        func stamp(_ clock: UInt32, _ time: Int64) -> UInt32 { clock &+ UInt32(truncatingIfNeeded: time / 1_000_000) }
        let hasTimestamps = flavor != .silent
        // The client's side: each SYN that arrives is answered, until an answer has come.
        var answered: (time: Int64, echo: UInt32)?
        for gap in [0, 1, 3, 7] as [Int64] {
            let time = start + gap * 1_000_000_000
            if let answered, answered.time <= time { break }
            let value = stamp(clocks.client, time)
            let syn = Content(letters: "S", seq: x, timestamps: hasTimestamps ? (value, 0) : nil, mss: 1460)
            guard let came = send(syn, number, fromClient: true, behind: false, at: time) else { continue }
            let own = stamp(clocks.proxy, came)
            var answer = Content(
                letters: "S.", seq: y, ack: x &+ 1, timestamps: hasTimestamps ? (own, value) : nil, mss: 1400)
            if flavor == .linux { answer.window = 0 }
            guard let back = send(answer, number, fromClient: false, behind: false, at: came + 10_000) else { continue }
            if answered.map({ back < $0.time }) ?? true { answered = (back, own) }
        }
        guard let answered else { return }
        // The ACK, and the data until something arrives.
        var opened: (time: Int64, value: UInt32)?
        for (place, wait) in ([20_000, 50_000_000, 250_000_000, 650_000_000] as [Int64]).enumerated() {
            let time = answered.time + wait
            let value = stamp(clocks.client, time)
            let segment = Content(
                letters: place == 0 ? "." : "P.", seq: x &+ 1, ack: y &+ 1,
                timestamps: hasTimestamps ? (value, answered.echo) : nil, length: place == 0 ? 0 : 100)
            if let came = send(segment, number, fromClient: true, behind: false, at: time) {
                opened = (came, value)
                break
            }
        }
        guard let opened else { return }
        // The server's side.
        for gap in [0, 1, 3] as [Int64] {
            let time = opened.time + gap * 1_000_000_000 + 5000
            var syn = Content(letters: "S", seq: x, mss: 1460)
            switch flavor {
            case .linux: syn.timestamps = (opened.value, answered.echo)
            case .ownTimestamps: syn.timestamps = (stamp(clocks.proxy &+ 0x1234_5678, time), 0)
            case .silent: break
            }
            guard let came = send(syn, number, fromClient: true, behind: true, at: time) else { continue }
            let answer = Content(
                letters: "S.", seq: z, ack: x &+ 1,
                timestamps: syn.timestamps.map { (stamp(clocks.server, came), $0.value) }, mss: 1460)
            guard let back = send(answer, number, fromClient: false, behind: true, at: came + 30_000) else { continue }
            let last = Content(
                letters: ".", seq: x &+ 1, ack: z &+ 1,
                timestamps: answer.timestamps.map { (opened.value, $0.value) })
            _ = send(last, number, fromClient: true, behind: true, at: back + 5000)
            return
        }
    }

    // MARK: The network

    /// - Returns: when it came to the end of its side; nil where it was lost.
    private mutating func send(
        _ content: Content, _ connection: Int, fromClient: Bool, behind: Bool, at time: Int64
    ) -> Int64? {
        let number = packets.count
        packets.append(Packet(connection: connection, fromClient: fromClient, isBehindProxy: behind))
        identification &+= 1
        let delay = behind ? delays.far : delays.near
        let isLost = draw.chance(behind ? losses.far : losses.near)
        let isLostEarly = isLost && draw.chance(0.5)
        let end: PathWorld.Place = behind ? .server : .client
        let hasWay = proxyIsNearClient == behind
        let startsAtEnd = fromClient != behind
        if startsAtEnd { pass(end, number, content, at: time) }
        if hasWay, !isLostEarly { pass(.way, number, content, at: time + delay / 2) }
        if isLost { return nil }
        packets[number].arrived = true
        if !startsAtEnd { pass(end, number, content, at: time + delay) }
        return time + delay
    }

    private mutating func pass(_ place: PathWorld.Place, _ number: Int, _ content: Content, at time: Int64) {
        packets[number].passed.insert(place)
        guard let position = points.firstIndex(where: { $0.place == place }),
            !draw.chance(points[position].captureLoss)
        else { return }
        let packet = packets[number]
        let client = Endpoint(IPAddress(v4: 0x0a01_0000 + UInt32(packet.connection) + 1), 40_000)
        let server = Endpoint(IPAddress(v4: 0xc000_0250), 443)
        var segment = Segment(from: packet.fromClient ? client : server, to: packet.fromClient ? server : client)
        segment.flags = TCPFlags(content.letters) ?? []
        (segment.seq, segment.ack, segment.window) = (content.seq, content.ack, content.window)
        segment.payloadLength = content.length
        // Proxies and SYN-ACKs of Linux have none.
        segment.identification = packet.fromClient && !packet.isBehindProxy ? identification : 0
        segment.hopLimit = 64 - (place == .way ? 4 : 0)
        if let mss = content.mss { (segment.options.mss, segment.options.present) = (mss, .mss) }
        if let (value, echo) = content.timestamps {
            segment.options.present.insert(.timestamps)
            (segment.options.tsval, segment.options.tsecr) = (value, echo)
        }
        let moment = PathWorld.start + time
        points[position].frames.append(
            PathWorld.Frame(
                octets: FrameEncoder(.ethernet).encode(segment), time: points[position].clock(moment), trueTime: moment,
                world: packet.connection, packet: number))
    }

    // MARK: What is said of it

    package func judged() -> PathVerdictCounts {
        var counts = PathVerdictCounts()
        counts.connections = ProxyWorld.connectionCount
        guard case .success(let comparison) = PathWorld.comparison(points) else {
            counts.refused += 1
            return counts
        }
        for place in 0..<comparison.count {
            let verdict = comparison.verdict(place)
            let before = counts.wrong.count
            judge(verdict, &counts)
            if counts.wrong.count > before {
                counts.listings.append(listing(verdict))
            }
        }
        return counts
    }

    /// What the points have of an attempt, for whoever looks for a mistake.
    private func listing(_ verdict: PathVerdict) -> String {
        let seen = verdict.packets.map { packet in
            let numbers = packet.seen.enumerated().map { position, segment in
                segment.map { "\(self.packet(position, $0)) at \($0.time % 1_000_000_000_000)" } ?? "-"
            }
            return "  \(packet.kind) \(packet.fromClient) \(numbers) \(packet.fate) \(packet.notCapturedAt)"
        }
        return (["\(flavor), proxied \(verdict.proxiedIn.map { "\($0)" } ?? "no")"] + seen).joined(separator: "\n")
    }

    private func packet(_ position: Int, _ segment: PointSegment) -> Int {
        points[position].frames[Int(segment.frame) - 1].packet
    }

    private func judge(_ verdict: PathVerdict, _ counts: inout PathVerdictCounts) {
        guard verdict.points == Array(points.indices) else {
            // Legs of two handshakes say nothing of the order.
            return
        }
        // The stretch that the proxy is in, among the points that have the attempt.
        let behind = points.map { $0.place == .server || $0.place == .way && proxyIsNearClient }
        let present = verdict.attempts.indices.filter { verdict.attempts[$0] != nil }
        let isAnsweredOnBoth = zip(present, present.dropFirst()).contains {
            behind[$0] != behind[$1] && verdict.attempts[$0]?.serverISN != nil && verdict.attempts[$1]?.serverISN != nil
        }
        if let stretch = verdict.proxiedIn {
            counts.proxied += 1
            if behind[stretch.from] || !behind[stretch.to] { counts.wrong.append("the proxy is said to be elsewhere") }
        } else if isAnsweredOnBoth {
            counts.notProxied += 1
            if flavor == .linux { counts.wrong.append("the proxy (\(flavor)) is taken for a rewriting") }
        }
        for packet in verdict.packets { judge(packet, verdict, &counts) }
    }

    private func judge(_ packet: PathPacket, _ verdict: PathVerdict, _ counts: inout PathVerdictCounts) {
        let seen = packet.seen.enumerated().compactMap { position, segment in segment.map { self.packet(position, $0) }
        }
        guard let number = seen.first else { return }
        let truth = packets[number]
        let what = "packet \(number) of connection \(truth.connection), \(packet.kind)"
        if Set(seen).count > 1 {
            counts.falseMatches += 1
            counts.wrong.append("\(what) and another are taken for one")
            return
        }
        func passed(_ position: Int) -> Bool { truth.passed.contains(points[position].place) }
        if case .lost(let stretch) = packet.fate {
            counts.saidLost += 1
            if passed(stretch.to), points[stretch.to].captureLoss > 0 {
                counts.doubleFaults += 1
            } else if passed(stretch.to) || truth.arrived {
                counts.wrong.append("\(what) is said to be lost, and was not")
            }
        }
        for position in packet.notCapturedAt {
            counts.notCaptured += 1
            if !passed(position) { counts.wrong.append("\(what) is said to have passed where it did not") }
        }
        if let stretch = packet.madeBetween, passed(stretch.from) {
            counts.wrong.append("\(what) is said to be made where it came by")
        }
    }
}
