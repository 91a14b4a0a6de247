import CLinux
import PacketWire

/// The classic format (tcpdump.org/manpages/pcap-savefile.5.txt), and its variants as Wireshark's libpcap.c has them.
struct ClassicFormat {
    let order: FileOrder
    /// Nanoseconds a unit of the fraction.
    private(set) var unit: Int64
    /// Octets of a record header: 16, or more in variants.
    private(set) var headerLength: Int
    var linkType: LinkType
    let snaplen: Int
    let lengths: Lengths

    /// Which of a record's lengths comes first. Before version 2.3 the original one did; of 2.3 there are writers of
    /// either kind, and the captured one is not the greater (libpcap's sf-pcap.c).
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
        /// It is sound: no record is cut or makes no sense.
        var isSound = false
        /// The first record's lengths.
        var first: (captured: Int, wire: Int) = (0, 0)
    }

    /// Records that are tried, and the octets in which they must lie.
    private static let tried = (records: 3, octets: 1 << 20)

    /// Chooses the length of record headers, where writers of several lengths use the same magic: the usual one, unless
    /// the first records make no sense with it and do with another.
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
    /// - Parameter before: the time of the frame before it; nil for none. A record whose fraction is a second or more
    ///   has no valid time, and its frame gets that time, or its own second.
    @inline(__always)
    func next(_ reader: inout ByteReader, after before: Int64?) throws(CaptureError) -> FrameHeader? {
        guard reader.has(headerLength) else {
            if reader.available == 0 { return nil }
            throw short(reader, "a record header", headerLength)
        }
        let second = Int64(order.u32(reader.bytes, 0)) * 1_000_000_000
        let fraction = Int64(order.u32(reader.bytes, 4)) * unit
        let isTimed = fraction < 1_000_000_000
        let time = isTimed ? second + fraction : before ?? second
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
            linkType: linkType, time: time, capturedLength: captured, wireLength: wire, trailer: 0, isTimed: isTimed)
    }

    /// Finds the records that lie in the window from `start` on, as far as they are whole and nothing is wrong with
    /// them.
    /// - Returns: their number.
    func places(
        _ places: inout [FramePlace], in window: RawSpan, from start: Int, maximum: Int, rank: Int,
        before other: (time: Int64, rank: Int)
    ) -> Int {
        guard lengths == .capturedFirst, headerLength == 16 else { return 0 }
        // Times are not negative here.
        guard other.time >= 0 else { return 0 }
        let latest = rank < other.rank ? other.time : other.time &- 1
        var slots = places.mutableSpan
        let maximum = min(maximum, slots.count)
        // One loop for each order, which then is not looked at.
        return order.isBig
            ? walk(&slots, window, start, maximum, latest, FileOrder(isBig: true))
            : walk(&slots, window, start, maximum, latest, FileOrder(isBig: false))
    }

    @inline(__always)
    private func walk(
        _ slots: inout MutableSpan<FramePlace>, _ window: RawSpan, _ start: Int, _ maximum: Int, _ latest: Int64,
        _ order: FileOrder
    ) -> Int {
        var offset = start
        var count = 0
        while count < maximum, window.byteCount &- offset >= 16 {
            let header = window.extracting(offset..<offset &+ 16)
            let fraction = Int64(order.u32(header, 4)) &* unit
            let time = Int64(order.u32(header, 0)) &* 1_000_000_000 &+ fraction
            let captured = Int(order.u32(header, 8))
            offset &+= 16
            // Zeros are what a file that is cut meanwhile may go on with.
            // A length of 0 ends the walk. One less wraps for 0, so that one comparison checks both bounds.
            guard UInt(bitPattern: captured &- 1) < UInt(Savefile.largestFrame),
                captured <= window.byteCount &- offset, time <= latest, fraction < 1_000_000_000
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
