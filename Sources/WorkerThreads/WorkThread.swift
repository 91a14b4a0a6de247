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
        precondition(start(Work(name, body)) == 0, "the system has no thread left")
    }

    /// The same, but nil (and errno) where the system has no thread left.
    package static func start(_ name: String, _ body: @escaping @Sendable () -> Void) -> WorkThread? {
        let thread = WorkThread()
        let code = thread.start(Work(name, body))
        errno = code
        return code == 0 ? thread : nil
    }

    private init() {}

    /// - Returns: 0, or what is wrong.
    private func start(_ body: Work) -> Int32 {
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

/// Does a piece of work for each number below a count, each on a thread of its own: the first, and what the system has
/// no thread for, on the caller's. Returns when all is done.
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
