import CLinux
import Glibc
import PacketCapture
import Synchronization

/// Writes standard output on a thread of its own, one piece behind who fills the next.
///
/// Unchecked: pieces change hands under the lock.
final class OutputWriter: @unchecked Sendable {
    private struct State {
        var pending: [UInt8]?
        var spare: [UInt8] = []
        /// errno of what failed.
        var code: Int32 = 0
        var isEnded = false
    }

    private let state = Mutex(State())
    private let pendingEvent = clinux_wake_descriptor()
    private let doneEvent = clinux_wake_descriptor()
    private var thread: WorkThread?

    /// Nil where the system has no descriptor or thread left: then it is written without.
    init?() {
        guard pendingEvent >= 0, doneEvent >= 0 else { return nil }
        thread = WorkThread.start("write") { self.run() }
        if thread == nil { return nil }
    }

    deinit {
        close(pendingEvent)
        close(doneEvent)
    }

    /// Hands over octets to be written, once those before are.
    /// - Returns: memory to go on with, and the errno of what failed before.
    func write(_ octets: [UInt8]) -> (spare: [UInt8], code: Int32) {
        while true {
            let (spare, code) = state.withLock { state -> ([UInt8]?, Int32) in
                guard state.code == 0 else { return ([], state.code) }
                guard state.pending == nil else { return (nil, 0) }
                state.pending = octets
                defer { state.spare = [] }
                return (state.spare, 0)
            }
            if let spare {
                if code == 0 { clinux_wake(pendingEvent) }
                return (spare, code)
            }
            waitForWake(doneEvent)
        }
    }

    /// Waits until all is written.
    /// - Returns: the errno of what failed.
    func finish() -> Int32 {
        while true {
            let (isDone, code) = state.withLock { ($0.pending == nil, $0.code) }
            if isDone || code != 0 { return code }
            waitForWake(doneEvent)
        }
    }

    /// Ends the thread.
    func end() {
        state.withLock { $0.isEnded = true }
        clinux_wake(pendingEvent)
        thread?.join()
        thread = nil
    }

    private func run() {
        while true {
            let (octets, isEnded) = state.withLock { ($0.pending, $0.isEnded) }
            guard let octets else {
                if isEnded { return }
                waitForWake(pendingEvent)
                continue
            }
            let code = StandardOutput.write(octets)
            state.withLock { state in
                state.pending = nil
                state.code = code
            }
            recycle(octets)
            clinux_wake(doneEvent)
        }
    }

    /// What was written is the memory for what comes after next.
    private func recycle(_ octets: consuming [UInt8]) {
        octets.removeAll(keepingCapacity: true)
        state.withLock { $0.spare = octets }
    }
}
