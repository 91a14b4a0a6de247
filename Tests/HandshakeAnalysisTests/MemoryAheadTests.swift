import PacketWire
import Synchronization
import Testing

@testable import HandshakeAnalysis

/// Memory that tables announce before they need it.
@Suite struct MemoryAheadTests {
    private final class Announced: Sendable {
        private let ranges = Mutex<[MemoryAhead]>([])
        func add(_ range: MemoryAhead) { ranges.withLock { $0.append(range) } }
        var all: [MemoryAhead] { ranges.withLock { $0 } }
    }

    private static func fill(_ count: Int, capacity: Int) -> [MemoryAhead] {
        let announced = Announced()
        var pool = Pool<Entry>(capacity: capacity, announce: announced.add)
        for _ in 0..<count { _ = pool.insert(Entry()) }
        return announced.all
    }

    @Test("A pool that stays small announces nothing") func smallPool() {
        #expect(MemoryAheadTests.fill(16_000, capacity: 1 << 20).isEmpty)
    }

    @Test("A pool announces one large page after the other") func largePool() {
        let ranges = MemoryAheadTests.fill(500_000, capacity: 1 << 20)
        // 32 MB of entries are filled: 15 pages, and the start and end of two more.
        #expect(ranges.count >= 14 && ranges.count <= 16)
        #expect(ranges.allSatisfy { $0.length == 2 << 20 && $0.address % UInt(2 << 20) == 0 })
        #expect(zip(ranges, ranges.dropFirst()).allSatisfy { $1.address == $0.address + UInt(2 << 20) })
    }

    @Test("A pool announces nothing beyond its end") func fullPool() {
        // 8 MB: whole pages of it are three, and the first is never large.
        #expect(MemoryAheadTests.fill(131_000, capacity: 131_072).count <= 3)
    }

    @Test("What is announced can be provided before it is needed") func provided() {
        var pool = Pool<Entry>(capacity: 1 << 18) { $0.provide() }
        var entry = Entry()
        for number in 0..<UInt32(200_000) {
            entry.clientISN = number
            #expect(pool.insert(entry) == number + 1)
        }
        #expect((0..<UInt32(200_000)).allSatisfy { pool[$0 + 1].clientISN == $0 })
    }

    @Test("An index announces the table that it grows into") func index() {
        let announced = Announced()
        let memory = IndexMemory(shards: 1, entries: 100_000, announce: announced.add)
        var index = HashIndex(memory.room(0))
        for slot in 1...UInt32(100_000) { index.insert(UInt64(slot) &* 0x9e37_79b9_7f4a_7c15, slot) }
        #expect(announced.all.map(\.length) == [1 << 18, 1 << 19, 1 << 20, 1 << 21])
    }
}
