import Synchronization

/// Where each frame of several files is: its file, and its number there.
///
/// Frames are numbered through all files in the order of time. A turn is a stretch of frames of one file. Of more turns
/// than `maximum` the oldest are forgotten, and their frames have no place.
package final class FramePlaces: Sendable {
    private struct Turn {
        /// The number of its first frame among those of all files, and in its file.
        var first: UInt64
        var own: UInt64
        var file: Int
    }

    private struct State {
        var turns: [Turn] = []
        /// The turn that was asked for last: what is asked next is most often near it.
        var last = 0
    }

    /// 24 octets each.
    package static let usualMaximum = 1 << 20
    private let maximum: Int
    private let state = Mutex(State())
    /// The files' names, by number.
    package let names: [String]

    /// - Parameter maximum: turns that are kept, from 2 on.
    package init(_ names: [String], maximum: Int = FramePlaces.usualMaximum) {
        (self.names, self.maximum) = (names, max(2, maximum))
    }

    /// Frames of one file follow.
    /// - Parameters:
    ///   - first: the first one's number among those of all files.
    ///   - own: its number in its file.
    package func begin(_ first: UInt64, own: UInt64, of file: Int) {
        state.withLock { state in
            if state.turns.last?.file == file { return }
            if state.turns.count == maximum {
                state.turns.removeFirst(maximum / 2)
                state.last = 0
            }
            state.turns.append(Turn(first: first, own: own, file: file))
        }
    }

    /// Whether frames of the files take turns, as those of captures that ran at the same time do. Those of a rotated
    /// set do not: each file has one turn.
    package var areInterleaved: Bool { state.withLock { $0.turns.count > 2 * names.count } }

    /// A frame's file, by number, and the frame's number in it; nil where that was forgotten.
    package subscript(frame: UInt64) -> (file: Int, frame: UInt64)? {
        state.withLock { state in
            let turns = state.turns
            func holds(_ turn: Int) -> Bool {
                turns[turn].first <= frame && (turn + 1 == turns.count || frame < turns[turn + 1].first)
            }
            guard let first = turns.first, first.first <= frame else { return nil }
            if !holds(state.last) {
                var (low, high) = (0, turns.count)
                while high - low > 1 {
                    let middle = (low + high) / 2
                    if turns[middle].first <= frame { low = middle } else { high = middle }
                }
                state.last = low
            }
            let turn = turns[state.last]
            return (turn.file, turn.own + (frame - turn.first))
        }
    }
}
