import HandshakeAnalysis
import HandshakeReport
import HandshakeScenario
import PacketWire
import TestSupport
import Testing

/// One tracker against several that share the tuples out.
@Suite struct WorkerTests {
    @Test("Random walks of many connections come to the same bytes with two, three and seven workers")
    func randomWalks() {
        for seed in UInt64(1)...40 {
            var walk = RandomWalk(seed: seed, tuples: 40)
            let frames = walk.frames(400)
            let alone = outcome(frames, workers: 1)
            for workers in [2, 3, 7] { expectSame(outcome(frames, workers: workers), alone, "seed \(seed)") }
        }
    }

    @Test("A table that is full lets go of the same attempts, whoever follows them")
    func fullTable() {
        for seed in UInt64(1)...40 {
            var walk = RandomWalk(seed: seed, tuples: 60)
            let frames = walk.frames(400)
            let alone = outcome(frames, workers: 1, most: 32)
            for workers in [2, 3, 7, 16] {
                expectSame(outcome(frames, workers: workers, most: 32), alone, "seed \(seed)")
            }
        }
    }

    @Test("A table of several shards gives the records that one of a single shard gives, as long as it is not full")
    func shards() {
        for seed in UInt64(1)...40 {
            var walk = RandomWalk(seed: seed, tuples: 40)
            let frames = walk.frames(400)
            expectSame(outcome(frames, workers: 1, shards: 16), outcome(frames, workers: 1, shards: 1), "seed \(seed)")
        }
    }

    @Test("Of a flood beyond the limit as much is let go, and counted, whoever follows it")
    func flood() {
        var frames: [(octets: [UInt8], time: Int64)] = []
        for number in 0..<3000 {
            let segment = Segment.syn(from: UInt32(number), seq: 1 + UInt32(number), mss: nil)
            frames.append((FrameEncoder(.ethernet).encode(segment), Int64(number) * 1000))
        }
        let alone = outcome(frames, workers: 1, most: 1024)
        #expect(alone.last?.contains("\"evicted\":1976") == true)
        #expect(alone.count == 3001)
        for workers in [2, 3, 7] { expectSame(outcome(frames, workers: workers, most: 1024), alone, "flood") }
    }

    @Test("A fragment that was held, and comes late under its own number, changes no order")
    func heldFragments() {
        var frames: [(octets: [UInt8], time: Int64)] = []
        for pair in UInt32(0)..<12 {
            let (first, second) = (Handshake(client: 0x0a00_0000 + pair * 2), Handshake(client: 0x0a00_0001 + pair * 2))
            for segment in first.segments + second.segments { frames.append((encoded(segment), time(frames))) }
            // The first fragment of one connection's FIN waits for the other's, until that connection's next frame
            // comes.
            var end = second.reply([.fin, .ack])
            end.payloadLength = 100
            let piece = FrameEncoder(.ethernet).encode(end, pieces: [0..<40])[0]
            frames.append((piece, time(frames)))
            frames.append((encoded(first.reply([.fin, .ack])), time(frames)))
            frames.append((encoded(second.ack), time(frames)))
        }
        let alone = outcome(frames, workers: 1)
        #expect(alone.count == 25)
        for workers in [2, 3, 7, 16] { expectSame(outcome(frames, workers: workers), alone, "\(workers) workers") }
    }

    @Test("Whether checksums are trusted is known where time decides an attempt, also to who had no frame since")
    func trustAtTimeout() {
        var frames: [(octets: [UInt8], time: Int64)] = []
        for client in UInt32(0)..<8 {
            var syn = Handshake(client: 0x0a00_0000 + client).syn
            syn.checksum = .bad
            syn.options.mss = 512
            frames.append((encoded(syn), time(frames)))
            syn.checksum = .good
            syn.options.mss = 1460
            syn.identification = 5
            frames.append((encoded(syn), time(frames)))
            // From here on most are good.
            if client == 3 {
                for other in UInt32(0)..<8 {
                    frames.append((encoded(Handshake(client: 0x0a00_1000 + other).syn), time(frames)))
                }
            }
        }
        for other in UInt32(0)..<4 {
            let late = time(frames) + 80_000_000_000
            frames.append((encoded(Handshake(client: 0x0a00_2000 + other).syn), late))
        }
        let alone = outcome(frames, workers: 1)
        for workers in [2, 3, 7, 16] { expectSame(outcome(frames, workers: workers), alone, "\(workers) workers") }
    }

    @Test("What time decides at another's frame comes before what an own frame decides")
    func expiredAtAnothersFrame() {
        let second: Int64 = 1_000_000_000
        for draw in UInt32(0)..<40 {
            let (first, others) = (0x0a00_0000 + draw << 12, 0x0b00_0000 + draw << 12)
            let early = (UInt32(0)..<12).map { Handshake(client: first + $0) }
            var frames: [(octets: [UInt8], time: Int64)] = []
            func add(_ segment: Segment, _ at: Int64) { frames.append((encoded(segment), max(time(frames), at))) }
            for handshake in early { add(handshake.syn, 0) }
            for client in UInt32(12)..<36 { add(Handshake(client: first + client).syn, second) }
            for segment in early.flatMap({ $0.segments[1...] }) { add(segment, 74 * second) }
            // The second frame from here on decides those of the first second: it begins a batch.
            while frames.count % FrameBatch.capacity < FrameBatch.capacity - 1 {
                add(Handshake(client: others + UInt32(frames.count)).syn, 74 * second)
            }
            for _ in 0..<3 { add(Handshake(client: others + UInt32(frames.count)).syn, 77 * second) }
            for handshake in early {
                var end = handshake.ack
                end.flags = [.fin, .ack]
                add(end, 77 * second)
            }
            let alone = outcome(frames, workers: 1)
            for workers in [2, 3, 7] { expectSame(outcome(frames, workers: workers), alone, "\(draw), \(workers)") }
        }
    }

    @Test(
        "What the clock decides at a frame comes before the attempt of its tuple whose time the frame shows to be over")
    func overdueOnOwnTuple() {
        let second: Int64 = 1_000_000_000
        for draw in UInt32(0)..<20 {
            let first = 0x0a00_0000 + draw << 12
            var frames: [(octets: [UInt8], time: Int64)] = []
            func add(_ segment: Segment, _ at: Int64) { frames.append((encoded(segment), at)) }
            // The early begin first, and are heard of longest.
            let early = (UInt32(0)..<8).map { Handshake(client: first + $0) }
            for handshake in early { add(handshake.syn, 0) }
            for client in UInt32(8)..<24 { add(Handshake(client: first + client).syn, second) }
            for handshake in early { add(handshake.syn, 10 * second) }
            // The clock follows one frame later: at the second frame it is at 80 s, the frame itself at 90 s.
            add(Handshake(client: first + 100).syn, 80 * second)
            var again = early[Int(draw) % 8].syn
            again.seq &+= 77
            add(again, 90 * second)
            let alone = outcome(frames, workers: 1)
            for workers in [2, 3, 7] { expectSame(outcome(frames, workers: workers), alone, "\(draw), \(workers)") }
        }
    }

    @Test("What time decides at one frame, or the end, comes to the same in pieces, whoever follows it")
    func inPieces() {
        let second: Int64 = 1_000_000_000
        for draw in UInt32(0)..<10 {
            var frames: [(octets: [UInt8], time: Int64)] = []
            func add(_ segment: Segment, _ at: Int64) { frames.append((encoded(segment), at)) }
            let slow = (UInt32(0)..<8).map { Handshake(client: 0x0b00_0000 + (draw << 12) + $0) }
            for handshake in slow { add(handshake.syn, 0) }
            for (round, start) in [second, 200 * second].enumerated() {
                for client in UInt32(0)..<100 {
                    let handshake = Handshake(client: 0x0a00_0000 + (draw << 12) + UInt32(round) << 8 + client)
                    let segments = client % 3 == 0 ? handshake.segments : [handshake.syn]
                    for segment in segments { add(segment, start + Int64(client) * 1000) }
                    if client % 5 == 1 { add(handshake.reply([.rst, .ack]), start + Int64(client) * 1000) }
                }
                if round == 1 { continue }
                for segment in slow.flatMap({ $0.segments[1...] }) { add(segment, 70 * second) }
                // The second of these frames decides its own attempt too, which began before all that its time decides.
                for handshake in slow {
                    var end = handshake.ack
                    end.flags = [.fin, .ack]
                    add(end, 79 * second)
                }
            }
            let whole = outcome(frames, workers: 1)
            for workers in [1, 2, 3, 7] {
                for most in [1, 7] {
                    expectSame(
                        outcome(frames, workers: workers, maximumDecided: most), whole, "\(draw), \(workers), \(most)")
                }
            }
        }
    }

    @Test("More sorts of segments than are told apart do not change what a full table lets go of")
    func profiles() {
        var frames: [(octets: [UInt8], time: Int64)] = []
        for number in UInt32(0)..<6000 {
            var segment = Handshake(client: 0x0a00_0000 + number).syn
            segment.options.mss = UInt16(536 + number % 1000)
            segment.hopLimit = UInt8(20 + number / 1000)
            frames.append((encoded(segment), Int64(number) * 1000))
        }
        let alone = outcome(frames, workers: 1, memory: 1 << 20, shards: 16, profilesPerShard: 64)
        #expect(alone.last?.contains("\"evicted\":0,") == false)
        for workers in [2, 7] {
            expectSame(
                outcome(frames, workers: workers, memory: 1 << 20, shards: 16, profilesPerShard: 64), alone,
                "\(workers) workers")
        }
    }

    @Test("A log that is full stays within its bounds while attempts without detail make it no room")
    func fullLog() {
        var frames: [(octets: [UInt8], time: Int64)] = []
        var identification: UInt16 = 0
        for round in UInt32(0)..<300 {
            frames.append((encoded(Handshake(client: 0x0b00_0000 + round).syn), time(frames)))
            var again = Handshake(client: 0x0a00_0000 + round % 5).syn
            identification += 1
            again.identification = identification
            frames.append((encoded(again), time(frames)))
        }
        let lines = outcome(frames, workers: 1, most: 16, shards: 1)
        // Who is let go and comes again is another attempt.
        #expect(lines.last?.contains("\"total\":314,\"undecided\":16,") == true, "\(lines.last ?? "")")
        #expect(lines.last?.contains("\"evicted\":298,") == true)
    }

    /// The segments of a connection to one server.
    private struct Handshake {
        var syn: Segment

        init(client: UInt32) {
            syn = .syn(from: client &- 0x0a00_0000, port: 1000 + UInt16(client & 0xff), seq: 1000)
            syn.window = 65_000
            syn.hopLimit = 64
        }

        func reply(_ flags: TCPFlags) -> Segment {
            var segment = syn
            (segment.source, segment.destination) = (syn.destination, syn.source)
            segment.flags = flags
            segment.seq = flags.contains(.syn) ? 2000 : 2001
            segment.ack = 1001
            if !flags.contains(.syn) { segment.options = TCPOptions() }
            return segment
        }

        var ack: Segment {
            var segment = syn
            segment.flags = .ack
            segment.seq = 1001
            segment.ack = 2001
            segment.options = TCPOptions()
            return segment
        }

        var segments: [Segment] { [syn, reply([.syn, .ack]), ack] }
    }

    private func encoded(_ segment: Segment) -> [UInt8] { FrameEncoder(.ethernet).encode(segment) }

    private func time(_ frames: [(octets: [UInt8], time: Int64)]) -> Int64 { (frames.last?.time ?? 0) + 1_000_000 }

    private func expectSame(_ lines: [String], _ expected: [String], _ what: String) {
        #expect(lines.count == expected.count, "\(what)")
        if let (line, other) = zip(lines, expected).first(where: { $0 != $1 }) {
            Issue.record("\(what)\n\(line)\(other)")
        }
    }

    /// The records as JSON in the order in which one tracker would decide them, and the summary.
    private func outcome(
        _ frames: [(octets: [UInt8], time: Int64)], workers: Int, most: Int = 4096, memory: Int = .max,
        shards: Int = 16, profilesPerShard: Int? = nil, maximumDecided: Int = .max
    ) -> [String] {
        var configuration = HandshakeTracker.Configuration()
        configuration.maximumAttempts = most
        configuration.maximumMemory = memory
        configuration.shards = shards
        configuration.maximumProfiles = profilesPerShard.map { $0 * shards } ?? configuration.maximumProfiles
        configuration.hashSeed = 1
        configuration.listing = .plainAndRecords
        configuration.maximumDecided = maximumDecided
        var decided = [[Decisions]](repeating: [], count: workers)
        var counts = SummaryCounts()
        for worker in 0..<workers {
            guard var tracker = HandshakeTracker(configuration, worker: worker, of: workers) else {
                preconditionFailure("there is no memory for a table")
            }
            func take(_ tracker: inout HandshakeTracker) {
                var decisions = Decisions()
                tracker.moveDecisions(into: &decisions)
                decided[worker].append(decisions)
            }
            inBatches(frames, tracker.makeBatch()) { tracker.receive($0, take) }
            tracker.end(take)
            take(&tracker)
            counts.add(tracker.allCounts)
        }
        var lines: [String] = []
        func line(_ write: (inout OutputBuffer) -> Void) {
            var out = OutputBuffer()
            write(&out)
            lines.append(String(decoding: out.bytes, as: UTF8.self))
        }
        Decisions.inTurn(decided) { order, turn in line { JSONReport.line(order.record(turn), to: &$0) } }
        line { JSONReport.line(counts.summary, CaptureLoss(), to: &$0) }
        return lines
    }
}
