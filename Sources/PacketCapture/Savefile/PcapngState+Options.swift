// Options of blocks, and the texts in them.
extension PcapngState {
    /// Options in `range` of the block at the window's start: a code and a length of two octets each, padded to four; 0
    /// ends them.
    /// - Returns: whether the last one ends where it should.
    static func options(
        _ order: FileOrder, _ reader: borrowing ByteReader, _ range: Range<Int>, _ take: (UInt16, Range<Int>) -> Void
    ) -> Bool {
        var at = range.lowerBound
        while at + 4 <= range.upperBound {
            let code = order.u16(reader.bytes, at)
            let size = Int(order.u16(reader.bytes, at + 2))
            if code == 0 { return true }
            guard at + 4 + size <= range.upperBound else { return false }
            take(code, at + 4..<at + 4 + size)
            at += 4 + (size + 3) & ~3
        }
        return true
    }

    private static func text(_ reader: borrowing ByteReader, _ range: Range<Int>, maximum: Int = maximumTextLength)
        -> String
    {
        let octets = range.prefix(maximum).map {
            unsafe reader.bytes.unsafeLoad(fromByteOffset: $0, as: UInt8.self)
        }
        let text = String(decoding: octets.prefix { $0 != 0 }, as: UTF8.self)
        return range.count > maximum ? "\(text) \(ellipsis)" : text
    }

    /// A text of the section or of an interface, as far as there is room for it.
    mutating func sectionText(_ reader: borrowing ByteReader, _ range: Range<Int>) -> String {
        guard room > 0 else { return Self.ellipsis }
        let text = Self.text(reader, range, maximum: min(room, Self.maximumTextLength))
        room -= text.utf8.count
        return text
    }

    /// Where comments are left out the last one says so.
    mutating func addComment(
        _ reader: borrowing ByteReader, _ range: Range<Int>, to comments: inout [String]
    ) {
        if comments.count > Self.maximumNotes { return }
        comments.append(comments.count < Self.maximumNotes ? sectionText(reader, range) : Self.ellipsis)
    }

    /// Adds one of the current frame's comments as a line, in place: there may be as many as a block has room for.
    mutating func addComment(_ reader: borrowing ByteReader, _ range: Range<Int>) {
        if isCommentCut { return }
        hasComment = true
        guard let size = comment?.utf8.count else {
            comment = Self.text(reader, range)
            return
        }
        isCommentCut = size >= Self.maximumCommentLength
        comment?.append(isCommentCut ? " \(Self.ellipsis)" : "\n" + Self.text(reader, range))
    }

    mutating func forgetComment() { (comment, hasComment, isCommentCut) = (nil, false, false) }
}
