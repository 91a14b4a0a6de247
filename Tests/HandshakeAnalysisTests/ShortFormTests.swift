import Fixtures
import HandshakeAnalysis
import HandshakeReport
import PacketWire
import TestSupport
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
            let segment = Segment.syn(from: UInt32(number), seq: 1 + UInt32(number))
            var batch = tracker.makeBatch()
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

    @Test(
        "A full table forgets what was remembered for long enough, and counts as early only what was not",
        arguments: [(95_300, 0), (90_000, 8)])
    func forgottenEarly(_ later: Int64, _ early: Int) {
        var frames: [(octets: [UInt8], time: Int64)] = []
        func add(_ segment: Segment, at milliseconds: Int64) {
            frames.append((FrameEncoder(.ethernet).encode(segment), milliseconds * 1_000_000))
        }
        for number in UInt32(0)..<15 {
            // A connection that its client resets.
            let syn = Segment.syn(from: number, seq: 1000)
            var answer = syn
            (answer.source, answer.destination) = (syn.destination, syn.source)
            (answer.flags, answer.seq, answer.ack) = ([.syn, .ack], 2000, 1001)
            var ack = syn
            (ack.flags, ack.seq, ack.ack, ack.options) = (.ack, 1001, 2001, TCPOptions())
            var reset = ack
            reset.flags = [.rst, .ack]
            for segment in [syn, answer, ack, reset] { add(segment, at: 0) }
        }
        // The clock follows the frames of another connection: the resets are decided.
        var other = Segment.syn(from: 1000, seq: 1)
        (other.flags, other.ack, other.options) = (.ack, 1, TCPOptions())
        for time in [20_000, 20_001, later - 1, later] { add(other, at: time) }
        // Eight others find the table full.
        for number in UInt32(100)..<108 { add(.syn(from: number, seq: 1000), at: later) }
        for short in [true, false] {
            let summary = outcome(frames, short: short, lists: true, most: 16).last
            #expect(summary?.contains("\"forgotten_early\":\(early),") == true, "\(summary ?? "")")
        }
    }

    @Test(
        "A live connection is remembered for an hour from its last segment, with short forms and without",
        arguments: [(-1_000_000_000, 0), (-1, 0), (0, 1), (1, 1)] as [(Int64, Int)])
    func memory(_ beyond: Int64, _ midstream: Int) {
        var c = Conversation()
        c.handshake(at: 0)
        c.client("P.", at: 30, len: 10)
        c.server(".", at: 40, ack: 11)
        // The frame before the last segment is five seconds older.
        c.idle(until: 15_000)
        c.client("P.", at: 20_000, seq: 11, len: 10)
        for minute in 1...59 { c.idle(until: Double(20_000 + minute * 60_000)) }
        let last = c.items.count
        c.server(".", at: 3_620_000, ack: 21)
        c.idle(until: 3_620_001)
        var frames = c.frames().map { (octets: $0.bytes, time: $0.time) }
        frames[last].time += beyond
        for short in [true, false] {
            var configuration = HandshakeTracker.Configuration()
            configuration.usesShortForms = short
            var tracker = HandshakeTracker(configuration)
            inBatches(frames, tracker.makeBatch()) { tracker.receive($0) }
            #expect(tracker.summary.midstreamFlows == midstream, "short forms: \(short)")
        }
    }

    @Test("A flood, and what answers it, comes to the same with short forms and without, listed and counted")
    func flood() {
        var frames: [(octets: [UInt8], time: Int64)] = []
        func add(_ client: Int, _ flags: TCPFlags, seq: UInt32, ack: UInt32 = 0) {
            let ends = (
                client: Endpoint(IPAddress(v4: 0x0a00_0000 + UInt32(client)), 1000),
                server: Endpoint(IPAddress(v4: 0xc633_6401 + UInt32(client % 3)), 80)
            )
            let isAnswer = flags.contains(.syn) && flags.contains(.ack)
            var segment = Segment(
                from: isAnswer ? ends.server : ends.client, to: isAnswer ? ends.client : ends.server)
            segment.flags = flags
            segment.seq = seq
            segment.ack = ack
            if flags.contains(.syn) { segment.options.present = .mss }
            segment.options.mss = flags.contains(.syn) ? 1460 : 0
            frames.append((FrameEncoder(.ethernet).encode(segment), Int64(frames.count) * 100_000))
        }
        // Batches of nothing but new attempts, and then of some of them going on, with others beside them.
        for client in 0..<20_000 {
            add(client, .syn, seq: 7)
            if client % 1000 > 900, client % 2 == 0 { add(client - 600, .syn, seq: 7) }
            if client % 1000 > 900, client % 3 == 0 { add(client - 800, [.syn, .ack], seq: 9, ack: 8) }
            if client % 1000 > 950, client % 3 == 0 { add(client - 850, .ack, seq: 8, ack: 10) }
            if client % 77 == 0 { add(client, .syn, seq: 7) }
            if client % 99 == 0 { add(client, .syn, seq: 1007) }
        }
        let short = outcome(frames, short: true, lists: true, most: 1 << 16)
        #expect(short == outcome(frames, short: false, lists: true, most: 1 << 16))
        #expect(short.last == outcome(frames, short: true, lists: false, most: 1 << 16).last)
        #expect(short.count > 20_000)
        let established = short.count { $0.contains("\"outcome\":\"established\"") }
        #expect(established > 100)
    }

    @Test(
        "Of SYNs that are open at the end a scan is named by who sent them, below its targets or above",
        arguments: [1, 0xcb00_7109])
    func openScan(_ bits: UInt32) {
        var configuration = HandshakeTracker.Configuration()
        configuration.listsAttempts = false
        let source = IPAddress(v4: bits)
        var tracker = HandshakeTracker(configuration)
        for number in 0..<40 {
            var segment = Segment.syn(from: 0, to: 0x0a00_0001 + UInt32(number))
            segment.source = Endpoint(source, 1000)
            var batch = tracker.makeBatch()
            let octets = FrameEncoder(.ethernet).encode(segment)
            batch.append(
                octets.span.bytes, wireLength: octets.count, number: UInt64(number + 1), time: Int64(number) * 1000,
                decoder: FrameDecoder(.ethernet))
            tracker.receive(batch)
        }
        tracker.end()
        let patterns = tracker.summary.patterns
        #expect(patterns.map(\.code) == [.portScan])
        #expect(patterns.map(\.address) == [source])
        #expect(patterns.map(\.count) == [40])
        #expect(patterns.map(\.window) == [0...39_000])
        #expect(patterns.map(\.established) == [nil])
    }

    @Test("What a flood leaves open is counted the same by one thread and by two, in whatever order")
    func sharedEnd() {
        var configuration = HandshakeTracker.Configuration()
        configuration.listsAttempts = false
        configuration.hashSeed = 1
        let frames = (UInt32(0)..<70_000).map { number in
            // One in a hundred has a number that calls for a closer look.
            let segment = Segment.syn(
                from: number, to: 0xc633_6401 + number / 30_000, seq: number % 100 == 0 ? 0 : 7)
            return (octets: FrameEncoder(.ethernet).encode(segment), time: Int64(number) * 200_000)
        }
        func summary(_ apportion: Apportionment?) -> String {
            var tracker = HandshakeTracker(configuration)
            inBatches(frames, tracker.makeBatch()) { tracker.receive($0) }
            tracker.end(apportion)
            var out = OutputBuffer()
            JSONReport.line(tracker.summary, CaptureLoss(), to: &out)
            return String(decoding: out.bytes, as: UTF8.self)
        }
        var shares: [Int] = []
        let shared = summary { count, work in
            for number in (0..<count).reversed() {
                shares.append(number)
                work(number)
            }
        }
        #expect(shares == [1, 0])
        #expect(shared == summary(nil))
        #expect(shared.contains("\"total\":70000"))
        #expect(shared.contains("\"isn-zero\":700"))
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
        var records: [AttemptRecord] = []
        inBatches(frames, tracker.makeBatch()) {
            tracker.receive($0)
            records += tracker.drain()
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
