import PacketWire

/// Octets on their way out. Reports append; whoever owns it writes them when it likes.
package struct OutputBuffer: Sendable {
    package private(set) var bytes: [UInt8] = []
    package init() {}

    @inline(__always)
    package mutating func append(_ text: StaticString) {
        unsafe bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    @inline(__always)
    package mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

    @inline(__always)
    package mutating func append(octet: UInt8) { bytes.append(octet) }

    package mutating func append(octets: [UInt8]) { bytes += octets }

    package mutating func line(_ text: String) {
        append(text)
        append(octet: 10)
    }

    /// Decimal, without a string in between.
    package mutating func append(decimal value: UInt64) {
        if value < 10 { return append(octet: UInt8(truncatingIfNeeded: 48 + value)) }
        // Twenty digits hold any.
        unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var (rest, start) = (value, 20)
            while rest > 0 {
                start -= 1
                unsafe digits[start] = UInt8(truncatingIfNeeded: 48 + rest % 10)
                rest /= 10
            }
            unsafe bytes.append(contentsOf: digits[start...])
        }
    }

    @safe
    mutating func append(_ octets: UnsafeBufferPointer<UInt8>) { unsafe bytes.append(contentsOf: octets) }

    /// Hands over what there is, and starts with nothing.
    package mutating func take() -> [UInt8] {
        defer { bytes = [] }
        return bytes
    }

    /// Goes on in memory that is there already.
    package mutating func reuse(_ memory: [UInt8]) { bytes = memory }

    package mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    /// Appends parts of a text with a figure after each but the last.
    /// - Parameters:
    ///   - ends: where each part ends.
    ///   - figures: appends the figures, in order.
    mutating func fill(_ text: [UInt8], _ ends: [Int], _ figures: (inout LineFiller) -> Void) {
        let most = text.count + ends.count * LineFiller.longest
        // By doubling: room for one line more each time would copy all before it for each.
        if bytes.capacity - bytes.count < most { bytes.reserveCapacity(max(bytes.capacity * 2, bytes.count + most)) }
        bytes.append(addingCapacity: most) { (span: inout OutputSpan<UInt8>) in
            unsafe text.withUnsafeBufferPointer { text in
                unsafe ends.withUnsafeBufferPointer { ends in
                    unsafe span.withUnsafeMutableBufferPointer { room, written in
                        guard var filler = unsafe LineFiller(room, text, ends) else { return }
                        figures(&filler)
                        written = filler.finish()
                    }
                }
            }
        }
    }
}

/// A number's digits, to be written more than once: up to 24 octets, in three words, the first digit in the lowest octet of the first.
struct DecimalText {
    fileprivate private(set) var words: (UInt64, UInt64, UInt64) = (0, 0, 0)
    fileprivate private(set) var count = 0

    @inline(__always)
    init(_ value: UInt64) {
        if value < 100_000_000 {
            (words.0, count) = DecimalText.leading(value)
        } else if value < 10_000_000_000_000_000 {
            let (upper, lower) = value.quotientAndRemainder(dividingBy: 100_000_000)
            (words.0, count) = DecimalText.leading(upper)
            append(lower)
        } else {
            setLong(value)
        }
    }

    init(_ value: Int64) {
        self.init(value.magnitude)
        guard value < 0 else { return }
        words = (words.0 << 8 | 0x2d, words.1 << 8 | words.0 >> 56, words.2 << 8 | words.1 >> 56)
        count += 1
    }

    /// The digits of a number below 10^8 from the first that is not 0 on, and how many those are; one of 0.
    @inline(__always)
    private static func leading(_ value: UInt64) -> (UInt64, Int) {
        let digits = eight(UInt32(truncatingIfNeeded: value))
        let left = min(56, digits.trailingZeroBitCount & ~7)
        return ((digits | zeros) &>> UInt64(left), 8 - left / 8)
    }

    /// Appends the eight digits of a number below 10^8; there are one to eight before.
    @inline(__always)
    private mutating func append(_ value: UInt64) {
        let digits = DecimalText.eight(UInt32(truncatingIfNeeded: value)) | DecimalText.zeros
        let shift = UInt64(count * 8)
        words.0 |= digits << shift
        words.1 = digits >> (64 - shift)
        count += 8
    }

    @inline(never)
    private mutating func setLong(_ value: UInt64) {
        let (upper, lower) = value.quotientAndRemainder(dividingBy: 100_000_000)
        self = DecimalText(upper / 100_000_000)
        append(upper % 100_000_000)
        let digits = DecimalText.eight(UInt32(truncatingIfNeeded: lower)) | DecimalText.zeros
        let shift = UInt64((count - 8) * 8)
        words.1 |= digits << shift
        words.2 = digits >> (64 - shift)
        count += 8
    }

    static let zeros: UInt64 = 0x3030_3030_3030_3030

    /// The eight digits of a number below 10^8, an octet each, the first in the lowest: halves, quarters and eighths at once.
    @inline(__always)
    static func eight(_ value: UInt32) -> UInt64 {
        let (upper, lower) = value.quotientAndRemainder(dividingBy: 10_000)
        let halves = UInt64(upper) | UInt64(lower) << 32
        let hundreds = (halves &* 10_486) >> 20 & 0x0000_007f_0000_007f
        let quarters = hundreds | (halves &- hundreds &* 100) << 16
        let tens = (quarters &* 103) >> 10 & 0x000f_000f_000f_000f
        return tens | (quarters &- tens &* 10) << 8
    }
}

/// Writes a line from parts and figures into room that is large enough for the parts and so many figures.
@safe struct LineFiller {
    /// Octets of the longest figure, an IPv6 address, and what is written behind a part.
    static let longest = 48
    private let room: UnsafeMutablePointer<UInt8>
    private let roomCount: Int
    private let text: UnsafePointer<UInt8>
    private let textCount: Int
    private let ends: UnsafePointer<Int>
    private let parts: Int
    private var part = 0
    private var read = 0
    private var written = 0

    /// Nil where there is nothing to write.
    init?(
        _ room: UnsafeMutableBufferPointer<UInt8>, _ text: UnsafeBufferPointer<UInt8>,
        _ ends: UnsafeBufferPointer<Int>
    ) {
        guard let base = room.baseAddress, let textBase = text.baseAddress,
            let endsBase = ends.baseAddress
        else { return nil }
        unsafe (self.room, self.text, self.ends) = (base, textBase, endsBase)
        (roomCount, textCount, parts) = (room.count, text.count, ends.count)
    }

    /// The part before the next figure.
    @inline(__always)
    private mutating func nextPart() {
        precondition(part < parts)
        let end = unsafe ends[part]
        let count = end - read
        precondition(count >= 0 && end <= textCount && written + count + LineFiller.longest <= roomCount)
        // Parts are short: whole vectors, as far as the text goes.
        var copied = 0
        while copied < count, read + copied + 16 <= textCount {
            let octets = unsafe UnsafeRawPointer(text + read + copied).loadUnaligned(as: SIMD16<UInt8>.self)
            unsafe UnsafeMutableRawPointer(room + written + copied).storeBytes(of: octets, as: SIMD16<UInt8>.self)
            copied += 16
        }
        while copied < count {
            unsafe room[written + copied] = text[read + copied]
            copied += 1
        }
        written += count
        read = end
        part += 1
    }

    @inline(__always)
    private mutating func put(_ octet: UInt8) {
        unsafe room[written] = octet
        written += 1
    }

    /// There is room for the longest figure, which is longer than this.
    @inline(__always)
    private func store(_ word: UInt64, _ offset: Int) {
        unsafe UnsafeMutableRawPointer(room + written + offset).storeBytes(of: word.littleEndian, as: UInt64.self)
    }

    @inline(__always)
    private mutating func digits(_ value: DecimalText) {
        store(value.words.0, 0)
        store(value.words.1, 8)
        if value.count > 16 { store(value.words.2, 16) }
        written += value.count
    }

    @inline(__always)
    mutating func decimal(_ value: DecimalText) {
        nextPart()
        digits(value)
    }

    mutating func decimal(_ value: UInt64) { decimal(DecimalText(value)) }

    mutating func address(_ address: IPAddress) {
        nextPart()
        if address.version == .v4 {
            for octet in 0..<4 {
                if octet > 0 { put(0x2e) }
                digits(DecimalText(address.low >> UInt64(24 - 8 * octet) & 255))
            }
        } else {
            for octet in address.description.utf8 { put(octet) }
        }
    }

    /// - Parameter octets: up to the point, at most 38.
    mutating func time(_ octets: [UInt8], fraction: UInt32) {
        nextPart()
        precondition(octets.count + 10 <= LineFiller.longest)
        for octet in octets { put(octet) }
        store(DecimalText.eight(fraction / 10) | DecimalText.zeros, 0)
        written += 8
        put(UInt8(truncatingIfNeeded: 48 + fraction % 10))
        put(0x5a)
    }

    /// - Returns: octets written.
    mutating func finish() -> Int {
        nextPart()
        precondition(part == parts)
        return written
    }
}
