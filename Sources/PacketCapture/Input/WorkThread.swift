import CLinux
import Glibc
import Synchronization

/// A thread with a name, for work that waits.
@safe package final class WorkThread: @unchecked Sendable {
    private var handle = pthread_t()

    private final class Work {
        let name: String
        let body: @Sendable () -> Void
        init(_ name: String, _ body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    /// - Parameter name: at most 15 characters are shown by the system.
    package convenience init(_ name: String, _ body: @escaping @Sendable () -> Void) {
        self.init()
        precondition(begin(Work(name, body)) == 0, "the system has no thread left")
    }

    /// The same, but nil (and errno) where the system has no thread left.
    package static func start(_ name: String, _ body: @escaping @Sendable () -> Void) -> WorkThread? {
        let thread = WorkThread()
        let code = thread.begin(Work(name, body))
        errno = code
        return code == 0 ? thread : nil
    }

    private init() {}

    /// - Returns: 0, or what is wrong.
    private func begin(_ body: Work) -> Int32 {
        let retained = unsafe Unmanaged.passRetained(body)
        let work = unsafe retained.toOpaque()
        let code = unsafe pthread_create(
            &handle, nil,
            { context in
                guard let context = unsafe context else { return nil }
                let work = unsafe Unmanaged<Work>.fromOpaque(context).takeRetainedValue()
                unsafe clinux_name_thread(work.name)
                work.body()
                return nil
            }, work)
        if code != 0 { unsafe retained.release() }
        return code
    }

    package func join() { pthread_join(handle, nil) }

    /// Nobody will join it.
    package func detach() { pthread_detach(handle) }
}

/// Waits for a wake descriptor, until it is woken or a signal comes, and makes it ready for the next time.
/// - Parameter milliseconds: the most that it waits; negative for as long as it takes.
/// - Returns: whether it was woken.
@discardableResult
package func waitForWake(_ descriptor: Int32, milliseconds: Int32 = -1) -> Bool {
    var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    let count = unsafe poll(&waiting, 1, milliseconds)
    if count > 0 { clinux_woken(descriptor) }
    return count > 0
}

/// A bounded queue between threads: what finds no room is refused, so that whoever fills it never waits.
package final class BoundedQueue<Element: Sendable>: Sendable {
    private struct State {
        var elements: [Element] = []
        var size = 0
        var isClosed = false
    }

    private let state = Mutex(State())
    private let limit: Int
    private let descriptor = clinux_wake_descriptor()

    /// - Parameter limit: the most that the elements' sizes may add up to.
    package init(limit: Int) { self.limit = limit }

    deinit { if isUsable { close(descriptor) } }

    /// Whether the system had a descriptor left: without one, whoever waits would wait for ever.
    package var isUsable: Bool { descriptor >= 0 }

    /// - Returns: false where there is no room. An empty queue takes an element of any size, and a full one that of none.
    package func add(_ element: Element, size: Int) -> Bool {
        let isTaken = state.withLock { state in
            guard !state.isClosed, size == 0 || state.elements.isEmpty || state.size + size <= limit else {
                return false
            }
            state.elements.append(element)
            state.size += size
            return true
        }
        if isTaken { clinux_wake(descriptor) }
        return isTaken
    }

    /// Whether nothing more is taken.
    package var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Nothing more will come, or be taken.
    package func end() {
        state.withLock { $0.isClosed = true }
        clinux_wake(descriptor)
    }

    /// Waits for elements and takes them all; nil after the end.
    package func take() -> [Element]? {
        while true {
            let (elements, isClosed) = state.withLock { state in
                defer {
                    state.elements = []
                    state.size = 0
                }
                return (state.elements, state.isClosed)
            }
            if !elements.isEmpty { return elements }
            if isClosed { return nil }
            waitForWake(descriptor)
        }
    }
}

/// Does a piece of work for each number below a count, each on a thread of its own: the first, and what the system has no thread for, on
/// the caller's. Returns when all is done.
/// - Parameter name: of the threads.
package func apportion(_ name: String, _ count: Int, _ work: (Int) -> Void) {
    /// Unchecked: it is done with before the work returns.
    struct Shared: @unchecked Sendable { let work: (Int) -> Void }

    withoutActuallyEscaping(work) { work in
        let shared = Shared(work: work)
        let threads = (1..<count).map { number in WorkThread.start(name) { shared.work(number) } }
        work(0)
        for (place, thread) in threads.enumerated() {
            if let thread { thread.join() } else { work(place + 1) }
        }
    }
}
