/// A copy of a capture file as pcapng, with comments at frames. Frames, times and interfaces are those of the file. The
/// blocks of a pcapng file are copied as they are; a comment is one more option of a packet's block
/// (draft-ietf-opsawg-pcapng section 3.5).
package struct AnnotatedCopy: ~Copyable {
    /// The comments that are added to a file, and the frames of it that are kept.
    package struct Notes: Sendable {
        /// Comments and the numbers of their frames, from 1, in ascending order.
        package var comments: [(frame: UInt64, text: String)] = []
        /// The comment of the file's first section; nil for none.
        package var section: String?
        /// Frames that are kept, in ascending order; nil for all.
        package var kept: [UInt64]?
        /// The next ones of both lists.
        private var nextComment = 0
        private var nextKept = 0

        package init() {}

        /// The comments of a frame; nil if it is not kept. Frames are asked for in ascending order.
        mutating func comments(at frame: UInt64) -> ArraySlice<(frame: UInt64, text: String)>? {
            while nextComment < comments.count, comments[nextComment].frame < frame { nextComment += 1 }
            let first = nextComment
            while nextComment < comments.count, comments[nextComment].frame == frame { nextComment += 1 }
            if let kept {
                while nextKept < kept.count, kept[nextKept] < frame { nextKept += 1 }
                guard nextKept < kept.count, kept[nextKept] == frame else { return nil }
            }
            return comments[first..<nextComment]
        }
    }

    /// The blocks of a pcapng file; or the frames of another, and what writes them.
    private var blocks: BlockCopy?
    private var others: (reader: CaptureReader, writer: SavefileWriter)?
    private var notes: Notes
    /// Frames that were read and that were written.
    package private(set) var frames: UInt64 = 0
    package private(set) var written: UInt64 = 0
    /// Comments that were written, and those of frames that have no place for them: simple packet blocks.
    package private(set) var commented = 0
    package private(set) var homeless = 0

    /// - Parameters:
    ///   - path: a savefile, compressed or not.
    ///   - options: how it is read; its filter is not asked.
    /// - Throws: if it cannot be read.
    package init(_ path: String, _ notes: Notes, _ options: CaptureReader.Options) throws(CaptureError) {
        self.notes = notes
        var bytes = try ByteReader(
            path: path, follows: false, isOneOfMany: false, isInterrupted: options.isInterrupted)
        if bytes.has(4), FileOrder(isBig: true).u32(bytes.bytes, 0) == 0x0a0d_0d0a {
            blocks = BlockCopy(bytes)
            return
        }
        let reader = try CaptureReader(paths: [path], options)
        let description = reader.descriptions[0]
        let writer = SavefileWriter(
            .pcapng,
            [
                .init(
                    linkType: description.linkType, snaplen: description.snaplen,
                    timeDigits: description.timeResolution == 1 ? 9 : 6)
            ], comment: notes.section)
        others = (reader, writer)
    }

    /// The next octets of the copy; empty at its end.
    package mutating func next() -> [UInt8] {
        blocks == nil ? nextFrames() : nextBlocks()
    }

    private mutating func nextBlocks() -> [UInt8] {
        while (blocks?.octets.count ?? .max) < AnnotatedCopy.pieceSize, blocks?.copyNext(&notes) == true {}
        frames = blocks?.frames ?? 0
        written = blocks?.written ?? 0
        commented = blocks?.commented ?? 0
        homeless = blocks?.homeless ?? 0
        return blocks?.takeOctets() ?? []
    }

    private mutating func nextFrames() -> [UInt8] {
        guard let taken = others.take() else { return [] }
        let reader = taken.reader
        var writer = taken.writer
        while writer.octets.count < AnnotatedCopy.pieceSize, let frame = reader.nextFrame() {
            frames = frame.number
            guard let comments = notes.comments(at: frame.number) else { continue }
            written += 1
            commented += comments.count
            writer.write(
                frame.octets, wireLength: frame.wireLength, time: frame.time, comments: comments.map(\.text))
        }
        let octets = writer.takeOctets()
        others = (reader, writer)
        return octets
    }

    private static let pieceSize = 1 << 20
}

/// Copies the blocks of a pcapng file.
private struct BlockCopy: ~Copyable {
    private var reader: ByteReader
    private var state = PcapngState()
    private var interfaces = 0
    private var sections = 0
    private(set) var octets: [UInt8] = []
    private(set) var frames: UInt64 = 0
    private(set) var written: UInt64 = 0
    private(set) var commented = 0
    private(set) var homeless = 0

    init(_ reader: consuming ByteReader) { self.reader = reader }

    mutating func takeOctets() -> [UInt8] {
        defer { octets.removeAll(keepingCapacity: true) }
        return octets
    }

    /// - Returns: false at the end, or where the file is damaged: its analysis ended there too, and said why.
    mutating func copyNext(_ notes: inout AnnotatedCopy.Notes) -> Bool {
        guard reader.has(12) else { return false }
        let isSection = FileOrder(isBig: true).u32(reader.bytes, 0) == 0x0a0d_0d0a
        if isSection {
            state.order = FileOrder(isBig: FileOrder(isBig: true).u32(reader.bytes, 8) == 0x1a2b_3c4d)
        }
        let order = state.order
        let type = order.u32(reader.bytes, 0)
        let length = Int(order.u32(reader.bytes, 4))
        guard length >= 12, length % 4 == 0 else { return false }
        guard length <= Savefile.largestFrame else { return !(1...6).contains(type) && !isSection && copyLong(length) }
        guard reader.has(length) else { return false }
        guard Int(order.u32(reader.bytes, length - 4)) == length || state.leads(&reader, to: length) else {
            return false
        }
        switch type {
        case 0x0a0d_0d0a: return copySection(length, notes.section)
        case 1: interfaces += 1
        case 2, 6: return copyPacket(type, length, &notes)
        case 3:
            guard length >= 16, interfaces > 0 else { return false }
            frames += 1
            guard let comments = notes.comments(at: frames) else {
                reader.consume(length)
                return true
            }
            homeless += comments.count
            written += 1
        default: break
        }
        copy(length)
        return true
    }

    private mutating func copy(_ count: Int) {
        put(0..<count)
        reader.consume(count)
    }

    private mutating func put(_ range: Range<Int>) {
        let bytes = reader.bytes.extracting(range)
        unsafe bytes.withUnsafeBytes { unsafe octets.append(contentsOf: $0) }
    }

    /// A block of a kind that is not known, and too long for the window.
    private mutating func copyLong(_ length: Int) -> Bool {
        var left = length
        while left > 0 {
            let piece = min(left, 1 << 20)
            guard reader.has(piece) else { return false }
            copy(piece)
            left -= piece
        }
        return true
    }

    private mutating func copySection(_ length: Int, _ comment: String?) -> Bool {
        guard length >= 28 else { return false }
        interfaces = 0
        sections += 1
        let comments = sections == 1 ? [comment].compactMap(\.self) : []
        block(length, optionsAt: 24, comments) { copy, start in
            // The section's length is not what it was: it is not given.
            for offset in 16..<24 { copy.octets[start + offset] = 0xff }
        }
        return true
    }

    private mutating func copyPacket(_ type: UInt32, _ length: Int, _ notes: inout AnnotatedCopy.Notes) -> Bool {
        guard length >= 32 else { return false }
        let order = state.order
        let number = type == 6 ? Int(order.u32(reader.bytes, 8)) : Int(order.u16(reader.bytes, 8))
        let captured = Int(order.u32(reader.bytes, 20))
        guard number < interfaces, captured <= length - 32 else { return false }
        frames += 1
        guard let comments = notes.comments(at: frames) else {
            reader.consume(length)
            return true
        }
        written += 1
        commented += comments.count
        if comments.isEmpty {
            copy(length)
        } else {
            block(length, optionsAt: 28 + (captured + 3) & ~3, comments.map(\.text)) { _, _ in }
        }
        return true
    }

    /// Copies a block with more comments.
    /// - Parameter change: changes the copy, which begins at an offset.
    private mutating func block(
        _ length: Int, optionsAt: Int, _ comments: [String], _ change: (inout BlockCopy, Int) -> Void
    ) {
        let order = state.order
        // Options end with their end mark, or with the block.
        var end = min(optionsAt, length - 4)
        while end + 4 <= length - 4, order.u16(reader.bytes, end) != 0 {
            let next = end + 4 + (Int(order.u16(reader.bytes, end + 2)) + 3) & ~3
            // What runs past the block is no option.
            guard next <= length - 4 else { break }
            end = next
        }
        let start = octets.count
        put(0..<end)
        for comment in comments {
            let text = Array(comment.utf8.prefix(SavefileWriter.longestComment))
            put(UInt16(1))  // opt_comment
            put(UInt16(text.count))
            octets += text
            octets += [UInt8](repeating: 0, count: -text.count & 3)
        }
        if comments.isEmpty { put(end..<length - 4) } else { put(UInt32(0)) }  // end of options
        let total = UInt32(octets.count - start + 4)
        put(total)
        for offset in 0..<4 { octets[start + 4 + offset] = octets[octets.count - 4 + offset] }
        change(&self, start)
        reader.consume(length)
    }

    private mutating func put(_ value: some FixedWidthInteger) {
        let shifts = stride(from: 0, to: value.bitWidth, by: 8)
        for shift in state.order.isBig ? Array(shifts.reversed()) : Array(shifts) {
            octets.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }
}
