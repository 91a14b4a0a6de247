/// A packet of which not everything came.
struct FragmentedPacket {
    /// The fragment that came first, or that is first.
    var first: Fragment
    var time: Int64
    /// The frame of its first fragment, where that is a segment by itself and held back.
    var held: UInt64?
    /// The frames that it came in.
    private(set) var numbers: [UInt64] = []
    /// It is no use to put it together: not ours, broken, or its first fragment was given out.
    private(set) var isDull = false

    /// The payload so far; zeros where nothing came yet.
    private var octets: [UInt8] = []
    /// The fragments as they came.
    private var seen: [Range<Int>] = []
    /// Ranges that are covered, in order and apart from each other.
    private var covered: [Range<Int>] = []
    /// The place where the snaplen cut it.
    private var cutAt = Int.max
    /// Octets, known with the last fragment.
    private var total: Int?
    private(set) var hasOverlap = false

    init(first: Fragment, time: Int64) {
        self.first = first
        self.time = time
    }

    mutating func makeDull() {
        isDull = true
        held = nil
        octets = []
        seen = []
        numbers = []
    }

    /// - Returns: whether the fragment can be part of the packet.
    mutating func add(_ fragment: Fragment, _ bytes: RawSpan, _ number: UInt64) -> Bool {
        let range = fragment.offset..<fragment.offset + fragment.length
        let maximum = first.source.version == .v4 ? 65_515 : 65_535
        // All but the last are multiples of 8 octets, and the end is the end.
        guard !range.isEmpty, range.upperBound <= maximum, fragment.isLast || fragment.length % 8 == 0,
            seen.count < Reassembly.maximumFragments
        else { return false }
        if let total, range.upperBound > total || fragment.isLast && range.upperBound != total { return false }
        if fragment.isLast {
            if let last = covered.last, last.upperBound > range.upperBound { return false }
            total = range.upperBound
        }
        if fragment.offset == 0 { first = fragment }
        let captured = min(fragment.length, max(0, bytes.byteCount - fragment.start))
        if numbers.last != number { numbers.append(number) }
        if seen.contains(range) {
            // Once more, as it was (RFC 8200 section 4.5), unless it says something else.
            let shift = fragment.start - fragment.offset
            let known = range.lowerBound..<max(range.lowerBound, min(range.lowerBound + captured, cutAt))
            if known.contains(where: { octets[$0] != bytes.u8($0 + shift) }) { hasOverlap = true }
            return true
        }
        seen.append(range)
        if captured < fragment.length { cutAt = min(cutAt, range.lowerBound + captured) }
        if octets.count < range.upperBound {
            octets += [UInt8](repeating: 0, count: range.upperBound - octets.count)
        }
        // The first octets stay.
        var merged: [Range<Int>] = []
        var (start, union) = (range.lowerBound, range)
        for part in covered {
            if part.overlaps(range) { hasOverlap = true }
            if part.upperBound < range.lowerBound || part.lowerBound > range.upperBound {
                merged.append(part)
                continue
            }
            copy(start..<max(start, min(part.lowerBound, range.upperBound)), fragment, bytes, captured)
            start = max(start, part.upperBound)
            union = min(union.lowerBound, part.lowerBound)..<max(union.upperBound, part.upperBound)
        }
        copy(start..<max(start, range.upperBound), fragment, bytes, captured)
        covered = merged + [union]
        covered.sort { $0.lowerBound < $1.lowerBound }
        return true
    }

    private mutating func copy(_ range: Range<Int>, _ fragment: Fragment, _ bytes: RawSpan, _ captured: Int) {
        let shift = fragment.start - fragment.offset
        for index in range where index - fragment.offset < captured { octets[index] = bytes.u8(index + shift) }
    }

    /// Octets that the packet had under the header that `whole` gives it.
    var wireLength: Int { (total ?? 0) + (first.source.version == .v4 ? 20 : 40) }

    /// The packet, as far as it was captured; nil while something is missing. Its header has no options: those of
    /// fragments say nothing of a segment.
    var whole: [UInt8]? {
        guard let total, covered == [0..<total] else { return nil }
        var header: [UInt8]
        let isV4 = first.source.version == .v4
        if isV4 {
            header =
                [0x45, first.trafficClass] + UInt16(total + 20).octets + UInt16(truncatingIfNeeded: first.id).octets
            header += [0, 0, first.hopLimit, first.proto, 0, 0]
        } else {
            header =
                [0x60 | first.trafficClass >> 4, first.trafficClass << 4, 0, 0] + UInt16(total).octets + [
                    first.proto, first.hopLimit,
                ]
        }
        header += first.source.octets + first.destination.octets
        if isV4 { header.put16(~foldChecksum(header.checksumSum), at: 10) }
        return header + octets.prefix(cutAt)
    }
}
