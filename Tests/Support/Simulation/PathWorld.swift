package import HandshakeComparison
import HandshakeAnalysis
import HandshakeRecord
import PacketWire

/// Worlds seen from two or three points at once: at the client, on the way, at the server. Each point has a clock of
/// its own, and may lose frames or run for a part of the time; a box between two points may translate or rewrite.
package struct PathWorld {
    package let seed: UInt64
    package let worlds: [World]
    package private(set) var points: [Point]
    package let box: Box
    /// The box is between the client and the point on the way; otherwise behind that.
    package let boxIsNearClient: Bool

    /// Where a capture is.
    package enum Place: Int, CaseIterable, Sendable { case client, way, server }

    /// What a box does to all packets.
    package enum Box: String, CaseIterable, Sendable {
        case none, sourceTranslation, destinationTranslation, bothTranslations, sequenceNumbers, timestamps
        case windowScale, sack, dscp, sequenceNumbersAndSource, serverNumbers
    }

    package struct Point: Sendable {
        package var place: Place
        /// Nanoseconds: how far its clock is ahead at the start, and seconds that it gains in a second.
        package var offset: Int64
        package var skew: Double
        /// When its clock is set, and by how much; nil where it is not.
        package var step: (at: Int64, by: Int64)?
        /// Nanoseconds that its clock counts in.
        package var tick: Int64
        package var captureLoss: Double
        package var span: ClosedRange<Int64>
        package internal(set) var frames: [Frame] = []

        func clock(_ time: Int64) -> Int64 {
            var shown = time + offset + Int64(skew * Double(time - PathWorld.start))
            if let step, time - PathWorld.start >= step.at { shown += step.by }
            return shown / tick * tick
        }
    }

    /// A captured packet.
    package struct Frame: Sendable {
        package var octets: [UInt8]
        /// By the point's clock, and truly.
        package var time: Int64
        package var trueTime: Int64
        package var world: Int
        package var packet: Int
    }

    static let start: Int64 = 1_767_225_600_000_000_000
    private static let second: Int64 = 1_000_000_000
    /// Worlds of one path.
    private static let worldCount = 24

    package init(seed: UInt64) {
        self.seed = seed
        var draw = Draw(seed: seed ^ 0x9a7_4000)
        // Kinds of servers that are boxes on the way have no place of their own here.
        var worlds: [World] = []
        var next = seed &* 1000
        while worlds.count < PathWorld.worldCount {
            let world = World(seed: next)
            next &+= 1
            let isApart =
                world.trait == .proxied || world.trait == .answersElsewhere || world.trait == .stripsTimestamps
                || world.trait == .reverseSYN || world.serverKind == .simultaneous
            // If the network doubles a packet, each point may have another copy.
            if isApart || world.packets.isEmpty { continue }
            worlds.append(world)
        }
        self.worlds = worlds
        let places: [Place] = draw.pick([[.client, .server], [.client, .way], [.way, .server], Place.allCases])
        box = draw.chance(0.5) ? .none : draw.pick(Box.allCases)
        boxIsNearClient = draw.chance(0.5)
        let starts = worlds.indices.map { _ in draw.nanoseconds(0...600_000) }
        let end = (zip(worlds, starts).map { $0.end + $1 }.max() ?? 0) + PathWorld.second
        points = places.map { place in
            Point(
                place: place, offset: draw.chance(0.3) ? 0 : draw.nanoseconds(-3_600_000...3_600_000),
                skew: draw.chance(0.3) ? 0 : Double(draw.int(-100...100)) * 1e-6,
                step: draw.chance(0.1) ? (end / 2, draw.pick([250_000_000, -250_000_000])) : nil,
                tick: draw.chance(0.3) ? 1000 : 1, captureLoss: draw.pick([0, 0, 0, 0.02]),
                span: draw.chance(0.2) ? end / 8...end - end / 8 : 0...end)
        }
        for (number, world) in worlds.enumerated() { capture(world, number, from: starts[number], &draw) }
        PathWorld.complete(&points)
    }

    /// Puts captured frames in order, and ends each capture.
    static func complete(_ points: inout [Point]) {
        for position in points.indices {
            points[position].frames.sort { ($0.time, $0.trueTime, $0.world) < ($1.time, $1.trueTime, $1.world) }
            // The end of the capture, which tells silence from a capture that ended.
            let last = points[position].clock(PathWorld.start + points[position].span.upperBound)
            for _ in 0..<2 {
                points[position].frames.append(
                    Frame(octets: PathWorld.idle, time: last, trueTime: .max, world: -1, packet: -1))
            }
        }
    }

    private static let idle = FrameEncoder(.ethernet).encodeDatagram(
        between: Endpoint(IPAddress(v4: 1), 1), Endpoint(IPAddress(v4: 2), 2))

    // MARK: What passes where

    private mutating func capture(_ world: World, _ number: Int, from start: Int64, _ draw: inout Draw) {
        for position in points.indices {
            for (time, packet, mss) in PathWorld.passing(points[position].place, world) {
                let when = start + time
                guard points[position].span.contains(when), !draw.chance(points[position].captureLoss) else { continue }
                let moment = PathWorld.start + when
                points[position].frames.append(
                    Frame(
                        octets: octets(world, number, packet, mss, at: points[position].place),
                        time: points[position].clock(moment), trueTime: moment, world: number, packet: packet))
            }
        }
    }

    /// Packets that pass a place, captured or not: when, and with which MSS.
    static func passing(_ place: Place, _ world: World) -> [(time: Int64, packet: Int, mss: UInt16?)] {
        func clamped(_ mss: UInt16?) -> UInt16? { mss.map { min($0, world.clamp?.mss ?? .max) } }
        if place == .way { return world.passes.map { ($0.time, $0.packet, $0.mss) } }
        // What arrives comes before what it makes the host send.
        let pause: Int64 = 20_000
        let sent = world.packets.filter { $0.fromClient == (place == .client) && $0.meaning != .forgedReset }
            .map { ($0.sentAt + pause, $0.index, $0.mss) }
        let arrived = world.passes.compactMap { pass -> (Int64, Int, UInt16?)? in
            guard let time = pass.arrivedAt, world.packets[pass.packet].fromClient != (place == .client) else {
                return nil
            }
            return (time, pass.packet, clamped(world.packets[pass.packet].mss))
        }
        return sent + arrived
    }

    /// Whether the box is between the client and a place.
    private func isBehindBox(_ place: Place) -> Bool {
        switch place {
        case .client: false
        case .way: boxIsNearClient
        case .server: true
        }
    }

    // MARK: Frames

    private static let server = Endpoint(IPAddress(v4: 0xc000_0250), 443)
    private static let innerServer = Endpoint(IPAddress(v4: 0x0a09_0007), 8443)

    private func octets(_ world: World, _ number: Int, _ index: Int, _ mss: UInt16?, at place: Place) -> [UInt8] {
        let sent = world.packets[index]
        if let quoted = sent.quotes {
            let about = segment(world, number, world.packets[quoted], world.packets[quoted].mss, at: place)
            return FrameEncoder(.ethernet).encode(
                ICMPError(
                    reporter: about.destination.address, type: world.icmp.type, code: world.icmp.code,
                    source: about.source, destination: about.destination, seq: about.seq), about: about)
        }
        return FrameEncoder(.ethernet).encode(segment(world, number, sent, mss, at: place))
    }

    private func segment(_ world: World, _ number: Int, _ sent: Sent, _ mss: UInt16?, at place: Place) -> Segment {
        let isBehind = isBehindBox(place)
        func isIn(_ boxes: Box...) -> Bool { isBehind && boxes.contains(box) }
        var client = Endpoint(IPAddress(v4: 0x0a01_0000 + UInt32(number) + 1), 40_000 + UInt16(number))
        var server = PathWorld.server
        if isIn(.sourceTranslation, .bothTranslations, .sequenceNumbersAndSource) {
            client = Endpoint(IPAddress(v4: 0xcb00_7101), 20_000 + UInt16(number) * 7)
        }
        if isIn(.destinationTranslation, .bothTranslations) { server = PathWorld.innerServer }
        var segment = Segment(from: sent.fromClient ? client : server, to: sent.fromClient ? server : client)
        segment.flags = TCPFlags(sent.letters) ?? []
        segment.seq = sent.seq
        let acknowledges = sent.letters.contains(".")
        if acknowledges { segment.ack = sent.ack }
        segment.payloadLength = sent.length
        segment.window = sent.window
        segment.identification = sent.identification
        segment.hopLimit = PathWorld.hopLimit(sent, at: place)
        if sent.letters.contains("S") {
            if let mss { (segment.options.mss, segment.options.present) = (mss, .mss) }
            segment.options.present.insert(.sackPermitted)
            segment.options.present.insert(.windowScale)
            segment.options.windowScale = 7
            if isIn(.windowScale) { segment.options.present.remove(.windowScale) }
            if isIn(.sack) { segment.options.present.remove(.sackPermitted) }
        }
        if let (value, echo) = sent.timestamps {
            segment.options.present.insert(.timestamps)
            // The box hides the client's clock.
            let shift: UInt32 = isIn(.timestamps) ? 77_777 : 0
            segment.options.tsval = sent.fromClient ? value &+ shift : value
            segment.options.tsecr = sent.fromClient || echo == 0 ? echo : echo &+ shift
        }
        if isIn(.dscp) { segment.trafficClass = 46 << 2 }
        if isIn(.sequenceNumbers, .sequenceNumbersAndSource) {
            // Each connection has a constant of its own.
            let shift = UInt32(truncatingIfNeeded: (world.seed &* 0x9e37_79b9_7f4a_7c15) >> 32) | 1
            if sent.fromClient { segment.seq &+= shift }
            if !sent.fromClient, acknowledges { segment.ack &+= shift }
        }
        // A refusal has no number of the server's.
        if isIn(.serverNumbers), sent.meaning != .refusal {
            let shift = UInt32(truncatingIfNeeded: (world.seed &* 0x9e37_79b9_7f4a_7c15) >> 32) | 1
            if !sent.fromClient { segment.seq &+= shift }
            if sent.fromClient, acknowledges { segment.ack &+= shift }
        }
        return segment
    }

    private static func hopLimit(_ sent: Sent, at place: Place) -> UInt8 {
        if sent.meaning == .forgedReset { return place == .way ? sent.hopLimit : sent.hopLimit - 4 }
        switch (place, sent.fromClient) {
        case (.client, true), (.server, false): return 64
        case (.way, true): return 60
        case (.way, false): return 55
        case (.server, true): return 51
        case (.client, false): return 51
        }
    }

    // MARK: The comparison

    package func comparison() -> Result<PathComparison, ComparisonError> { PathWorld.comparison(points) }

    static func comparison(_ points: [Point]) -> Result<PathComparison, ComparisonError> {
        let captures = points.map { point in
            var tracker = HandshakeTracker(.init())
            var log = PointLog()
            PathWorld.feed(point.frames, &tracker, &log)
            return CapturePoint(
                name: "\(point.place)", files: ["\(point.place).pcap"], log: log, summary: tracker.summary,
                loss: CaptureLoss(), tick: point.tick)
        }
        return Result { () throws(ComparisonError) in try PathComparison(captures) }
    }

    private static func feed(_ frames: [Frame], _ tracker: inout HandshakeTracker, _ log: inout PointLog) {
        var batch = tracker.makeBatch()
        let decoder = FrameDecoder(.ethernet)
        for (index, frame) in frames.enumerated() {
            if batch.isFull {
                tracker.receive(batch)
                for record in tracker.drain() { log.add(record) }
                batch.removeAll()
            }
            batch.append(
                frame.octets.span.bytes, wireLength: frame.octets.count, number: UInt64(index + 1), time: frame.time,
                decoder: decoder)
        }
        tracker.receive(batch)
        for record in tracker.drain() { log.add(record) }
        for record in tracker.finish() { log.add(record) }
    }
}
