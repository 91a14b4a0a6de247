package import HandshakeAnalysis
package import HandshakeScenario
package import PacketWire
import TestSupport

/// Healthy clients of one server, each a world of its own, and what a stranger does among them.
package struct Crowd: Sendable {
    package enum Stranger: CaseIterable, Sendable {
        case nobody
        /// One source tries many ports of a host, which refuses some of them.
        case scanner
        /// SYNs of many sources for a server that does not answer.
        case flood
        /// SYN-ACKs of a host that somebody else floods, to addresses that never asked.
        case backscatter
        /// Fewer ports, fewer SYNs, fewer SYN-ACKs than any pattern has.
        case harmless
    }

    package let stranger: Stranger
    /// How many targets, SYNs or SYN-ACKs the stranger has.
    package let count: Int
    /// The healthy clients, alone.
    package let healthy: [Scenario]
    private let strange: [(octets: [UInt8], time: Int64)]

    package static let scanner = IPAddress(v4: 0xcb00_714d)
    package static let flooded = Endpoint(IPAddress(v4: 0xc633_6409), 80)
    package static let victim = IPAddress(v4: 0xc000_024d)

    package init(_ stranger: Stranger, seed: UInt64) {
        var draw = Draw(seed: seed ^ 0xc20d)
        self.stranger = stranger
        let seeds = (seed * 1000..<seed * 1000 + 400).filter { World(seed: $0).isHealthy }.prefix(draw.int(20...40))
        healthy = seeds.enumerated().map { index, seed in
            let client = Endpoint(IPAddress(v4: 0x0a02_0000 + UInt32(index) + 1), 40_000 + UInt16(index))
            return Oracle(World(seed: seed)).scenario(client: client)
        }
        var frames: [(octets: [UInt8], time: Int64)] = []
        func add(_ segment: Segment, _ time: Int64) {
            frames.append((FrameEncoder(.ethernet).encode(segment), Scenario.epoch + time))
        }
        var time: Int64 = 8_000_000_000
        switch stranger {
        case .nobody: count = 0
        case .scanner, .harmless:
            count = stranger == .scanner ? draw.int(30...200) : draw.int(5...15)
            for port in 1...UInt16(count) {
                let host = Endpoint(IPAddress(v4: 0xc633_6402), port)
                var syn = Segment(from: Endpoint(Crowd.scanner, 50_000 + port), to: host)
                (syn.flags, syn.seq) = (.syn, draw.number())
                add(syn, time)
                if draw.chance(0.5) {
                    var refusal = Segment(from: host, to: syn.source)
                    (refusal.flags, refusal.ack) = ([.rst, .ack], syn.seq &+ 1)
                    add(refusal, time + 300_000)
                }
                time += draw.nanoseconds(1...20)
            }
        case .flood:
            count = draw.int(150...400)
            for number in 0..<count {
                let source = Endpoint(IPAddress(v4: 0x6400_0000 | draw.number() >> 8), UInt16(1024 + number))
                var syn = Segment(from: source, to: Crowd.flooded)
                (syn.flags, syn.seq) = (.syn, draw.number())
                add(syn, time)
                time += draw.nanoseconds(0.1...5)
            }
        case .backscatter:
            count = draw.int(30...150)
            for number in 0..<count {
                let target = Endpoint(IPAddress(v4: 0x0a09_0000 | draw.number() >> 16), UInt16(1024 + number))
                var answer = Segment(from: Endpoint(Crowd.victim, 80), to: target)
                (answer.flags, answer.seq, answer.ack) = ([.syn, .ack], draw.number(), draw.number())
                add(answer, time)
                time += draw.nanoseconds(1...50)
            }
        }
        strange = frames
    }

    /// What the analysis makes of all frames together.
    package func analysed() -> (attempts: [AttemptRecord], patterns: [TrafficPattern]) {
        let frames =
            healthy.flatMap { $0.frames().map { (octets: $0.octets, time: $0.time) } }
            + strange
        let order = frames.indices.sorted { (frames[$0].time, $0) < (frames[$1].time, $1) }
        var tracker = HandshakeTracker(.init())
        var attempts: [AttemptRecord] = []
        inBatches(order.map { frames[$0] }, tracker.makeBatch()) { batch in
            tracker.receive(batch)
            attempts += tracker.drain()
        }
        attempts += tracker.finish()
        return (attempts, tracker.summary.patterns)
    }
}

extension World {
    /// Whether its client gets what it asks for, without anything peculiar.
    var isHealthy: Bool {
        serverKind == .listening && clientKind == .sendsData && trait == nil && attempts.count == 1
            && established.count == 1 && capturesAll
    }
}
