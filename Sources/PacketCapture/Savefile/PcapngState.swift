import PacketWire

/// Where a pcapng file stands (draft-ietf-opsawg-pcapng): its section's byte order and its interfaces.
struct PcapngState {
    struct Interface {
        var linkType: LinkType
        /// Octets; 0 is no limit.
        var snaplen: Int
        /// The if_tsresol octet: a power of ten, or with the top bit of two.
        var resolutionCode: UInt8 = 6
        /// Seconds to add to each time.
        var offset: Int64 = 0

        /// Nanoseconds a unit, at least 1.
        var resolution: Int64 {
            let exponent = Int(resolutionCode & 0x7f)
            if resolutionCode & 0x80 != 0 { return exponent >= 30 ? 1 : max(1, 1_000_000_000 >> exponent) }
            return exponent >= 9 ? 1 : (exponent..<9).reduce(1) { unit, _ in unit * 10 }
        }

        /// Nanoseconds since the epoch of a time in the interface's units. Times beyond what 64 bits hold stop there.
        @inline(__always)
        func nanoseconds(_ units: UInt64) -> Int64 {
            let time: Int64
            if resolutionCode == 6 {
                time = saturating(units.multipliedReportingOverflow(by: 1000))
            } else if resolutionCode == 9 {
                time = Int64(clamping: units)
            } else {
                time = general(units)
            }
            if offset == 0 { return time }
            let shift = offset.multipliedReportingOverflow(by: 1_000_000_000)
            let sum = time.addingReportingOverflow(
                shift.overflow ? (offset < 0 ? .min : .max) : shift.partialValue)
            return sum.overflow ? (offset < 0 ? .min : .max) : sum.partialValue
        }

        private func saturating(_ result: (partialValue: UInt64, overflow: Bool)) -> Int64 {
            result.overflow ? .max : Int64(clamping: result.partialValue)
        }

        private func general(_ units: UInt64) -> Int64 {
            let exponent = Int(resolutionCode & 0x7f)
            if resolutionCode & 0x80 != 0 {
                guard exponent < 64 else { return 0 }
                let product = units.multipliedFullWidth(by: 1_000_000_000)
                if exponent == 0 { return product.high == 0 ? Int64(clamping: product.low) : .max }
                guard product.high >> UInt64(exponent) == 0 else { return .max }
                return Int64(clamping: product.high << UInt64(64 - exponent) | product.low >> UInt64(exponent))
            }
            if exponent > 9 {
                let divisor = exponent - 9 > 19 ? UInt64.max : (9..<exponent).reduce(1) { unit, _ in unit * 10 }
                return Int64(clamping: units / divisor)
            }
            return saturating(units.multipliedReportingOverflow(by: UInt64(resolution)))
        }
    }

    /// The link type of all frames, whatever the interfaces' blocks say; nil where those are believed.
    var assumedLinkType: LinkType?
    var order = FileOrder(isBig: true)
    var interfaces: [Interface] = []
    /// Comments of the current section and its interfaces.
    private(set) var notes: [InterfaceNote] = []
    private(set) var note = SectionNote()
    /// Comments of the current frame, one a line.
    var comment: String?
    var hasComment = false
    /// Whether comments of the current frame found no room.
    var isCommentCut = false
    /// Octets that texts of the current section and its interfaces may still have.
    var room = maximumTexts
    /// Nanoseconds of a unit of the coarsest interface's times.
    private(set) var coarsestResolution: Int64 = 0
    /// Interfaces of the current section that `notes` lacks.
    private(set) var notesOmitted = 0
    /// Time of the last frame that had one: frames of simple packet blocks have none.
    var lastTime: Int64 = 0
    private var firstFlaw: CaptureError?
    private var flaws = 0
    /// Drops of sections that are over.
    private var earlierLosses = SavefileLosses()
    /// The last statistics of each interface, and the drops that its packets count before them.
    private var statistics: [Int: SavefileLosses] = [:]
    var dropped: [Int: UInt64] = [:]

    // A file of any size may be made of texts: so many are kept (docs/formats.md).

    /// Octets of a comment or name.
    static let maximumTextLength = 4096
    /// Octets of a frame's comments; the one that goes beyond is kept.
    static let maximumCommentLength = 16 << 10
    /// Comments of a section and of an interface; interfaces of a section that are described.
    static let maximumNotes = 64
    /// Octets of all texts of a section and its interfaces.
    static let maximumTexts = 1 << 20
    /// Interfaces of a section.
    static let maximumInterfaces = 1 << 16
    /// Stands where text is left out.
    static let ellipsis = "..."

    private var isInSection = false
    /// The file's first interface.
    private(set) var first: Interface?

    /// Finds the next frame, over any other blocks.
    mutating func next(_ reader: inout ByteReader) throws(CaptureError) -> FrameHeader? {
        if hasComment { forgetComment() }
        while true {
            guard reader.has(12) else {
                if reader.available == 0 { return nil }
                throw short(reader, 12)
            }
            // The section header's type reads the same in both byte orders; its magic tells which one follows.
            let isSection = FileOrder(isBig: true).u32(reader.bytes, 0) == 0x0a0d_0d0a
            if isSection {
                switch FileOrder(isBig: true).u32(reader.bytes, 8) {
                case 0x1a2b_3c4d: order = FileOrder(isBig: true)
                case 0x4d3c_2b1a: order = FileOrder(isBig: false)
                default: throw Self.corrupt(reader, "a section header without its byte-order magic")
                }
            } else if !isInSection {
                throw Self.corrupt(reader, "a block before the first section header")
            }
            let type = order.u32(reader.bytes, 0)
            let length = Int(order.u32(reader.bytes, 4))
            guard length >= 12, length % 4 == 0 else { throw Self.corrupt(reader, "a block length of \(length)") }
            guard length <= Savefile.largestFrame else {
                if (1...6).contains(type) || isSection { throw Self.corrupt(reader, "a block claims \(length) octets") }
                guard reader.skip(length) else { throw short(reader, length) }
                continue
            }
            guard reader.has(length) else { throw short(reader, length) }
            let trailer = Int(order.u32(reader.bytes, length - 4))
            if trailer != length {
                let reason = "a block's length is \(length) at its start and \(trailer) at its end"
                guard leads(&reader, to: length) else { throw Self.corrupt(reader, reason) }
                flaw(reader, reason)
            }
            switch type {
            case 0x0a0d_0d0a:
                try section(reader, length)
                reader.consume(length)
            case 1:
                try interface(reader, length)
                reader.consume(length)
            case 6: return try enhanced(&reader, length)
            case 2: return try obsolete(&reader, length)
            case 3: return try simple(&reader, length)
            case 5:
                try interfaceStatistics(reader, length)
                reader.consume(length)
            default: reader.consume(length)
            }
        }
    }

    /// Finds the enhanced packet blocks of the first interface that lie in the window from `start` on, as far as they
    /// are whole, have no options, and nothing is wrong with them.
    /// - Parameter linkType: the interface's must be this one.
    /// - Returns: their number.
    @inline(__always)
    mutating func places(
        _ places: inout [FramePlace], in window: RawSpan, from start: Int, of linkType: LinkType, maximum: Int,
        rank: Int,
        before other: (time: Int64, rank: Int)
    ) -> Int {
        guard let interface = interfaces.first, interface.linkType == linkType else { return 0 }
        var offset = start
        var count = 0
        while count < maximum, offset + 32 <= window.byteCount {
            let header = window.extracting(offset..<offset + 28)
            let captured = Int(order.u32(header, 20))
            let length = Int(order.u32(header, 4))
            guard order.u32(header, 0) == 6, order.u32(header, 8) == 0,
                length == 28 + captured + Self.trailer(of: captured), length <= Savefile.largestFrame,
                length <= window.byteCount - offset, Int(order.u32(window, offset + length - 4)) == length
            else { break }
            let time = interface.nanoseconds(UInt64(order.u32(header, 12)) << 32 | UInt64(order.u32(header, 16)))
            guard time < other.time || time == other.time && rank < other.rank else { break }
            places[count].offset = offset + 28
            places[count].length = captured
            places[count].wireLength = Int(order.u32(header, 24))
            places[count].time = time
            offset += length
            count += 1
        }
        if count > 0 {
            lastTime = places[count - 1].time
            if hasComment { forgetComment() }
        }
        return count
    }

    /// Octets that follow so many captured ones in a packet block without options: padding, and the block's length.
    static func trailer(of captured: Int) -> Int { (4 - captured & 3) & 3 + 4 }

    /// Whether a block of a usual kind, or the end, is so far ahead: then the length that led there is right.
    func leads(_ reader: inout ByteReader, to length: Int) -> Bool {
        guard reader.has(length + 8) else { return reader.available == length }
        let type = order.u32(reader.bytes, length)
        let next = Int(order.u32(reader.bytes, length + 4))
        return (1...6).contains(type) && next >= 12 && next % 4 == 0 && next <= Savefile.largestFrame
            || type == 0x0a0d_0d0a
    }

    /// Something is wrong, and the rest of the file can be used all the same. The first place is told, the others are
    /// counted.
    mutating func flaw(_ reader: borrowing ByteReader, _ reason: String) {
        flaws += 1
        if firstFlaw == nil { firstFlaw = CaptureError(.flawed, reader.name, at: reader.offset, reason) }
    }

    /// Faults of a file that was read all the same.
    var complaint: CaptureError? {
        guard var complaint = firstFlaw else { return nil }
        complaint.advice = "Read on from there" + (flaws > 1 ? "; \(flaws - 1) more of the kind" : "")
        return complaint
    }

    //  0                   1                   2                   3
    //  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |                    Block type = 0x0a0d0d0a                    |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |                       Block total length                      |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |                 Byte-order magic = 0x1a2b3c4d                 |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |         Major version         |         Minor version         |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |                  Section length (8 octets)...                 |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // | Options, block total length...
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // draft-ietf-opsawg-pcapng section 4.1.
    private mutating func section(_ reader: borrowing ByteReader, _ length: Int) throws(CaptureError) {
        guard length >= 28 else { throw Self.corrupt(reader, "a section header of \(length) octets") }
        let major = order.u16(reader.bytes, 12)
        guard major == 1 else { throw Self.corrupt(reader, "a section of version \(major)") }
        earlierLosses = losses
        (statistics, dropped) = ([:], [:])
        interfaces = []
        notes = []
        notesOmitted = 0
        room = Self.maximumTexts
        isInSection = true
        var note = SectionNote()
        let isWhole = Self.options(order, reader, 24..<length - 4) { code, value in
            switch code {
            case 1: addComment(reader, value, to: &note.comments)
            case 2: note.hardware = sectionText(reader, value)
            case 3: note.system = sectionText(reader, value)
            case 4: note.application = sectionText(reader, value)
            default: break
            }
        }
        self.note = note
        if !isWhole { flaw(reader, "an option that runs past its section header") }
    }

    //  0                   1                   2                   3
    //  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |                         Block type = 1                        |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |                       Block total length                      |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |           Link type           |            Reserved           |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |                            Snaplen                            |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // | Options, block total length...
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // draft-ietf-opsawg-pcapng section 4.2.
    private mutating func interface(_ reader: borrowing ByteReader, _ length: Int) throws(CaptureError) {
        guard length >= 20 else { throw Self.corrupt(reader, "an interface block of \(length) octets") }
        guard interfaces.count < Self.maximumInterfaces else {
            throw Self.corrupt(reader, "more than \(Self.maximumInterfaces) interfaces in a section")
        }
        var interface = Interface(
            linkType: assumedLinkType ?? LinkType(rawValue: order.u16(reader.bytes, 8)),
            snaplen: Int(order.u32(reader.bytes, 12)))
        var note = InterfaceNote(linkType: interface.linkType, snaplen: interface.snaplen, timeResolution: 0)
        let isWhole = Self.options(order, reader, 16..<length - 4) { code, value in
            switch code {
            case 1: addComment(reader, value, to: &note.comments)
            case 2: note.name = sectionText(reader, value)
            case 3: note.description = sectionText(reader, value)
            case 9 where value.count == 1:
                interface.resolutionCode = unsafe reader.bytes.unsafeLoad(
                    fromByteOffset: value.lowerBound, as: UInt8.self)
            case 14 where value.count == 8:
                interface.offset = Int64(bitPattern: order.u64(reader.bytes, value.lowerBound))
            default: break
            }
        }
        if !isWhole { flaw(reader, "an option that runs past its interface block") }
        note.timeResolution = interface.resolution
        coarsestResolution = max(coarsestResolution, interface.resolution)
        interfaces.append(interface)
        if notes.count < Self.maximumNotes { notes.append(note) } else { notesOmitted += 1 }
        if first == nil { first = interface }
    }

    //  0                   1                   2                   3
    //  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |                         Block type = 5                        |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |                       Block total length                      |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |                          Interface ID                         |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |                     Timestamp (upper half)                    |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |                     Timestamp (lower half)                    |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // | Options, block total length...
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // draft-ietf-opsawg-pcapng section 4.6: what was received and dropped since the capture began.
    private mutating func interfaceStatistics(_ reader: borrowing ByteReader, _ length: Int) throws(CaptureError) {
        guard length >= 24 else { throw Self.corrupt(reader, "interface statistics of \(length) octets") }
        let number = Int(order.u32(reader.bytes, 8))
        guard number < interfaces.count else {
            return flaw(reader, "statistics of interface \(number), of which there is no description")
        }
        // A later block may say less than an earlier one: what it does not say stays.
        var counts = statistics[number] ?? SavefileLosses()
        let isWhole = Self.options(order, reader, 20..<length - 4) { code, value in
            guard value.count == 8 else { return }
            let count = order.u64(reader.bytes, value.lowerBound)
            switch code {
            case 4: counts.received = count
            case 5: counts.droppedByInterface = count
            case 7: counts.droppedBySystem = count
            default: break
            }
        }
        if !isWhole { flaw(reader, "an option that runs past its interface statistics") }
        statistics[number] = counts
    }

    /// The sums over interfaces. Their statistics count what their packets do; of an interface without any the packets'
    /// count.
    var losses: SavefileLosses {
        var sum = earlierLosses
        for counts in statistics.values { sum.add(counts) }
        for (number, count) in dropped where statistics[number]?.droppedBySystem == nil {
            sum.add(SavefileLosses(droppedBySystem: count))
        }
        return sum
    }

    static func corrupt(_ reader: borrowing ByteReader, _ reason: String) -> CaptureError {
        CaptureError(
            .corrupt, reader.name, at: reader.offset, reason,
            advice: "The file is damaged from here on; what came before was read")
    }

    private func short(_ reader: borrowing ByteReader, _ needed: Int) -> CaptureError {
        CaptureError(
            .cutShort, reader.name, at: reader.offset,
            "the file ends within a block: \(needed) octets are needed, \(reader.available) are there",
            advice: "What came before was read")
    }
}
