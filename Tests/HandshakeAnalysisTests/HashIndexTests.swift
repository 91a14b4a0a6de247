import TestSupport
import Testing

@testable import HandshakeAnalysis

@Suite struct HashIndexTests {
    /// Hashes with what random ones rarely have: equal tags, crowds at one place, and around the end of the table.
    private struct Hashes {
        var numbers = RandomNumbers(seed: 7)

        mutating func next() -> UInt64 {
            let random = numbers.next()
            return switch random % 16 {
            case 0: 0xffff_ffff_0000_0000 | random >> 40
            case 1: 0xfff0_0000_0000_0000 | random >> 12
            case 2: 0x0000_0000_1000_0000 | random >> 40
            case 3: 0x8000_0000_0000_0000 | random >> 30
            default: random
            }
        }
    }

    @Test("Whatever was inserted is found until it is removed, while the index grows too")
    func model() {
        let memory = IndexMemory(shards: 2, entries: 60_000)
        var index = HashIndex(memory.room(0))
        var other = HashIndex(memory.room(1))
        for slot in UInt32(1)...2000 { other.insert(UInt64(slot) << 50, slot) }
        var hashes = Hashes()
        var known: [(hash: UInt64, slot: UInt32)] = []
        // Slots that were given back come again at once, as a pool's do.
        var (most, free): (UInt32, [UInt32]) = (0, [])
        func newSlot() -> UInt32 {
            if let last = free.popLast() { return last }
            most += 1
            return most
        }
        func expectAll() {
            #expect(index.count == known.count)
            #expect(known.allSatisfy { entry in index.find(entry.hash) { $0 == entry.slot }.slot == entry.slot })
        }
        for turn in 0..<150_000 {
            let draw = Int(hashes.next() >> 33)
            if known.count < 60_000, draw % 8 < 5 {
                let slot = newSlot()
                let hash = draw % 64 == 0 ? known.last?.hash ?? 1 : hashes.next()
                let found = index.find(hash) { $0 == slot }
                #expect(found.slot == 0)
                index.insert(hash, slot, at: draw % 4 == 0 ? -1 : found.vacancy)
                known.append((hash, slot))
            } else if !known.isEmpty {
                let place = draw % known.count
                let entry = known[place]
                if draw % 3 == 0 {
                    known[place].slot = newSlot()
                    index.replace(entry.hash, entry.slot, with: known[place].slot)
                    free.append(entry.slot)
                } else {
                    index.remove(entry.hash, entry.slot)
                    free.append(entry.slot)
                    known.swapAt(place, known.count - 1)
                    known.removeLast()
                    #expect(index.find(entry.hash) { $0 == entry.slot }.slot == 0)
                }
            }
            if turn % 5000 == 0 { expectAll() }
        }
        expectAll()
        #expect(known.count > 30_000)
        index.removeAll()
        #expect(index.count == 0)
        #expect(known.allSatisfy { index.find($0.hash) { _ in true }.slot == 0 })
        #expect((UInt32(1)...2000).allSatisfy { slot in other.find(UInt64(slot) << 50) { $0 == slot }.slot == slot })
    }

    @Test("A slot that is used again while the index grows is not mistaken for what it held before")
    func reusedSlot() {
        let memory = IndexMemory(shards: 1, entries: 20_000)
        var index = HashIndex(memory.room(0))
        let (first, last) = (UInt64(1) << 32, UInt64.max << 32)
        index.insert(first, 1)
        index.insert(last, 2)
        for slot in UInt32(3)...2561 { index.insert(0x8000_0000_0000_0000 | UInt64(slot) << 40, slot) }
        // Growth has begun, and moved the first entry.
        index.remove(first, 1)
        index.insert(last - 1 << 32, 1)
        index.remove(last - 1 << 32, 1)
        #expect(index.find(last - 1 << 32) { _ in true }.slot == 0)
        for slot in UInt32(2562)...6000 { index.insert(0x4000_0000_0000_0000 | UInt64(slot) << 40, slot) }
        #expect(index.find(last - 1 << 32) { _ in true }.slot == 0)
        #expect(index.find(last) { $0 == 2 }.slot == 2)
        #expect(index.count == 5999)
    }

    @Test("An index that was emptied while it grew starts again")
    func emptied() {
        let memory = IndexMemory(shards: 1, entries: 20_000)
        var index = HashIndex(memory.room(0))
        var hashes = Hashes()
        // One more than five eighths of 4096: growth has begun.
        for slot in UInt32(1)...2570 { index.insert(hashes.next(), slot) }
        index.removeAll()
        var known: [(hash: UInt64, slot: UInt32)] = []
        for slot in UInt32(1)...20_000 {
            known.append((hashes.next(), slot))
            index.insert(known[known.count - 1].hash, slot)
        }
        #expect(known.allSatisfy { entry in index.find(entry.hash) { $0 == entry.slot }.slot == entry.slot })
    }

    @Test("A large index that was emptied holds nothing, and starts again") func emptiedLarge() {
        let memory = IndexMemory(shards: 1, entries: 200_000)
        var index = HashIndex(memory.room(0))
        func hash(_ slot: UInt32) -> UInt64 { UInt64(slot) &* 0x9e37_79b9_7f4a_7c15 }
        for _ in 0..<2 {
            for slot in UInt32(1)...200_000 { index.insert(hash(slot), slot) }
            #expect((UInt32(1)...200_000).allSatisfy { slot in index.find(hash(slot)) { $0 == slot }.slot == slot })
            index.removeAll()
            #expect((UInt32(1)...200_000).allSatisfy { index.find(hash($0)) { _ in true }.slot == 0 })
        }
    }
}
