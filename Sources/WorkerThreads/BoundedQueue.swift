import CLinux
import Glibc
import Synchronization

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

    /// - Returns: false where there is no room. An empty queue takes an element of any size, and a full one that of
    ///   none.
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

    /// The queue is over: no element is added or taken any more.
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
