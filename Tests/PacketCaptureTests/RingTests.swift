import Glibc
import PacketCapture
import Synchronization
import Testing

@Suite struct RingTests {
    private final class Slot: Sendable {
        let number = Mutex(0)
        let sums = Mutex([0, 0])
    }

    private func slots(_ count: Int) -> [Slot] { (0..<count).map { _ in Slot() } }

    @Test("Every thread of a stage is given every slot, in order, after the stage before and before the next")
    func order() throws {
        let ring = try #require(Ring(slots(4), stages: [1, 2, 1]))
        let count = 10_000
        let producer = WorkThread("produce") {
            for number in 1...count {
                if let slot = ring.next(0) { slot.number.withLock { $0 = number } }; ring.pass(0)
            }
            ring.end()
        }
        let workers = [0, 1].map { member in
            WorkThread("work") {
                while let slot = ring.next(1, member) {
                    let number = slot.number.withLock { $0 }
                    slot.sums.withLock { $0[member] = number * 2 }
                    ring.pass(1, member)
                }
            }
        }
        var expected = 0
        while let slot = ring.next(2) {
            expected += 1
            let (number, sums) = (slot.number.withLock { $0 }, slot.sums.withLock { $0 })
            if number != expected || sums != [expected * 2, expected * 2] {
                Issue.record("slot \(expected) holds \(number), \(sums)")
            }
            ring.pass(2)
        }
        #expect(expected == count)
        producer.join()
        for worker in workers { worker.join() }
    }

    @Test("Stopped, it gives nobody a slot any more")
    func stop() throws {
        let ring = try #require(Ring(slots(2), stages: [1, 1]))
        let producer = WorkThread("produce") { while ring.next(0) != nil { ring.pass(0) } }
        #expect(ring.next(1) != nil)
        ring.stop()
        producer.join()
        #expect(ring.next(1) == nil)
    }

    @Test("Whoever waits for one that does not come goes on once the user has had enough, with what was passed before")
    func interrupted() throws {
        let ring = try #require(Ring(slots(4), stages: [1, 1]))
        _ = ring.next(0)
        ring.pass(0)
        // The next is begun and never passed.
        _ = ring.next(0)
        #expect(ring.next(1, isInterrupted: { true }, orElse: { ring.abandonFirst(before: 1) }) != nil)
        ring.pass(1)
        #expect(ring.next(1, isInterrupted: { true }, orElse: { ring.abandonFirst(before: 1) }) == nil)
    }

    @Test("After an interruption, those between take what there is, though it is less than they are woken for")
    func interruptedBeforeEnough() throws {
        let ring = try #require(Ring(slots(24), stages: [1, 2, 1]))
        let others = (0..<2).map { member in
            WorkThread("other") { while ring.next(1, member) != nil { ring.pass(1, member) } }
        }
        // Both sleep before the first slot is filled.
        usleep(100_000)
        for _ in 0..<3 {
            _ = ring.next(0)
            ring.pass(0)
        }
        // The fourth is begun and never passed.
        _ = ring.next(0)
        var taken = 0
        while ring.next(2, isInterrupted: { true }, orElse: { ring.abandonFirst(before: 2) }) != nil {
            taken += 1
            ring.pass(2)
        }
        for other in others { other.join() }
        #expect(taken == 3)
    }

    @Test("After an interruption too, what those between have in hand is waited for")
    func interruptedBetween() throws {
        let ring = try #require(Ring(slots(4), stages: [1, 1, 1]))
        _ = ring.next(0)
        ring.pass(0)
        _ = ring.next(1)
        let others = WorkThread("others") {
            // Longer than one waits who is told to end.
            usleep(1_300_000)
            _ = ring.next(0)
            ring.pass(0)
            ring.end()
            ring.pass(1)
            _ = ring.next(1)
            ring.pass(1)
        }
        var taken = 0
        while ring.next(2, isInterrupted: { true }, orElse: { ring.abandonFirst(before: 2) }) != nil {
            taken += 1
            ring.pass(2)
        }
        others.join()
        #expect(taken == 2)
    }
}
