import HandshakeAnalysis
import HandshakeReport
import PacketWire
import Testing

/// Attempts without detail against attempts with it, on segments that no stack would send in this order.
@Suite struct ShortFormTests {
    @Test("Random walks of a few connections come to the same with short forms and without, listed and counted")
    func randomWalks() {
        for seed in UInt64(1)...800 {
            var walk = RandomWalk(seed: seed)
            let frames = walk.frames()
            let short = outcome(frames, short: true, lists: true)
            #expect(short == outcome(frames, short: false, lists: true), "seed \(seed)")
            #expect(
                outcome(frames, short: true, lists: false).last == outcome(frames, short: false, lists: false).last,
                "seed \(seed)")
        }
    }

    @Test("A table that is full lets go of the same attempts with short forms and without")
    func fullTable() {
        for seed in UInt64(1)...100 {
            var walk = RandomWalk(seed: seed, tuples: 60)
            let frames = walk.frames(400)
            let short = outcome(frames, short: true, lists: true, most: 16)
            #expect(short == outcome(frames, short: false, lists: true, most: 16), "seed \(seed)")
        }
    }

    @Test("A memory limit holds under a flood of SYNs, and what is let go is counted")
    func memoryLimit() {
        var configuration = HandshakeTracker.Configuration()
        configuration.maximumMemory = 2 << 20
        configuration.maximumAttempts = 1 << 20
        configuration.listsAttempts = false
        var tracker = HandshakeTracker(configuration)
        var most = 0
        let count = 60_000
        for number in 0..<count {
            var segment = Segment(
                from: Endpoint(IPAddress(v4: 0x0a00_0000 + UInt32(number)), 1000),
                to: Endpoint(IPAddress(v4: 0xc633_6401), 80))
            segment.flags = .syn
            segment.seq = 1 + UInt32(number)
            segment.options.present = .mss
            segment.options.mss = 1460
            var batch = FrameBatch()
            let octets = FrameEncoder(.ethernet).encode(segment)
            batch.append(
                octets.span.bytes, wireLength: octets.count, number: UInt64(number + 1), time: Int64(number) * 1000,
                decoder: FrameDecoder(.ethernet))
            tracker.receive(batch)
            most = max(most, tracker.openAttempts)
        }
        // 64 octets each, and an index of 8 octets a place that is not doubled where it would not fit.
        #expect((16_000...32_768).contains(most))
        #expect(tracker.summary.evicted == count - tracker.openAttempts)
        _ = tracker.finish()
        #expect(tracker.summary.attempts == count)
    }

    /// The records as JSON in the order in which they were decided, and the summary.
    private func outcome(
        _ frames: [(octets: [UInt8], time: Int64)], short: Bool, lists: Bool, most: Int = 4096
    ) -> [String] {
        var configuration = HandshakeTracker.Configuration()
        configuration.maximumAttempts = most
        configuration.usesShortForms = short
        configuration.listsAttempts = lists
        var tracker = HandshakeTracker(configuration)
        var batch = FrameBatch()
        var records: [AttemptRecord] = []
        for (index, frame) in frames.enumerated() {
            batch.append(
                frame.octets.span.bytes, wireLength: frame.octets.count, number: UInt64(index + 1), time: frame.time,
                decoder: FrameDecoder(.ethernet))
            if batch.isFull || index == frames.count - 1 {
                tracker.receive(batch)
                batch.count = 0
                records += tracker.drain()
            }
        }
        records += tracker.finish()
        var lines = records.map { record in
            var out = OutputBuffer()
            JSONReport.line(record, to: &out)
            return String(decoding: out.bytes, as: UTF8.self)
        }
        var out = OutputBuffer()
        JSONReport.line(tracker.summary, CaptureLoss(), to: &out)
        lines.append(String(decoding: out.bytes, as: UTF8.self))
        return lines
    }
}

/// Connections of which each goes on as it should with some probability, and else sends something that nearly fits.
private struct RandomWalk {
    private struct Connection {
        var client: Segment
        var server: Segment
        var step = 0
        /// Its first SYN, and the last bare ACK of the server before it began anew.
        var syn: Segment?
        var challenge: Segment?
    }

    private var state: UInt64
    private var connections: [Connection] = []
    private var time: Int64 = 1_700_000_000_000_000_000

    init(seed: UInt64, tuples: Int = 4) {
        state = seed &* 0x9e37_79b9_7f4a_7c15
        for number in 0..<tuples {
            let isV6 = number % 4 == 3
            func endpoint(_ host: UInt32, _ port: UInt16) -> Endpoint {
                Endpoint(isV6 ? IPAddress(v6High: 0x2001_0db8 << 32, low: UInt64(host)) : IPAddress(v4: host), port)
            }
            let client = endpoint(0x0a00_0001 + UInt32(number % 3), UInt16(1000 + number))
            let server = endpoint(number % 2 == 0 ? 0x0a00_0000 : 0x0b00_0000, 80)
            connections.append(
                Connection(client: Segment(from: client, to: server), server: Segment(from: server, to: client)))
        }
    }

    private mutating func random(_ below: UInt64) -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return (z ^ (z >> 31)) % below
    }

    mutating func frames(_ count: Int = 120) -> [(octets: [UInt8], time: Int64)] {
        (0..<count).map { _ in
            // Mostly microseconds; now and then a second, a minute, or back.
            switch random(40) {
            case 0: time += 1_100_000_000
            case 1: time += 12_000_000_000
            case 2: time += 40_000_000_000
            case 3: time -= 40_000_000
            case 4: break
            default: time += Int64(random(3_000_000))
            }
            return (FrameEncoder(.ethernet).encode(next()), time)
        }
    }

    private mutating func next() -> Segment {
        let position = Int(random(UInt64(connections.count)))
        var connection = connections[position]
        defer { connections[position] = connection }
        if connection.step > 0, random(30) == 0 { connection.step = 0 }
        let isOrdinary = random(8) != 0
        var segment: Segment
        switch connection.step {
        case 0:
            connection.challenge = connection.server
            connection.challenge?.ack = connection.client.seq
            connection.challenge?.flags = .ack
            connection.client.seq =
                random(12) == 0 ? connection.client.seq &+ 1 : UInt32(truncatingIfNeeded: random(.max))
            connection.server.seq = UInt32(truncatingIfNeeded: random(.max))
            segment = connection.client
            segment.flags = .syn
            segment.ack = 0
            connection.syn = segment
            connection.step = 1
        case 1:
            segment = connection.server
            segment.flags = [.syn, .ack]
            segment.ack = connection.client.seq &+ 1
            connection.step = 2
        case 2:
            connection.client.seq &+= 1
            connection.server.seq &+= 1
            segment = connection.client
            segment.flags = .ack
            segment.ack = connection.server.seq
            segment.payloadLength = random(4) == 0 ? 10 : 0
            connection.client.seq &+= segment.payloadLength
            connection.step = 3
        default:
            let fromClient = random(2) == 0
            segment = fromClient ? connection.client : connection.server
            segment.ack = fromClient ? connection.server.seq : connection.client.seq
            segment.flags = random(6) == 0 ? [.fin, .ack] : random(20) == 0 ? [.rst, .ack] : .ack
            segment.payloadLength = UInt32(random(3)) * 20
            if fromClient {
                connection.client.seq &+= segment.payloadLength
            } else {
                connection.server.seq &+= segment.payloadLength
            }
        }
        if !isOrdinary {
            // Something else: again, from the other side, other flags, or a number beside.
            switch random(11) {
            case 0: segment.flags = .syn
            case 1: segment.flags = [.syn, .ack]
            case 2: segment.flags = [.rst]
            case 3: segment.flags = [.fin, .ack]
            case 4: segment.seq &+= UInt32(random(3)) &- 1
            case 5: segment.ack &+= UInt32(random(3)) &- 1
            case 6: (segment.source, segment.destination) = (segment.destination, segment.source)
            case 7: connection.step = max(0, connection.step - 1)
            case 8: segment = connection.challenge ?? segment
            default: segment = connection.syn ?? segment
            }
        }
        segment.window = UInt16(1000 + random(3))
        segment.hopLimit = UInt8(60 + random(2))
        segment.identification = UInt16(random(3))
        if random(3) > 0 {
            segment.options.present = .timestamps
            segment.options.tsval = UInt32(truncatingIfNeeded: time / 1_000_000)
            segment.options.tsecr =
                segment.flags.isSYN ? 0 : UInt32(truncatingIfNeeded: time / 1_000_000) &- UInt32(random(2))
        }
        if segment.flags.contains(.syn) {
            segment.options.present.insert(.mss)
            segment.options.mss = random(10) == 0 ? 100 : 1460
            if random(2) == 0 { segment.options.present.insert(.sackPermitted) }
        }
        return segment
    }
}
