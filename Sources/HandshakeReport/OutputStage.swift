import HandshakeRecord
import PacketWire

extension OutputBuffer {
    /// Appends what `body` puts on a stage.
    package mutating func gather(_ body: (inout OutputStage) -> Void) {
        unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: OutputStage.size) { room in
            unsafe withUnsafeMutablePointer(to: &self) { out in
                var stage = unsafe OutputStage(room, out)
                body(&stage)
                stage.flush()
            }
        }
    }

    /// The same of so many octets at most: they need no memory in between.
    mutating func gather(atMost maximum: Int, _ body: (inout OutputStage) -> Void) {
        unsafe append(atMost: maximum + OutputStage.slack) { room in
            var stage = unsafe OutputStage(room, nil)
            body(&stage)
            return stage.used
        }
    }
}

/// Octets on their way into an output buffer, gathered in memory at hand: what is put there costs no look at the
/// buffer. It is good as long as the `gather` that made it.
///
/// With `OutputBuffer` the only unsafe code of the reports. Before octets are put, there is room for them and for
/// `slack` more.
@safe package struct OutputStage {
    /// The most octets of temporary memory on a thread's stack.
    fileprivate static let size = 1024
    /// Octets that a copy in whole vectors, or of a number's words, writes beyond what it copies.
    fileprivate static let slack = 64
    private let base: UnsafeMutablePointer<UInt8>
    /// The most that is put before it is handed on.
    private let maximum: Int
    /// Takes what was put; nil where `base` is in its memory.
    private let out: UnsafeMutablePointer<OutputBuffer>?
    private(set) var used = 0

    fileprivate init(_ room: UnsafeMutableBufferPointer<UInt8>, _ out: UnsafeMutablePointer<OutputBuffer>?) {
        guard let base = room.baseAddress, room.count >= OutputStage.slack else {
            preconditionFailure("a stage without room")
        }
        unsafe (self.base, self.out) = (base, out)
        maximum = room.count - OutputStage.slack
    }

    @inline(never)
    fileprivate mutating func flush() { unsafe handOn(UnsafeBufferPointer(start: base, count: used)) }

    /// Empties the stage, or what comes after what it holds.
    @inline(never)
    private mutating func handOn(_ octets: UnsafeBufferPointer<UInt8>) {
        guard let out = unsafe out else { preconditionFailure("more octets than there was room for") }
        unsafe out.pointee.append(octets)
        used = 0
    }

    @inline(__always)
    private mutating func makeRoom(_ count: Int) { if used &+ count > maximum { flush() } }

    // MARK: Octets

    @inline(__always)
    mutating func put(octet: UInt8) {
        makeRoom(1)
        unsafe base[used] = octet
        used &+= 1
    }

    @inline(__always)
    package mutating func put(_ text: StaticString) {
        unsafe copy(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    @inline(__always)
    package mutating func put(_ text: String) {
        let isCopied: Void? = unsafe text.utf8.withContiguousStorageIfAvailable { unsafe copy($0) }
        if isCopied == nil { for octet in text.utf8 { put(octet: octet) } }
    }

    /// Copies short texts without a call, and without writing beyond them.
    @inline(__always)
    private mutating func copy(_ octets: UnsafeBufferPointer<UInt8>) {
        let count = octets.count
        guard count <= maximum, let source = octets.baseAddress else { return unsafe copyLong(octets) }
        makeRoom(count)
        if count >= 16 {
            var copied = 0
            while copied &+ 16 <= count {
                unsafe move(source, copied, as: SIMD16<UInt8>.self)
                copied &+= 16
            }
            unsafe move(source, count &- 16, as: SIMD16<UInt8>.self)
        } else if count >= 8 {
            unsafe move(source, 0, as: UInt64.self)
            unsafe move(source, count &- 8, as: UInt64.self)
        } else if count >= 4 {
            unsafe move(source, 0, as: UInt32.self)
            unsafe move(source, count &- 4, as: UInt32.self)
        } else {
            for position in 0..<count { unsafe base[used &+ position] = source[position] }
        }
        used &+= count
    }

    @inline(__always) @unsafe
    private func move<Vector: BitwiseCopyable>(_ source: UnsafePointer<UInt8>, _ offset: Int, as: Vector.Type) {
        let octets = unsafe UnsafeRawPointer(source + offset).loadUnaligned(as: Vector.self)
        unsafe UnsafeMutableRawPointer(base + used + offset).storeBytes(of: octets, as: Vector.self)
    }

    @inline(never)
    private mutating func copyLong(_ octets: UnsafeBufferPointer<UInt8>) {
        flush()
        unsafe handOn(octets)
    }

    /// Text in quotation marks, as JSON has it.
    mutating func put(quoted text: String) {
        let isPlain = unsafe text.utf8.withContiguousStorageIfAvailable { octets in
            // ASCII without control characters, quotation marks, # and backslashes: others may have to be escaped.
            guard unsafe octets.allSatisfy({ $0 &- 0x20 < 0x5f && $0 &- 0x22 > 1 && $0 != 0x5c }) else { return false }
            put(octet: 0x22)
            unsafe copy(octets)
            put(octet: 0x22)
            return true
        }
        if isPlain != true { put(escaped: text) }
    }

    @inline(never)
    private mutating func put(escaped text: String) {
        put(octet: 0x22)
        put(text.cleaned(for: .json))
        put(octet: 0x22)
    }

    /// A part of a text, in whole vectors.
    @inline(__always)
    mutating func put(_ text: PaddedText, from start: Int, to end: Int) {
        precondition(start >= 0 && start <= end && end <= text.count)
        unsafe text.octets.withUnsafeBufferPointer { octets in
            let count = end &- start
            guard count <= maximum, let source = octets.baseAddress else {
                return unsafe copyLong(UnsafeBufferPointer(rebasing: octets[start..<end]))
            }
            makeRoom(count)
            var copied = 0
            repeat {
                unsafe move(source + start, copied, as: SIMD64<UInt8>.self)
                copied &+= 64
            } while copied < count
            used &+= count
        }
    }

    /// Octets that were put before and are still on the stage.
    mutating func putAgain(_ place: Range<Int>) {
        precondition(place.lowerBound >= 0 && place.upperBound <= used && place.count <= maximum - used)
        unsafe copy(UnsafeBufferPointer(start: base + place.lowerBound, count: place.count))
    }

    // MARK: Figures

    @inline(__always)
    mutating func put(_ number: DecimalText) {
        makeRoom(number.count)
        store(number.words.0, 0)
        store(number.words.1, 8)
        store(number.words.2, 16)
        used &+= number.count
    }

    @inline(__always)
    mutating func put(_ number: some BinaryInteger) {
        if number < 0 { put(octet: 0x2d) }
        let magnitude = UInt64(number.magnitude)
        if magnitude < 10 { put(octet: 48 | UInt8(truncatingIfNeeded: magnitude)) } else { put(DecimalText(magnitude)) }
    }

    /// An identity's characters.
    @inline(__always)
    mutating func put(_ text: IdentityText) {
        makeRoom(32)
        store(text.words.0, 0)
        store(text.words.1, 8)
        store(text.words.2, 16)
        store(text.words.3, 24)
        used &+= text.count
    }

    /// A number of at most eight digits, with zeros in front where it has less.
    @inline(__always)
    mutating func put(_ number: UInt32, digits: Int) {
        makeRoom(8)
        let text = DecimalText.eight(number) | DecimalText.zeros
        store(text >> UInt64(truncatingIfNeeded: (8 &- digits) &* 8), 0)
        used &+= digits
    }

    @inline(__always)
    private func store(_ word: UInt64, _ offset: Int) {
        unsafe UnsafeMutableRawPointer(base + used + offset).storeBytes(of: word.littleEndian, as: UInt64.self)
    }

    /// As `IPAddress.description`.
    mutating func put(_ address: IPAddress) {
        guard address.version == .v4 else { return put(address.description) }
        makeRoom(16)
        var rest = UInt32(truncatingIfNeeded: address.low)
        for _ in 0..<4 {
            let octet = Int(rest >> 24)
            store(UInt64(OutputStage.octets[octet]), 0)
            used &+= 2 &+ (octet > 9 ? 1 : 0) &+ (octet > 99 ? 1 : 0)
            rest <<= 8
        }
        used &-= 1
    }

    /// Octets in decimal with a point behind, the first digit in the lowest octet.
    private static let octets = (0..<256).map { octet in
        "\(octet).".utf8.reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// As `Endpoint.description`.
    mutating func put(_ endpoint: Endpoint) {
        let isV6 = endpoint.address.version == .v6
        if isV6 { put(octet: 0x5b) }
        put(endpoint.address)
        if isV6 { put(octet: 0x5d) }
        put(octet: 0x3a)
        put(endpoint.port)
    }

    // MARK: Times

    /// As `Format.rfc3339`.
    mutating func put(time nanoseconds: Int64) {
        let time = CivilTime(nanoseconds)
        let (date, clock) = (time.date, time.clock)
        let fraction = DecimalText.eight(time.nanosecond / 10) | DecimalText.zeros
        makeRoom(30)
        store(date & 0xffff_ffff | 0x2d << 32 | (date >> 32 & 0xffff) << 40 | 0x2d << 56, 0)
        store(date >> 48 | 0x54 << 16 | (clock >> 16 & 0xffff) << 24 | 0x3a << 40 | (clock >> 32) << 48, 8)
        store(0x3a | (clock >> 48) << 8 | 0x2e << 24 | fraction << 32, 16)
        store(fraction >> 32 | UInt64(48 | time.nanosecond % 10) << 32 | 0x5a << 40, 24)
        used &+= 30
    }

    /// As `Format.clock`.
    mutating func put(clock nanoseconds: Int64) {
        let time = CivilTime(nanoseconds)
        let clock = time.clock
        let fraction = DecimalText.eight(time.nanosecond / 1000) | DecimalText.zeros
        makeRoom(15)
        store(clock >> 16 & 0xffff | 0x3a << 16 | (clock >> 32 & 0xffff) << 24 | 0x3a << 40 | (clock >> 48) << 48, 0)
        store(0x2e | (fraction >> 16) << 8, 8)
        used &+= 15
    }

    // MARK: Columns

    /// The most octets of a column, and the most spaces.
    private static let widest = (text: 512, missing: 256)

    /// The text that `body` puts, padded with spaces to a width in characters.
    mutating func column(_ width: Int, isRight: Bool = false, _ body: (inout OutputStage) -> Void) {
        makeRoom(OutputStage.widest.text + OutputStage.widest.missing)
        let start = used
        body(&self)
        precondition(used >= start && used - start <= OutputStage.widest.text)
        var characters = 0
        for position in start..<used where unsafe base[position] & 0xc0 != 0x80 { characters += 1 }
        let missing = width - characters
        guard missing > 0 else { return }
        precondition(missing <= OutputStage.widest.missing)
        if isRight { unsafe (base + start + missing).update(from: base + start, count: used - start) }
        unsafe (base + (isRight ? start : used)).update(repeating: 0x20, count: missing)
        used += missing
    }
}

/// A text of which parts are put, with octets behind it that a copy in whole vectors may read.
struct PaddedText {
    fileprivate let octets: [UInt8]
    let count: Int

    init(_ text: [UInt8]) {
        octets = text + [UInt8](repeating: 0, count: OutputStage.slack)
        count = text.count
    }
}

/// A time in UTC, in the proleptic Gregorian calendar.
struct CivilTime {
    let year, month, day: UInt32
    let hour, minute, second: UInt32
    let nanosecond: UInt32

    /// Eight digits, as `DecimalText.eight`: `20240229`, and `00235959`.
    fileprivate var date: UInt64 { DecimalText.eight(year * 10_000 + month * 100 + day) | DecimalText.zeros }
    fileprivate var clock: UInt64 { DecimalText.eight(hour * 10_000 + minute * 100 + second) | DecimalText.zeros }

    /// - Parameter nanoseconds: since the epoch; the years that these reach have four digits.
    init(_ nanoseconds: Int64) {
        let length: Int64 = 86_400_000_000_000
        let days = nanoseconds >= 0 ? nanoseconds / length : (nanoseconds + 1) / length - 1
        let rest = UInt64(nanoseconds &- days &* length)
        // As in H. Hinnant's "chrono-compatible low-level date algorithms"; the shifted days are positive here.
        let shifted = UInt32(days + 719_468)
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let seconds = UInt32(rest / 1_000_000_000)
        nanosecond = UInt32(rest % 1_000_000_000)
        (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60)
    }
}
