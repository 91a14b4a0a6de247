import Synchronization
import Testing
import WorkerThreads

@Suite struct WorkThreadTests {
    @Test("Each number is worked on once, and all are done at the return")
    func apportions() {
        let done = Mutex([Int](repeating: 0, count: 8))
        apportion("work", 8) { number in done.withLock { $0[number] += 1 } }
        #expect(done.withLock { $0 } == [Int](repeating: 1, count: 8))
    }
}
