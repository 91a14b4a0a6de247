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
            unsafe span.withUnsafeMutableBufferPointer { room, written in
                var filler = unsafe LineFiller(room, text, ends)
                figures(&filler)
                written = filler.finish()
            }
        }
    }
}

/// A number's digits, to be written more than once.
struct DecimalText {
    /// The digits end at `end`, so that they can be found from the last to the first; behind them is room to be read.
    fileprivate var octets = InlineArray<48, UInt8>(repeating: 0)
    fileprivate private(set) var start = end
    fileprivate static let end = 24
    fileprivate static let words = 3

    init(_ value: UInt64) { find(value) }

    init(_ value: Int64) {
        find(value.magnitude)
        if value < 0 { put(0x2d) }
    }

    @inline(__always)
    private mutating func put(_ octet: UInt8) {
        start -= 1
        octets[start] = octet
    }

    @inline(__always)
    private mutating func find(_ value: UInt64) {
        var rest = value
        while rest >= 100 {
            let pair = Int(truncatingIfNeeded: rest % 100) * 2
            rest /= 100
            unsafe put(DecimalText.pairs.utf8Start[pair + 1])
            unsafe put(DecimalText.pairs.utf8Start[pair])
        }
        let pair = Int(truncatingIfNeeded: rest) * 2
        unsafe put(DecimalText.pairs.utf8Start[pair + 1])
        if rest >= 10 { unsafe put(DecimalText.pairs.utf8Start[pair]) }
    }

    /// The digits of the numbers below 100.
    private static var pairs: StaticString {
        """
        00010203040506070809101112131415161718192021222324252627282930313233343536373839\
        40414243444546474849505152535455565758596061626364656667686970717273747576777879\
        8081828384858687888990919293949596979899
        """
    }
}

/// Writes a line from parts and figures into room that is large enough for the parts and so many figures.
@safe struct LineFiller {
    /// Octets of the longest figure: an IPv6 address.
    static let longest = 48
    private let room: UnsafeMutableBufferPointer<UInt8>
    private let text: [UInt8]
    private let ends: [Int]
    private var part = 0
    private var read = 0
    private var written = 0

    init(_ room: UnsafeMutableBufferPointer<UInt8>, _ text: [UInt8], _ ends: [Int]) {
        unsafe self.room = room
        self.text = text
        self.ends = ends
    }

    /// The part before the next figure.
    @inline(__always)
    private mutating func nextPart() {
        let end = ends[part]
        let count = end - read
        precondition(unsafe written + count + LineFiller.longest <= room.count)
        unsafe text.withUnsafeBufferPointer { text in
            unsafe (room.baseAddress! + written).update(from: text.baseAddress! + read, count: count)
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
    private mutating func digits(_ value: DecimalText) {
        let source = unsafe value.octets.span.bytes
        for word in 0..<DecimalText.words {
            let octets = unsafe source.unsafeLoadUnaligned(fromByteOffset: value.start + word * 8, as: UInt64.self)
            unsafe UnsafeMutableRawPointer(room.baseAddress! + written + word * 8)
                .storeBytes(of: octets, as: UInt64.self)
        }
        written += DecimalText.end - value.start
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
        var rest = fraction
        for position in stride(from: written + 8, through: written, by: -1) {
            unsafe room[position] = UInt8(truncatingIfNeeded: 48 + rest % 10)
            rest /= 10
        }
        written += 9
        put(0x5a)
    }

    /// - Returns: octets written.
    mutating func finish() -> Int {
        nextPart()
        precondition(part == ends.count)
        return written
    }
}
