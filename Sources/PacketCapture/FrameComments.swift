/// What pcapng files say of single frames. The first so many octets of it are kept: a file of any size may be made of comments.
package struct FrameComments {
    private var texts: [UInt64: String] = [:]
    private var size = 0
    /// Comments that found no room.
    package private(set) var letGo = 0
    static let mostOctets = 16 << 20

    package init() {}

    mutating func add(_ text: String, of frame: UInt64) {
        size += text.utf8.count + 64
        if size <= FrameComments.mostOctets { texts[frame] = text } else { letGo += 1 }
    }

    package subscript(frame: UInt64) -> String? { texts[frame] }
    package var isEmpty: Bool { texts.isEmpty }
}
