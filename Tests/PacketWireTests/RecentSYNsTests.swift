import PacketWire
import Testing

/// Which SYNs are one connection under two tuples.
@Suite struct RecentSYNsTests {
    private static let server = Endpoint(IPAddress(v4: 0xc633_6401), 443)
    private static let client = Endpoint(IPAddress(v4: 0x0a00_0005), 40000)
    private static let outside = Endpoint(IPAddress(v4: 0xc000_024d), 61000)

    private func syn(
        from source: Endpoint, tsval: UInt32 = 0, identification: UInt16 = 0, hopLimit: UInt8 = 64
    ) -> Segment {
        var segment = Segment(from: source, to: RecentSYNsTests.server)
        segment.flags = .syn
        segment.seq = 1000
        segment.identification = identification
        segment.hopLimit = hopLimit
        if tsval != 0 {
            segment.options.present = .timestamps
            segment.options.tsval = tsval
        }
        return segment
    }

    /// What the second of two SYNs shows, so long after the first.
    private func relation(_ first: Segment, _ second: Segment, after gap: Int64 = 40_000) -> Translation? {
        var syns = RecentSYNs()
        _ = syns.translation(of: first, tag: 1, frame: 1, time: 0)
        return syns.translation(of: second, tag: 2, frame: 2, time: gap)
    }

    @Test("A SYN of equal x and TSval on another tuple, a hop on, is a copy of the first")
    func copy() throws {
        let found = try #require(
            relation(
                syn(from: RecentSYNsTests.client, tsval: 7),
                syn(from: RecentSYNsTests.outside, tsval: 7, hopLimit: 63)))
        #expect(found.kind == .copy && found.original.source == RecentSYNsTests.client && found.original.frame == 1)
        #expect(found.other.source == RecentSYNsTests.outside && found.other.frame == 2)
        #expect(found.hasEqualTSval && !found.hasEqualIdentification)
    }

    @Test("The client's side is that of the higher hop limit, whichever was captured first")
    func original() throws {
        let found = try #require(
            relation(
                syn(from: RecentSYNsTests.outside, identification: 5, hopLimit: 63),
                syn(from: RecentSYNsTests.client, identification: 5)))
        #expect(found.original.source == RecentSYNsTests.client && found.original.frame == 2)
    }

    @Test("What is longer apart, of one place, or of other numbers is no copy")
    func distinct() {
        let first = syn(from: RecentSYNsTests.client, tsval: 7, identification: 5)
        func other(tsval: UInt32 = 7, identification: UInt16 = 5, hopLimit: UInt8 = 63) -> Segment {
            syn(from: RecentSYNsTests.outside, tsval: tsval, identification: identification, hopLimit: hopLimit)
        }
        #expect(relation(first, other(), after: 199_000_000) != nil)
        #expect(relation(first, other(), after: 200_000_000) == nil)
        #expect(relation(first, other(hopLimit: 64)) == nil)
        #expect(relation(first, other(tsval: 8, identification: 6)) == nil)
    }

    @Test("Once two tuples have an x without proof, the identification proves nothing of it")
    func fixed() {
        var syns = RecentSYNs()
        let first = syn(from: RecentSYNsTests.client, identification: 5)
        let second = syn(from: RecentSYNsTests.outside, identification: 6)
        let third = syn(from: Endpoint(IPAddress(v4: 1), 1), identification: 6, hopLimit: 63)
        var shown: [Translation] = []
        for (number, segment) in [first, second, third].enumerated() {
            let found = syns.translation(
                of: segment, tag: UInt32(number), frame: UInt64(number) + 1, time: Int64(number) * 10)
            if let found { shown.append(found) }
        }
        #expect(shown.isEmpty)
    }

    @Test("A SYN-ACK to the client from where it did not call answers its SYN; one from where it called does not")
    func answer() throws {
        var syns = RecentSYNs()
        _ = syns.translation(of: syn(from: RecentSYNsTests.client), tag: 1, frame: 1, time: 0)
        var answer = Segment(from: RecentSYNsTests.server, to: RecentSYNsTests.client)
        answer.flags = [.syn, .ack]
        answer.ack = 1001
        let usual = syns.translation(of: answer, tag: 1, frame: 2, time: 10)
        #expect(usual == nil)
        answer.source = RecentSYNsTests.outside
        let shown = syns.translation(of: answer, tag: 2, frame: 3, time: 20)
        let found = try #require(shown)
        #expect(found.kind == .answer && found.original.frame == 1 && found.frame == 3)
        let late = syns.translation(of: answer, tag: 2, frame: 4, time: 4_000_000_000)
        #expect(late == nil)
    }

    @Test("The first of each stretch of frames are looked at, and those after a translation")
    func watching() {
        var syns = RecentSYNs()
        #expect(syns.isWatching(1) && !syns.isWatching(300) && syns.isWatching(65_536 + 10))
        syns.watch(from: 100)
        #expect(syns.isWatching(300) && syns.isWatching(65_000) && !syns.isWatching(66_000))
    }
}
