import CLinux
package import PacketWire

/// What a capture file says of itself, or of its first interface.
package struct SavefileDescription: Sendable {
    package var name: String
    /// `pcap` or `pcapng`.
    package var format: String
    package var linkType: LinkType
    /// Octets; 0 in pcapng means no limit.
    package var snaplen: Int
    /// Nanoseconds that the smallest step of a time stands for.
    package var timeResolution: Int64
    /// What a pcapng file says of the interfaces that it describes before its first frame, and of itself.
    package var interfaces: [InterfaceNote] = []
    /// How many more interfaces it describes there.
    package var interfacesOmitted = 0
    package var section = SectionNote()
}

extension SavefileDescription {
    /// The formats that are read, and what of each.
    package static let formats: [(name: String, summary: String)] = [
        (
            "pcap",
            "both byte orders, micro- and nanoseconds, versions 2.0 to 2.4 with lengths in either order; A. Kuznetzov's variants (Red Hat 6.1, SuSE 6.3), Nokia's, AIX's, Ixia's"
        ),
        (
            "pcapng",
            "both byte orders, any number of sections and interfaces, each with its link type, snaplen and time resolution; enhanced, simple and obsolete packet blocks; comments, names, statistics; other blocks are passed over"
        ),
    ]

    package static let compressions: [(name: String, summary: String)] = [
        ("gzip", "RFC 1952, several members too"), ("zstd", "RFC 8878, several frames too"),
        ("lz4", "the LZ4 frame format, several frames too"),
    ]
}

/// One frame's place in a capture file: its octets are the first `capturedLength` of the reader's window.
struct FrameHeader {
    var linkType: LinkType
    /// Nanoseconds since the epoch.
    var time: Int64
    var capturedLength: Int
    /// Octets on the wire.
    var wireLength: Int
    /// Octets that follow the frame in the file and belong to its record.
    var trailer: Int
    /// The position of its interface among those of its section.
    var interface = 0
    /// Whether its record has a time; if not it has that of the frame before it.
    var isTimed = true
}

/// Reads pcap and pcapng savefiles frame by frame.
struct Savefile: ~Copyable {
    private enum Format {
        case pcap(ClassicFormat)
        case pcapng
    }

    private var reader: ByteReader
    private var format: Format
    private var sections = PcapngState()
    /// The next frame, already found.
    private(set) var next: FrameHeader?
    /// It was delivered: the one after it is looked for when it is needed, since that may mean to wait.
    var isDelivered = false
    /// Why reading ended, if not by the end of the file.
    private(set) var failure: CaptureError?
    private(set) var description: SavefileDescription
    /// Where the frames of a batch lie in the window.
    private var places = [FramePlace](repeating: FramePlace(), count: FrameBatch.capacity)

    /// No record may claim more octets than this; the largest snaplen in use is 256 KiB.
    static let largestFrame = 16 << 20

    private init(_ reader: consuming ByteReader, _ format: Format, _ description: SavefileDescription) {
        self.reader = reader
        self.format = format
        self.description = description
    }

    /// Opens a file and finds its first frame.
    /// - Parameters:
    ///   - follows: whether a file's end is only its end so far.
    ///   - isOneOfMany: many files are open at a time: each gets little memory.
    ///   - linkType: of all frames, whatever the file says; nil where the file is believed.
    static func open(
        _ path: String, follows: Bool = false, isOneOfMany: Bool = false, linkType: LinkType? = nil,
        isInterrupted: @escaping @Sendable () -> Bool
    ) throws(CaptureError) -> Savefile {
        var reader = try ByteReader(
            path: path, follows: follows, isOneOfMany: isOneOfMany, isInterrupted: isInterrupted)
        let format = try recognise(&reader, linkType)
        // What a pcapng file says of its first interface is read with its first frame.
        var description = SavefileDescription(
            name: path, format: "pcapng", linkType: LinkType(rawValue: .max), snaplen: 0, timeResolution: 1000)
        if case .pcap(let classic) = format { description = classic.description(path) }
        var file = Savefile(reader, format, description)
        file.sections.assumedLinkType = linkType
        _ = file.advance()
        if let first = file.sections.first {
            file.description.linkType = first.linkType
            file.description.snaplen = first.snaplen
            file.description.timeResolution = first.resolution
            file.description.interfaces = file.sections.notes
            file.description.interfacesOmitted = file.sections.notesOmitted
            file.description.section = file.sections.note
        } else if case .pcapng = format, let failure = file.failure {
            // Broken before its first interface, it has nothing to report; one that has frames does.
            throw failure
        }
        return file
    }

    private static func recognise(_ reader: inout ByteReader, _ linkType: LinkType?) throws(CaptureError) -> Format {
        guard reader.has(4) else {
            if let failure = reader.failure { throw failure }
            throw CaptureError(
                .cutShort, reader.name,
                reader.available == 0 ? "is empty" : "is too short for a capture file (\(reader.available) octets)",
                advice: "A capture without frames still has a file header")
        }
        let magic = FileOrder(isBig: true).u32(reader.bytes, 0)
        if magic == 0x0a0d_0d0a { return .pcapng }
        if var classic = try ClassicFormat(magic, &reader) {
            if let linkType { classic.linkType = linkType }
            return .pcap(classic)
        }
        throw ForeignFormat.error(&reader)
    }

    /// The current frame's octets.
    var frame: RawSpan {
        @_lifetime(borrow self)
        @inline(__always)
        get { reader.bytes.extracting(first: next?.capturedLength ?? 0) }
    }

    /// What is wrong with a file that was read all the same.
    var complaint: CaptureError? {
        var complaint = sections.complaint
        complaint?.isDecompressed = reader.isDecompressed
        return complaint
    }

    /// What a pcapng file says of frames that it does not hold.
    var losses: SavefileLosses { sections.losses }

    /// Whether a thread reads its octets ahead.
    var isReadAhead: Bool { reader.isReadAhead }

    /// Has it end where storage does not answer and nobody wants more.
    mutating func givesUp(_ isUnwanted: @escaping @Sendable () -> Bool) { reader.isUnwanted = isUnwanted }

    /// Octets of the file that were read, and that it has; nil where that cannot be known.
    var progress: (done: Int64, all: Int64)? { reader.progress }

    /// Makes the next frame ready; `next` is nil at the end.
    /// - Parameter mayWait: whether it may wait for a pipe's writer.
    /// - Returns: false if it would have to wait.
    @inline(__always)
    mutating func makeReady(mayWait: Bool) -> Bool {
        guard isDelivered else { return true }
        guard advance(mayWait: mayWait) else { return false }
        isDelivered = false
        return true
    }

    /// Decodes frames into a batch, until it is full or another file's turn comes: the loop that everything offline goes through.
    /// - Parameters:
    ///   - rank: the file's place among those whose frames have the same time.
    ///   - other: time and rank of the first frame that is another file's.
    /// - Returns: false if it would have to wait for a pipe's writer, and has something to hand on.
    mutating func deliver(
        into batch: inout FrameBatch, _ delivery: inout FrameDelivery, rank: Int, before other: (time: Int64, rank: Int)
    ) -> Bool {
        while !batch.isFull, !delivery.isLimitReached {
            if deliverRun(into: &batch, &delivery, rank: rank, before: other) { continue }
            guard makeReady(mayWait: batch.count == 0) else { return false }
            guard let header = next, (header.time, rank) < other else { return true }
            delivery.frameNumber += 1
            isDelivered = true
            if let filter = delivery.filter, unsafe !filter.passes(header, reader.address) {
                delivery.filteredOut += 1
                continue
            }
            if header.linkType != delivery.decoder.linkType { delivery.changeLinkType(header.linkType) }
            batch.append(
                frame, wireLength: header.wireLength, number: delivery.frameNumber, time: header.time,
                decoder: delivery.decoder,
                origin: FrameOrigin(interface: header.interface, isTimed: header.isTimed))
            if !header.isTimed { delivery.untimed += 1 }
            if sections.hasComment, let comment = sections.comment {
                delivery.comments.add(comment, of: delivery.frameNumber, isCut: sections.isCommentCut)
            }
            delivery.delivered += 1
        }
        return true
    }

    /// Decodes the frames of plain records that lie in the window one behind the other, after the frame that was delivered: the fast
    /// part of `deliver`, which does the same one at a time.
    /// - Returns: whether there were any.
    private mutating func deliverRun(
        into batch: inout FrameBatch, _ delivery: inout FrameDelivery, rank: Int, before other: (time: Int64, rank: Int)
    ) -> Bool {
        guard isDelivered, let done = next, delivery.filter == nil, done.linkType == delivery.decoder.linkType else {
            return false
        }
        let room = min(FrameBatch.capacity - batch.count, Int(clamping: delivery.limit - delivery.delivered))
        let start = done.capturedLength + done.trailer
        let count: Int
        let isClassic: Bool
        switch format {
        case .pcap(let classic):
            isClassic = true
            count = classic.places(&places, in: reader.bytes, from: start, most: room, rank: rank, before: other)
        case .pcapng:
            isClassic = false
            count = sections.places(
                &places, in: reader.bytes, from: start, of: done.linkType, most: room, rank: rank, before: other)
        }
        guard count > 0, !reader.isTorn else { return false }
        let last = places[count - 1]
        let before = batch.mark
        prefetch(after: places.span.extracting(first: count), header: isClassic ? 16 : 28)
        batch.append(
            places.span.extracting(first: count), in: reader.bytes, first: delivery.frameNumber + 1,
            decoder: delivery.decoder)
        // Decoded first: what is cut off only then is not believed either.
        if reader.isTorn || isCut(before: last.offset + last.length) {
            batch.takeBack(to: before)
            return false
        }
        delivery.frameNumber += UInt64(count)
        delivery.delivered += UInt64(count)
        reader.consume(last.offset)
        next = FrameHeader(
            linkType: done.linkType, time: last.time, capturedLength: last.length, wireLength: last.wireLength,
            trailer: isClassic ? 0 : PcapngState.trailer(of: last.length))
        return true
    }

    /// Asks for the heads of the frames that are as far behind these as the next batch's would be, were they as long: they come while these are
    /// decoded. The processor does not see that by itself: heads of bulk are far apart, and those of short frames are looked for faster than memory
    /// is.
    /// - Parameter header: octets of a record before its frame.
    @inline(__always)
    private func prefetch(after places: Span<FramePlace>, header: UInt) {
        let span = places[places.count - 1].offset - places[0].offset
        // Record, link, IP and TCP headers. An address beyond the window is that of what comes next, or of nothing: no harm.
        let start = unsafe UInt(bitPattern: reader.address)
        let ahead = UInt(bitPattern: span / max(1, places.count - 1) * FrameBatch.capacity)
        for place in places.indices {
            let frame = start &+ ahead &+ UInt(bitPattern: places[place].offset)
            unsafe clinux_prefetch_read(UnsafeRawPointer(bitPattern: frame &- header))
            unsafe clinux_prefetch_read(UnsafeRawPointer(bitPattern: frame))
            unsafe clinux_prefetch_read(UnsafeRawPointer(bitPattern: frame &+ 64))
        }
    }

    /// Whether the file was cut before the window's octet of that number: then that reads as 0, and so does what is behind it. The system is asked
    /// where nothing there says otherwise.
    private func isCut(before count: Int) -> Bool {
        let bytes = reader.bytes
        if count > 0 {
            if unsafe bytes.unsafeLoadUnaligned(fromByteOffset: count - 1, as: UInt8.self) != 0 { return false }
            if bytes.byteCount - count >= 8,
                unsafe bytes.unsafeLoadUnaligned(fromByteOffset: count, as: UInt64.self) != 0
            {
                return false
            }
        }
        return reader.isCut(before: count)
    }

    /// Goes to the next frame; `next` is nil at the end.
    /// - Parameter mayWait: whether it may wait for a pipe's writer.
    /// - Returns: false if it would have to wait; nothing is lost, and it can be called again.
    @inline(__always)
    mutating func advance(mayWait: Bool = true) -> Bool {
        if let done = next { reader.consume(done.capturedLength + done.trailer) }
        reader.mayWait = mayWait
        let place = reader.offset
        do throws(CaptureError) {
            switch format {
            case .pcap(let classic): next = try classic.next(&reader)
            case .pcapng: next = try sections.next(&reader)
            }
            if next == nil { failure = reader.failure }
        } catch {
            next = nil
            failure = reader.failure ?? error
            failure?.isDecompressed = reader.isDecompressed
            // What ends there is not the file.
            if reader.hasGivenUp { failure = nil }
        }
        if reader.isTorn || !reader.hasGivenUp && isCut(before: next?.capturedLength ?? reader.available) {
            next = nil
            failure = CaptureError(
                .cutShort, reader.name, at: place, "the file was cut, or its storage failed, while it was read",
                advice: "What came before was read")
        }
        guard next == nil, !mayWait, reader.isStarved else { return true }
        failure = nil
        return false
    }
}

/// The classic format (tcpdump.org/manpages/pcap-savefile.5.txt), and its variants as Wireshark's libpcap.c has them.
private struct ClassicFormat {
    let order: FileOrder
    /// Nanoseconds a unit of the fraction.
    private(set) var unit: Int64
    /// Octets of a record header: 16, or more in variants.
    private(set) var headerLength: Int
    fileprivate(set) var linkType: LinkType
    let snaplen: Int
    let lengths: Lengths

    /// Which of a record's lengths comes first. Before version 2.3 the original one did; of 2.3 there are writers of either
    /// kind, and the captured one is not the greater (libpcap's sf-pcap.c).
    enum Lengths { case capturedFirst, originalFirst, smallerIsCaptured }

    /// The properties that a magic gives its file.
    private struct Kind {
        var magic: UInt32
        var unit: Int64 = 1000
        var fileHeader = 24
        /// Lengths that a record header may have, the most common one first.
        var recordHeaders = [16]
    }

    private static let kinds = [
        // 24 octets: A. Kuznetzov's patch of April 1999 (Red Hat 6.1). 20 octets: Nokia's firewalls.
        Kind(magic: 0xa1b2_c3d4, recordHeaders: [16, 24, 20]),
        Kind(magic: 0xa1b2_3c4d, unit: 1),
        // His patches of October 1999, and of September 1999 (SuSE 6.3).
        Kind(magic: 0xa1b2_cd34, recordHeaders: [24, 28]),
        // Ixia's, captured in hardware and in software: the size of all records stands behind the file header.
        Kind(magic: 0x1c00_01ac, unit: 1, fileHeader: 28),
        Kind(magic: 0x1c00_01ab, fileHeader: 28),
    ]

    //  magic 4, major 2, minor 2, time zone 4, accuracy 4, snaplen 4, link type 4 (the upper bits say FCS length)
    init?(_ magic: UInt32, _ reader: inout ByteReader) throws(CaptureError) {
        let kind: Kind
        if let found = Self.kinds.first(where: { $0.magic == magic }) {
            (kind, order) = (found, FileOrder(isBig: true))
        } else if let found = Self.kinds.first(where: { $0.magic == magic.byteSwapped }) {
            (kind, order) = (found, FileOrder(isBig: false))
        } else {
            return nil
        }
        unit = kind.unit
        headerLength = kind.recordHeaders[0]
        guard reader.has(kind.fileHeader) else {
            throw CaptureError(
                .cutShort, reader.name, at: UInt64(reader.available),
                "ends within the file header: \(kind.fileHeader) octets are needed, \(reader.available) are there",
                advice: "Nothing can be read from it")
        }
        let major = order.u16(reader.bytes, 4)
        let minor = order.u16(reader.bytes, 6)
        switch (major, minor) {
        case (2, ..<3), (543, 0): lengths = .originalFirst  // DG/UX numbers it 543.0
        case (2, 3): lengths = .smallerIsCaptured
        case (2, _): lengths = .capturedFirst
        default:
            throw CaptureError(
                .unknownFormat, reader.name, at: 4, "has format version \(major).\(minor)", advice: "Version 2 is read")
        }
        snaplen = Int(order.u32(reader.bytes, 16))
        linkType = LinkType(rawValue: UInt16(truncatingIfNeeded: order.u32(reader.bytes, 20) & 0xffff))
        // AIX has version 2.2, nanoseconds, and the types of RFC 1573 for links.
        if kind.magic == 0xa1b2_c3d4, major == 2, minor == 2, let type = Self.linksOfAIX[linkType.rawValue] {
            (linkType, unit) = (type, 1)
        }
        reader.consume(kind.fileHeader)
        // The variants that share a magic are of version 2.4.
        if lengths == .capturedFirst, kind.recordHeaders.count > 1 { chooseHeader(kind.recordHeaders, &reader) }
    }

    /// Ethernet, Token Ring and loopback.
    private static let linksOfAIX: [UInt16: LinkType] = [
        6: .ethernet, 9: LinkType(rawValue: 6), 24: .null,
    ]

    func description(_ name: String) -> SavefileDescription {
        SavefileDescription(name: name, format: "pcap", linkType: linkType, snaplen: snaplen, timeResolution: unit)
    }

    /// The first records, read with a record header of some length.
    private struct Trial {
        /// Records that are whole and make sense, at most three.
        var records = 0
        /// Nothing speaks against it: no record is cut or makes no sense.
        var isSound = false
        /// The first record's lengths.
        var first: (captured: Int, wire: Int) = (0, 0)
    }

    /// Records that are tried, and the octets in which they must lie.
    private static let tried = (records: 3, octets: 1 << 20)

    /// Chooses the length of record headers, where writers of several lengths use the same magic: the usual one, unless the
    /// first records make no sense with it and do with another.
    private mutating func chooseHeader(_ candidates: [Int], _ reader: inout ByteReader) {
        // Records that a pipe's writer has not written yet speak for nothing.
        reader.mayWait = false
        defer { reader.mayWait = true }
        let usual = trial(of: candidates[0], &reader)
        if usual.isSound { return }
        var best = usual.records
        for candidate in candidates.dropFirst() {
            let other = trial(of: candidate, &reader)
            // A single record proves little: a file that was cut behind it looks the same. Then it must be a segment.
            let isBetter =
                other.records >= 2
                ? other.records > best
                : other.isSound && other.records == 1 && best < 2
                    && isSegment(other, behind: candidate, reader) && !isSegment(usual, behind: candidates[0], reader)
            if isBetter { (best, headerLength) = (other.records, candidate) }
        }
    }

    private func trial(of headerLength: Int, _ reader: inout ByteReader) -> Trial {
        var trial = Trial()
        var (start, firstSecond) = (0, Int64(0))
        while trial.records < Self.tried.records {
            guard start + headerLength <= Self.tried.octets else { break }
            guard reader.has(start + headerLength) else {
                trial.isSound = reader.isStarved || reader.available == start
                return trial
            }
            let second = Int64(order.u32(reader.bytes, start))
            let (captured, wire) = (
                Int(order.u32(reader.bytes, start + 8)), Int(order.u32(reader.bytes, start + 12))
            )
            if trial.records == 0 { trial.first = (captured, wire) }
            if firstSecond == 0 { firstSecond = second }
            // Zeros read as records of no octets. Seconds of one capture are not years apart, but for those of records
            // without a time.
            guard order.u32(reader.bytes, start + 4) < 1_000_000, captured <= Savefile.largestFrame,
                captured <= wire, (1...128 << 20).contains(wire),
                second == 0 || abs(second - firstSecond) < 366 * 86_400,
                headerLength < 24 || isLinuxHeader(reader.bytes, start + 16)
            else { return trial }
            start += headerLength + captured
            guard start <= Self.tried.octets else { break }
            guard reader.has(start) else {
                trial.isSound = reader.isStarved
                return trial
            }
            trial.records += 1
        }
        trial.isSound = true
        return trial
    }

    //  interface 4, protocol 2, packet type 1, then padding
    /// The fields that A. Kuznetzov's patches add to a record header make sense.
    private func isLinuxHeader(_ bytes: RawSpan, _ start: Int) -> Bool {
        let ethertype = order.u16(bytes, start + 4)
        let type = order.isBig ? order.u16(bytes, start + 6) >> 8 : order.u16(bytes, start + 6) & 0xff
        // Values of Linux's if_ether.h below those of Ethernet; five kinds of if_packet.h.
        let isProtocol = ethertype >= 0x600 || ethertype <= 0x17 || [0x60, 0x200, 0x400].contains(ethertype)
        return order.u32(bytes, start) <= 10_000 && isProtocol && type <= 4
    }

    private func isSegment(_ trial: Trial, behind headerLength: Int, _ reader: borrowing ByteReader) -> Bool {
        let end = headerLength + trial.first.captured
        guard end <= reader.available else { return false }
        let frame = FrameDecoder(linkType).decode(
            reader.bytes.extracting(headerLength..<end), wireLength: trial.first.wire)
        if case .segment = frame { return true }
        return false
    }

    //  seconds 4, fraction 4, captured length 4, original length 4
    @inline(__always)
    func next(_ reader: inout ByteReader) throws(CaptureError) -> FrameHeader? {
        guard reader.has(headerLength) else {
            if reader.available == 0 { return nil }
            throw short(reader, "a record header", headerLength)
        }
        let time = Int64(order.u32(reader.bytes, 0)) * 1_000_000_000 + Int64(order.u32(reader.bytes, 4)) * unit
        var captured = Int(order.u32(reader.bytes, 8))
        var wire = Int(order.u32(reader.bytes, 12))
        if lengths != .capturedFirst, lengths == .originalFirst || captured > wire { swap(&captured, &wire) }
        guard captured <= Savefile.largestFrame else {
            throw CaptureError(
                .corrupt, reader.name, at: reader.offset, "a record claims \(captured) octets",
                advice: "The file is damaged from here on; what came before was read")
        }
        guard reader.has(headerLength + captured) else { throw short(reader, "a frame", headerLength + captured) }
        reader.consume(headerLength)
        return FrameHeader(
            linkType: linkType, time: time, capturedLength: captured, wireLength: wire, trailer: 0)
    }

    /// Finds the records that lie in the window from `start` on, as far as they are whole and nothing is wrong with them.
    /// - Returns: their number.
    func places(
        _ places: inout [FramePlace], in window: RawSpan, from start: Int, most: Int, rank: Int,
        before other: (time: Int64, rank: Int)
    ) -> Int {
        guard lengths == .capturedFirst, headerLength == 16 else { return 0 }
        // Times are not negative here.
        guard other.time >= 0 else { return 0 }
        let latest = rank < other.rank ? other.time : other.time &- 1
        var slots = places.mutableSpan
        let most = min(most, slots.count)
        // One loop for each order, which then is not looked at.
        return order.isBig
            ? walk(&slots, window, start, most, latest, FileOrder(isBig: true))
            : walk(&slots, window, start, most, latest, FileOrder(isBig: false))
    }

    @inline(__always)
    private func walk(
        _ slots: inout MutableSpan<FramePlace>, _ window: RawSpan, _ start: Int, _ most: Int, _ latest: Int64,
        _ order: FileOrder
    ) -> Int {
        var offset = start
        var count = 0
        while count < most, window.byteCount &- offset >= 16 {
            let header = window.extracting(offset..<offset &+ 16)
            let time = Int64(order.u32(header, 0)) &* 1_000_000_000 &+ Int64(order.u32(header, 4)) &* unit
            let captured = Int(order.u32(header, 8))
            offset &+= 16
            // Zeros are what a file that is cut meanwhile may go on with.
            guard captured > 0, captured <= window.byteCount &- offset, captured <= Savefile.largestFrame,
                time <= latest
            else { break }
            slots[count].offset = offset
            slots[count].length = captured
            slots[count].wireLength = Int(order.u32(header, 12))
            slots[count].time = time
            offset &+= captured
            count &+= 1
        }
        return count
    }

    private func short(_ reader: borrowing ByteReader, _ what: String, _ needed: Int) -> CaptureError {
        CaptureError(
            .cutShort, reader.name, at: reader.offset,
            "the file ends within \(what): \(needed) octets are needed, \(reader.available) are there",
            advice: "What came before was read")
    }
}
