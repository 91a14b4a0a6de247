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
    private var order = FileOrder(isBig: true)
    private var interfaces: [Interface] = []
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
    private var lastTime: Int64 = 0
    private var firstFlaw: CaptureError?
    private var flaws = 0
    /// Drops of sections that are over.
    private var earlierLosses = SavefileLosses()
    /// The last statistics of each interface, and the drops that its packets count before them.
    private var statistics: [Int: SavefileLosses] = [:]
    private var dropped: [Int: UInt64] = [:]

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
    private func leads(_ reader: inout ByteReader, to length: Int) -> Bool {
        guard reader.has(length + 8) else { return reader.available == length }
        let type = order.u32(reader.bytes, length)
        let next = Int(order.u32(reader.bytes, length + 4))
        return (1...6).contains(type) && next >= 12 && next % 4 == 0 && next <= Savefile.largestFrame
            || type == 0x0a0d_0d0a
    }

    /// Something is wrong, and the rest of the file can be used all the same. The first place is told, the others are
    /// counted.
    private mutating func flaw(_ reader: borrowing ByteReader, _ reason: String) {
        flaws += 1
        if firstFlaw == nil { firstFlaw = CaptureError(.flawed, reader.name, at: reader.offset, reason) }
    }

    /// Faults of a file that was read all the same.
    var complaint: CaptureError? {
        guard var complaint = firstFlaw else { return nil }
        complaint.advice = "Read on from there" + (flaws > 1 ? "; \(flaws - 1) more of the kind" : "")
        return complaint
    }

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

    // type 4, length 4, link type 2, reserved 2, snaplen 4, options, length 4
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

    // type 4, length 4, interface 4, time 8, options, length 4: what was received and dropped since the capture began
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

    // type 4, length 4, interface 4, time 8 (upper half first), captured 4, original 4, octets, options, length 4
    @inline(__always)
    private mutating func enhanced(_ reader: inout ByteReader, _ length: Int) throws(CaptureError) -> FrameHeader {
        guard length >= 32 else { throw Self.corrupt(reader, "a packet block of \(length) octets") }
        return try timed(&reader, length, interface: Int(order.u32(reader.bytes, 8)))
    }

    // type 4, length 4, interface 2, drops 2, time 8, captured 4, original 4, octets, options, length 4
    private mutating func obsolete(_ reader: inout ByteReader, _ length: Int) throws(CaptureError) -> FrameHeader {
        guard length >= 32 else { throw Self.corrupt(reader, "a packet block of \(length) octets") }
        let drops = order.u16(reader.bytes, 10)
        let interface = Int(order.u16(reader.bytes, 8))
        if drops != 0, drops != 0xffff { dropped[interface, default: 0] += UInt64(drops) }
        return try timed(&reader, length, interface: interface)
    }

    /// A packet's comment (1), and the frames dropped since the one before it (4).
    @inline(never)
    private mutating func packetOptions(
        _ reader: borrowing ByteReader, _ range: Range<Int>, _ interface: Int
    ) {
        let isWhole = Self.options(order, reader, range) { code, value in
            switch code {
            case 1: addComment(reader, value)
            case 4 where value.count == 8:
                let sum = dropped[interface, default: 0].addingReportingOverflow(
                    order.u64(reader.bytes, value.lowerBound))
                dropped[interface] = sum.overflow ? .max : sum.partialValue
            default: break
            }
        }
        if !isWhole { flaw(reader, "an option that runs past its packet block") }
    }

    /// Time, lengths and octets stand in the same places in both.
    @inline(__always)
    private mutating func timed(_ reader: inout ByteReader, _ length: Int, interface: Int) throws(CaptureError)
        -> FrameHeader
    {
        let units = UInt64(order.u32(reader.bytes, 12)) << 32 | UInt64(order.u32(reader.bytes, 16))
        let captured = Int(order.u32(reader.bytes, 20))
        let wire = Int(order.u32(reader.bytes, 24))
        let end = 28 + (captured + 3) & ~3
        if end + 8 <= length { packetOptions(reader, end..<length - 4, interface) }
        let header = try frame(&reader, length, interface, units, captured, wire, at: 28)
        lastTime = header.time
        return header
    }

    // type 4, length 4, original 4, octets, length 4: the first interface's, without a time
    private mutating func simple(_ reader: inout ByteReader, _ length: Int) throws(CaptureError) -> FrameHeader {
        guard length >= 16 else { throw Self.corrupt(reader, "a simple packet block of \(length) octets") }
        let wire = Int(order.u32(reader.bytes, 8))
        let snaplen = interfaces.first?.snaplen ?? 0
        let captured = min(wire, snaplen == 0 ? wire : snaplen, length - 16)
        var header = try frame(&reader, length, 0, 0, captured, wire, at: 12)
        (header.time, header.isTimed) = (lastTime, false)
        return header
    }

    @inline(__always)
    private func frame(
        _ reader: inout ByteReader, _ length: Int, _ number: Int, _ units: UInt64, _ captured: Int, _ wire: Int,
        at start: Int
    ) throws(CaptureError) -> FrameHeader {
        guard number < interfaces.count else {
            throw Self.corrupt(reader, "a packet of interface \(number), of which there is no description")
        }
        guard captured <= length - 4 - start else {
            throw Self.corrupt(reader, "a packet of \(captured) octets in a block of \(length)")
        }
        let interface = interfaces[number]
        reader.consume(start)
        return FrameHeader(
            linkType: interface.linkType, time: interface.nanoseconds(units), capturedLength: captured,
            wireLength: wire, trailer: length - start - captured, interface: number)
    }

    private static func corrupt(_ reader: borrowing ByteReader, _ reason: String) -> CaptureError {
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
