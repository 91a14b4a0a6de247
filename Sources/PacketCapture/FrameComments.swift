import Synchronization

/// What pcapng files say of single frames. The first so many octets of it are kept: a file of any size may be made of comments.
/// One thread may add while another looks.
package final class FrameComments: Sendable {
    private struct State {
        var texts: [UInt64: String] = [:]
        var size = 0
        var letGo = 0
    }

    private let state = Mutex(State())
    static let mostOctets = 16 << 20

    package init() {}

    func add(_ text: String, of frame: UInt64) {
        state.withLock { state in
            state.size += text.utf8.count + 64
            if state.size <= FrameComments.mostOctets { state.texts[frame] = text } else { state.letGo += 1 }
        }
    }

    /// Comments that found no room.
    package var letGo: Int { state.withLock { $0.letGo } }
    package subscript(frame: UInt64) -> String? { state.withLock { $0.texts[frame] } }
    package var isEmpty: Bool { state.withLock { $0.texts.isEmpty } }
}
