import Testing
import WorkerThreads

@Suite struct BoundedQueueTests {
    @Test("What finds no room is refused, and what is in the queue is taken at once and in order")
    func refuses() {
        let queue = BoundedQueue<Int>(limit: 3)
        let isTaken = [(1, 2), (2, 1), (3, 1)].map { queue.add($0.0, size: $0.1) }
        #expect(isTaken == [true, true, false])
        #expect(queue.take() == [1, 2])
        #expect(queue.add(3, size: 1))
    }

    @Test("An empty queue takes an element of any size, a full one that of none")
    func sizes() {
        let queue = BoundedQueue<Int>(limit: 3)
        let isTaken = [(1, 100), (2, 0), (3, 1)].map { queue.add($0.0, size: $0.1) }
        #expect(isTaken == [true, true, false])
    }

    @Test("Behind the end nothing is added; what was there is still taken, and then nil")
    func ends() {
        let queue = BoundedQueue<Int>(limit: 3)
        #expect(queue.add(1, size: 1))
        queue.end()
        #expect(!queue.add(2, size: 1))
        #expect(queue.isClosed)
        #expect(queue.take() == [1])
        #expect(queue.take() == nil)
    }

    @Test("Whoever waits is woken by what another thread adds")
    func wakes() {
        let queue = BoundedQueue<Int>(limit: 3)
        let producer = WorkThread("produce") {
            for number in 0..<100 { while !queue.add(number, size: 1) {} }
            queue.end()
        }
        var taken: [Int] = []
        while let some = queue.take() { taken += some }
        producer.join()
        #expect(taken == Array(0..<100))
    }
}
