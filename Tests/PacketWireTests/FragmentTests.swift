import PacketWire
import Testing

@Suite("Fragments")
struct FragmentTests {
    /// Frames through a batch, as a reader gives them.
    static func run(_ frames: [(time: Int64, octets: [UInt8], captured: Int)]) -> [(
        frame: Frame, number: UInt64, time: Int64
    )] {
        var batch = FrameBatch()
        var out: [(frame: Frame, number: UInt64, time: Int64)] = []
        func take() {
            for position in 0..<batch.count {
                out.append((batch.frames[position].frame, batch.numbers[position], batch.times[position]))
            }
            batch.count = 0
        }
        for (index, frame) in frames.enumerated() {
            let octets = Array(frame.octets.prefix(frame.captured))
            batch.append(
                octets.span.bytes, wireLength: frame.octets.count, number: UInt64(index + 1), time: frame.time,
                decoder: FrameDecoder(.ethernet))
            take()
        }
        batch.endFragments()
        take()
        return out
    }

    static func run(_ frames: [[UInt8]]) -> [(frame: Frame, number: UInt64, time: Int64)] {
        run(frames.enumerated().map { (Int64($0.offset) * 1_000_000, $0.element, .max) })
    }

    static func segment(_ isV6: Bool, payload: UInt32 = 40) -> Segment {
        let (a, b) = isV6 ? ("[2001:db8::1]:40000", "[2001:db8::2]:443") : ("192.0.2.1:40000", "198.51.100.1:443")
        var segment = Segment(from: Endpoint(a)!, to: Endpoint(b)!)
        segment.seq = 1000
        segment.flags = .syn
        segment.window = 1000
        segment.options.present = .mss
        segment.options.mss = 1460
        segment.payloadLength = payload
        segment.identification = 77
        return segment
    }

    /// The segments that came out, each with its frame's number.
    static func segments(_ frames: [(frame: Frame, number: UInt64, time: Int64)]) -> [(
        number: UInt64, segment: Segment
    )] {
        frames.compactMap { if case .segment(let segment) = $0.frame { ($0.number, segment) } else { nil } }
    }

    @Test(
        "In any order, each frame comes out once, and the segment with the one that completes it",
        arguments: [false, true])
    func anyOrder(_ isV6: Bool) {
        let pieces = [0..<8, 8..<32, 32..<64]
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let frames = FrameEncoder().encode(FragmentTests.segment(isV6), pieces: order.map { pieces[$0] })
            let out = FragmentTests.run(frames)
            #expect(out.map(\.number).sorted() == [1, 2, 3])
            let segments = FragmentTests.segments(out)
            #expect(segments.map(\.number) == [3])
            #expect(segments.first?.segment.payloadLength == 40)
            #expect(segments.first?.segment.options.mss == 1460)
            #expect(segments.first?.segment.checksum == .good)
            #expect(segments.first?.segment.isFragment == true)
            #expect(segments.first?.segment.hasFragmentOverlap == false)
        }
    }

    @Test("A first fragment with the TCP header is held until the rest comes, and then is only a fragment")
    func heldUntilComplete() {
        let out = FragmentTests.run(FrameEncoder().encode(FragmentTests.segment(false), pieces: [0..<32, 32..<64]))
        #expect(out.map(\.number) == [1, 2])
        #expect(out[0].frame == .ignored(.laterFragment))
        #expect(FragmentTests.segments(out).map(\.number) == [2])
    }

    @Test("Without the rest, the first fragment counts as it is, before the next segment of its tuple")
    func releasedByItsTuple() {
        let encoder = FrameEncoder()
        var answer = Segment(from: FragmentTests.segment(false).destination, to: FragmentTests.segment(false).source)
        answer.flags = [.syn, .ack]
        let out = FragmentTests.run(
            encoder.encode(FragmentTests.segment(false), pieces: [0..<32]) + [encoder.encode(answer)])
        #expect(out.map(\.number) == [1, 2])
        #expect(FragmentTests.segments(out).map(\.segment.flags) == [.syn, [.syn, .ack]])
    }

    @Test("Another tuple's segments do not release it; the end does")
    func releasedAtTheEnd() {
        let encoder = FrameEncoder()
        var other = FragmentTests.segment(false)
        other.source.port = 1
        let out = FragmentTests.run(
            encoder.encode(FragmentTests.segment(false), pieces: [0..<32]) + [encoder.encode(other)])
        #expect(out.map(\.number) == [2, 1])
    }

    @Test("After 30 s a packet is given up: what comes then is of another one")
    func patience() {
        let frames = FrameEncoder().encode(FragmentTests.segment(false), pieces: [0..<8, 8..<64])
        let early = FragmentTests.run([(0, frames[0], .max), (29_000_000_000, frames[1], .max)])
        #expect(FragmentTests.segments(early).count == 1)
        let late = FragmentTests.run([(0, frames[0], .max), (31_000_000_000, frames[1], .max)])
        #expect(FragmentTests.segments(late).isEmpty)
        #expect(late.map(\.number) == [1, 2])
    }

    @Test("Other identifications, addresses and protocols are other packets")
    func keys() {
        let encoder = FrameEncoder()
        let first = encoder.encode(FragmentTests.segment(false), pieces: [0..<8])[0]
        var other = FragmentTests.segment(false)
        other.identification = 78
        #expect(FragmentTests.segments(FragmentTests.run([first, encoder.encode(other, pieces: [8..<64])[0]])).isEmpty)
        other = FragmentTests.segment(false)
        other.source.address = IPAddress("192.0.2.9")!
        #expect(FragmentTests.segments(FragmentTests.run([first, encoder.encode(other, pieces: [8..<64])[0]])).isEmpty)
    }

    @Test(
        "Of overlapping fragments what came first stays, and the segment says that they overlapped",
        arguments: [false, true])
    func overlap(_ isV6: Bool) {
        var other = FragmentTests.segment(isV6)
        other.options.mss = 9
        let frames = [
            FrameEncoder().encode(FragmentTests.segment(isV6), pieces: [0..<24])[0],
            FrameEncoder().encode(other, pieces: [16..<64])[0],
        ]
        let segments = FragmentTests.segments(FragmentTests.run(frames))
        #expect(segments.map(\.segment.hasFragmentOverlap) == [true])
        #expect(segments.first?.segment.options.mss == 1460)
    }

    @Test("A fragment that the snaplen cut leaves what is before the cut: the options may be unknown")
    func cut() {
        let frames = FrameEncoder().encode(FragmentTests.segment(false), pieces: [0..<8, 8..<64])
        // Ethernet and IPv4, then 14 octets: up to the window.
        let out = FragmentTests.run([(0, frames[0], .max), (1, frames[1], 14 + 20 + 14)])
        let segment = FragmentTests.segments(out).first?.segment
        #expect(segment?.isCut == true)
        #expect(segment?.payloadLength == 40)
        #expect(segment?.checksum == .unverified)
    }

    @Test("A last fragment that ends where another said it does not, and one beyond 64 KiB, make the packet none")
    func contradictions() {
        var frames = FrameEncoder().encode(FragmentTests.segment(false), pieces: [0..<8, 8..<64])
        frames.insert(FrameEncoder().encode(FragmentTests.segment(false, payload: 16), pieces: [16..<40])[0], at: 1)
        #expect(FragmentTests.segments(FragmentTests.run(frames)).isEmpty)
        var beyond = FrameEncoder().encode(FragmentTests.segment(false), pieces: [8..<64])[0]
        (beyond[20], beyond[21]) = (0x1f, 0xff)
        let out = FragmentTests.run([frames[0], beyond])
        #expect(FragmentTests.segments(out).isEmpty)
        #expect(out.map(\.number) == [1, 2])
    }

    @Test("Many unfinished packets: the oldest is given up, and every frame is accounted for")
    func bounds() {
        let frames = (0..<500).map { number in
            var segment = FragmentTests.segment(false)
            segment.identification = UInt16(number)
            segment.source.port = UInt16(1000 + number)
            return FrameEncoder().encode(segment, pieces: [0..<32])[0]
        }
        let out = FragmentTests.run(frames)
        #expect(out.map(\.number).sorted() == Array(1...500))
        #expect(FragmentTests.segments(out).count == 500)
    }
}
