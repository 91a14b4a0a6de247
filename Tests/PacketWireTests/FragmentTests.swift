import PacketWire
import Testing

@Suite("Fragments")
struct FragmentTests {
    /// Frames through a batch, as a reader gives them.
    static func run(_ frames: [(time: Int64, octets: [UInt8], captured: Int)]) -> [(
        frame: Frame, number: UInt64, time: Int64
    )] {
        var batch = FrameBatch(seed: 1)
        var out: [(frame: Frame, number: UInt64, time: Int64)] = []
        func take() {
            for position in 0..<batch.count {
                out.append((batch.frame(position), batch.heads[position].number, batch.heads[position].time))
            }
            batch.removeAll()
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

    @Test("Fragments that are let go before a full run of usual segments make the batch longer")
    func evictedBeforeARun() {
        var batch = FrameBatch(seed: 1)
        let decoder = FrameDecoder(.ethernet)
        for number in UInt16(1)...3 {
            var segment = FragmentTests.segment(false)
            segment.identification = number
            let piece = FrameEncoder().encode(segment, pieces: [0..<32, 32..<64])[0]
            batch.append(piece.span.bytes, wireLength: piece.count, number: UInt64(number), time: 0, decoder: decoder)
        }
        #expect(batch.count == 0)
        var segment = FragmentTests.segment(false, payload: 0)
        segment.flags = .ack
        let octets = FrameEncoder().encode(segment)
        var places: [FramePlace] = []
        for number in 0..<FrameBatch.capacity {
            var place = FramePlace()
            place.offset = number * octets.count
            place.length = octets.count
            place.wireLength = octets.count
            place.time = 5_000_000_000
            places.append(place)
        }
        let window = [[UInt8]](repeating: octets, count: FrameBatch.capacity).flatMap { $0 }
        batch.append(places.span, in: window.span.bytes, first: 4, decoder: decoder)
        #expect(batch.count == FrameBatch.capacity + 3)
        #expect((0..<batch.count).map { batch.heads[$0].number }.sorted() == (1...67).map { UInt64($0) })
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

    @Test("An ICMP error about its tuple releases it")
    func releasedByICMP() {
        let (encoder, segment) = (FrameEncoder(), FragmentTests.segment(false))
        let error = ICMPError(
            reporter: IPAddress("203.0.113.1")!, type: 3, code: 1, source: segment.source,
            destination: segment.destination)
        let out = FragmentTests.run(encoder.encode(segment, pieces: [0..<32]) + [encoder.encode(error, about: segment)])
        #expect(out.map(\.number) == [1, 2])
    }

    @Test("After a second it comes before whatever frame is next, so that time does not step back")
    func releasedByTime() {
        let first = FrameEncoder().encode(FragmentTests.segment(false), pieces: [0..<32])[0]
        var other = FragmentTests.segment(false)
        other.source.port = 1
        let frame = FrameEncoder().encode(other)
        let out = FragmentTests.run([(0, first, .max), (900_000_000, frame, .max), (1_100_000_000, frame, .max)])
        #expect(out.map(\.number) == [2, 1, 3])
    }

    @Test("A batch that no frame comes to gives it out when it is told of the time")
    func releasedInSilence() {
        let first = FrameEncoder().encode(FragmentTests.segment(false), pieces: [0..<32])[0]
        var batch = FrameBatch(seed: 1)
        batch.append(first.span.bytes, wireLength: first.count, number: 1, time: 0, decoder: FrameDecoder(.ethernet))
        #expect(batch.count == 0)
        batch.passFragments(999_000_000)
        #expect(batch.count == 0)
        batch.passFragments(1_001_000_000)
        #expect(batch.count == 1 && batch.others[0].kind == .segment)
    }

    @Test("The same octets of a packet with other content overlap; with the same content they do not")
    func sameRange() {
        var other = FragmentTests.segment(false)
        other.seq = 7777
        let frames = FrameEncoder().encode(FragmentTests.segment(false), pieces: [0..<16, 0..<16, 16..<64])
        #expect(FragmentTests.segments(FragmentTests.run(frames)).first?.segment.hasFragmentOverlap == false)
        var changed = frames
        changed[1] = FrameEncoder().encode(other, pieces: [0..<16])[0]
        let segment = FragmentTests.segments(FragmentTests.run(changed)).first?.segment
        #expect(segment?.hasFragmentOverlap == true && segment?.seq == 1000)
    }

    @Test("A fragmented packet within a fragmented tunnel packet is put together too")
    func nested() {
        // IP in IP by hand: each inner fragment's packet, in two outer fragments.
        func outer(_ id: UInt8, _ payload: ArraySlice<UInt8>, _ offset: Int, _ isLast: Bool) -> [UInt8] {
            let length = UInt16(payload.count + 20)
            let field = UInt16(offset / 8) | (isLast ? 0 : 0x2000)
            return [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0, UInt8(length >> 8), UInt8(length & 255), 0, id]
                + [UInt8(field >> 8), UInt8(field & 255), 64, 4, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2] + payload
        }
        let inner = FrameEncoder(.ipv4).encode(FragmentTests.segment(false), pieces: [0..<32, 32..<64])
        let frames = inner.enumerated().flatMap { index, packet in
            [outer(UInt8(index), packet[..<24], 0, false), outer(UInt8(index), packet[24...], 24, true)]
        }
        let out = FragmentTests.run(frames)
        #expect(out.map(\.number).sorted() == [1, 2, 3, 4])
        let segments = FragmentTests.segments(out)
        #expect(segments.map(\.number) == [4])
        #expect(segments.first?.segment.payloadLength == 40 && segments.first?.segment.tunnels == .ipInIP)
    }

    @Test("The frames of a segment's other fragments are known by the number of the one that completed it")
    func partners() {
        var batch = FrameBatch(seed: 1)
        for (index, frame) in FrameEncoder().encode(FragmentTests.segment(false), pieces: [0..<8, 8..<32, 32..<64])
            .enumerated()
        {
            batch.append(
                frame.span.bytes, wireLength: frame.count, number: UInt64(index + 4), time: 0,
                decoder: FrameDecoder(.ethernet))
        }
        #expect(batch.withFragments([1, 6]) == [1, 4, 5, 6])
        #expect(batch.withFragments([1]) == [1])
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
