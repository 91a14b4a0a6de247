import Glibc
import Synchronization
import Testing
import WorkerThreads

@Suite struct StageRingTests {
    private final class Slot: Sendable {
        let number = Mutex(0)
        let sums = Mutex([0, 0])
    }

    private func slots(_ count: Int) -> [Slot] { (0..<count).map { _ in Slot() } }

    @Test("Every thread of a stage is given every slot, in order, after the stage before and before the next")
    func order() throws {
        let ring = try #require(StageRing(slots(4), stages: [1, 2, 1]))
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
        let ring = try #require(StageRing(slots(2), stages: [1, 1]))
        let producer = WorkThread("produce") { while ring.next(0) != nil { ring.pass(0) } }
        #expect(ring.next(1) != nil)
        ring.stop()
        producer.join()
        #expect(ring.next(1) == nil)
    }

    @Test("Whoever waits for one that does not come goes on once the user has had enough, with what was passed before")
    func interrupted() throws {
        let ring = try #require(StageRing(slots(4), stages: [1, 1]))
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
        let ring = try #require(StageRing(slots(24), stages: [1, 2, 1]))
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
        let ring = try #require(StageRing(slots(4), stages: [1, 1, 1]))
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

    // MARK: A first stage without a thread

    /// What members of the second stage do who fill slots too: numbers from 1 to `count`.
    private final class Shared: Sendable {
        let ring: StageRing<Slot>
        let count: Int
        let filled = Mutex(0)
        let isFilling = Atomic(false)
        let taken = Mutex([[Int]](repeating: [], count: 3))

        init(_ ring: StageRing<Slot>, count: Int) {
            self.ring = ring
            self.count = count
        }

        func work(_ member: Int, _ pause: @Sendable (Int) -> Void = { _ in }) {
            while let turn = ring.nextOrUnfilled(member) {
                switch turn {
                case .unfilled(let slot):
                    if isFilling.exchange(true, ordering: .acquiring) { Issue.record("two fill slots at once") }
                    let number = filled.withLock { filled in
                        filled += 1
                        return filled
                    }
                    slot.number.withLock { $0 = number }
                    isFilling.store(false, ordering: .releasing)
                    ring.pass(0, isLast: number == count)
                case .filled(let slot):
                    let number = slot.number.withLock { $0 }
                    taken.withLock { $0[member].append(number) }
                    pause(number)
                    ring.pass(1, member)
                }
            }
        }
    }

    @Test(
        "Where the first stage has no thread, the second's fill the slots, one at a time, and each is given every one")
    func fillsItself() throws {
        let shared = Shared(try #require(StageRing(slots(12), stages: [0, 3])), count: 5000)
        let workers = (0..<3).map { member in WorkThread("work") { shared.work(member) } }
        shared.ring.begin()
        for worker in workers { worker.join() }
        #expect(shared.taken.withLock { $0 } == [[Int]](repeating: Array(1...5000), count: 3))
    }

    @Test("A slow member of the second stage leaves the filling to the others")
    func slowMember() throws {
        let shared = Shared(try #require(StageRing(slots(12), stages: [0, 2])), count: 300)
        let workers = (0..<2).map { member in
            WorkThread("work") { shared.work(member) { _ in if member == 0 { usleep(200) } } }
        }
        shared.ring.begin()
        for worker in workers { worker.join() }
        #expect(shared.taken.withLock { $0[0] } == Array(1...300))
        #expect(shared.taken.withLock { $0[1] } == Array(1...300))
    }

    @Test("A third stage that is slow holds up the filling, and is given every slot")
    func slowCollector() throws {
        let shared = Shared(try #require(StageRing(slots(12), stages: [0, 2, 1])), count: 300)
        let workers = (0..<2).map { member in WorkThread("work") { shared.work(member) } }
        shared.ring.begin()
        var numbers: [Int] = []
        while let slot = shared.ring.next(2) {
            numbers.append(slot.number.withLock { $0 })
            if numbers.count.isMultiple(of: 10) { usleep(500) }
            let ahead = shared.filled.withLock { $0 } - numbers.count
            if ahead > 12 { Issue.record("\(ahead) slots ahead of one that has not passed them") }
            shared.ring.pass(2)
        }
        for worker in workers { worker.join() }
        #expect(numbers == Array(1...300))
    }

    @Test("Nobody fills a slot before it begins")
    func begin() throws {
        let shared = Shared(try #require(StageRing(slots(4), stages: [0, 1])), count: 10)
        let worker = WorkThread("work") { shared.work(0) }
        usleep(50_000)
        #expect(shared.filled.withLock { $0 } == 0)
        shared.ring.begin()
        worker.join()
        #expect(shared.taken.withLock { $0[0] } == Array(1...10))
    }

    @Test("Stopped before it begins, it lets those go who wait to fill a slot")
    func stopBeforeBegin() throws {
        let shared = Shared(try #require(StageRing(slots(4), stages: [0, 2])), count: 10)
        let workers = (0..<2).map { member in WorkThread("work") { shared.work(member) } }
        shared.ring.stop()
        for worker in workers { worker.join() }
        #expect(shared.filled.withLock { $0 } == 0)
    }
}
