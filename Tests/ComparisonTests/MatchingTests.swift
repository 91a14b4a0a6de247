@testable import HandshakeComparison
import HandshakeAnalysis
import HandshakeRecord
import PacketWire
import TestSupport
import Testing

@Suite("Which attempts of two points are one")
struct MatchingTests {
    private static let start: Int64 = 1_767_225_600_000_000_000

    /// A SYN, and a SYN-ACK where y is given.
    private struct Opening {
        var client = Endpoint(IPAddress(v4: 0x0a01_0001), 40_000)
        var server = Endpoint(IPAddress(v4: 0xc000_0250), 443)
        var x: UInt32
        var y: UInt32?
        var tsval: UInt32 = 0
        var identification: UInt16 = 0
        /// Nanoseconds from the start.
        var at: Int64 = 0
    }

    private func log(_ openings: [Opening]) -> PointLog {
        var frames: [(octets: [UInt8], time: Int64)] = []
        for opening in openings {
            var syn = Segment(from: opening.client, to: opening.server)
            (syn.flags, syn.seq, syn.hopLimit, syn.identification) = (.syn, opening.x, 64, opening.identification)
            if opening.tsval > 0 {
                syn.options.present.insert(.timestamps)
                syn.options.tsval = opening.tsval
            }
            frames.append((FrameEncoder(.ethernet).encode(syn), Self.start + opening.at))
            guard let y = opening.y else { continue }
            var answer = Segment(from: opening.server, to: opening.client)
            (answer.flags, answer.seq, answer.ack, answer.hopLimit) = ([.syn, .ack], y, opening.x &+ 1, 64)
            frames.append((FrameEncoder(.ethernet).encode(answer), Self.start + opening.at + 1_000_000))
        }
        var tracker = HandshakeTracker(.init())
        var log = PointLog()
        inBatches(frames.sorted { $0.time < $1.time }, tracker.makeBatch()) { batch in
            tracker.receive(batch)
            for record in tracker.drain() { log.add(record) }
        }
        for record in tracker.finish() { log.add(record) }
        return log
    }

    private let other = Endpoint(IPAddress(v4: 0xcb00_7101), 20_000)

    @Test("Equal ends and an equal x are one attempt")
    func sameEnds() { #expect(AttemptMatching(log([Opening(x: 7)]), log([Opening(x: 7)])).count == 1) }

    @Test("Behind address translation x and y are enough")
    func translated() {
        #expect(AttemptMatching(log([Opening(x: 7, y: 9)]), log([Opening(client: other, x: 7, y: 9)])).count == 1)
    }

    @Test("An equal x alone is not, where both ends are others")
    func loneISN() {
        let matching = AttemptMatching(
            log([Opening(x: 7)]), log([Opening(client: other, server: Endpoint(IPAddress(v4: 1), 80), x: 7)]))
        #expect(matching.count == 0)
        #expect(matching.reasons[0] == .tooLittle)
    }

    @Test("Devices with one fixed x are told apart by their ends")
    func fixedISN() {
        let openings = (0..<20).map { number in
            Opening(
                client: Endpoint(IPAddress(v4: 0x0a01_0100 + UInt32(number)), 40_000), x: 1,
                at: Int64(number) * 1_000_000)
        }
        let matching = AttemptMatching(log(openings), log(openings))
        #expect(matching.partners == (0..<20).map(Int32.init))
    }

    @Test("Devices with one fixed x behind a translator are not matched by it")
    func fixedISNTranslated() {
        func openings(_ base: UInt32) -> [Opening] {
            (0..<20).map { number in
                Opening(
                    client: Endpoint(IPAddress(v4: base + UInt32(number)), 40_000 + UInt16(number)), x: 1,
                    at: Int64(number) * 1_000_000)
            }
        }
        #expect(AttemptMatching(log(openings(0x0a01_0100)), log(openings(0xcb00_7100))).count == 0)
    }

    @Test("The same ends with another x are another attempt, also where each point lacks the other's")
    func otherISN() {
        let matching = AttemptMatching(log([Opening(x: 7)]), log([Opening(x: 8)]))
        #expect(matching.count == 0)
        #expect(matching.reasons[0] == .tooLittle)
    }

    @Test("A rewritten x is known by an equal TSval")
    func rewrittenISN() {
        let matching = AttemptMatching(log([Opening(x: 7, tsval: 77)]), log([Opening(x: 8, tsval: 77)]))
        #expect(matching.count == 1)
        #expect(matching.rewritten == 1)
    }

    @Test("A box that rewrites every x is known by the ends that each point has once")
    func rewriter() {
        func openings(_ shift: UInt32) -> [Opening] {
            (0..<4).map { number in
                Opening(
                    client: Endpoint(IPAddress(v4: 0x0a01_0001), 40_000 + UInt16(number)),
                    x: UInt32(number) * 1000 + shift,
                    at: Int64(number) * 1_000_000)
            }
        }
        #expect(AttemptMatching(log(openings(1)), log(openings(77_777))).count == 4)
    }

    @Test("Of attempts that fit equally well none is chosen")
    func ambiguous() {
        // Two lives of a device with a fixed x, and nothing that tells them apart.
        let twice = [Opening(x: 1, y: 5), Opening(x: 1, y: 5, at: 200_000_000_000)]
        let matching = AttemptMatching(log(twice), log(twice))
        #expect(matching.count == 0)
        #expect(matching.reasons.values.allSatisfy { $0 == .ambiguous })
    }
}
