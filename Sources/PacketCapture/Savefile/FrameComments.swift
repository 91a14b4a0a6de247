import Synchronization

/// Comments of pcapng files on single frames. The first so many octets of it are kept: a file of any size may be made
/// of comments. One thread may add while another looks.
package final class FrameComments: Sendable {
    private struct State {
        var texts: [UInt64: String] = [:]
        var size = 0
        var omitted = 0
        var cut = 0
    }

    private let state = Mutex(State())
    static let maximumOctets = 16 << 20

    package init() {}

    /// - Parameter isCut: whether the frame has more comments than the text.
    func add(_ text: String, of frame: UInt64, isCut: Bool) {
        state.withLock { state in
            let size = text.utf8.count + 64
            guard state.size + size <= FrameComments.maximumOctets else {
                state.omitted += 1
                return
            }
            state.size += size
            state.texts[frame] = text
            if isCut { state.cut += 1 }
        }
    }

    /// Frames whose comments found no room.
    package var omitted: Int { state.withLock { $0.omitted } }
    /// Frames of whose comments the first ones are kept.
    package var cut: Int { state.withLock { $0.cut } }
    package subscript(frame: UInt64) -> String? { state.withLock { $0.texts[frame] } }
    package var isEmpty: Bool { state.withLock { $0.texts.isEmpty } }
}
