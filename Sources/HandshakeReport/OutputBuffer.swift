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
        if value >= 10 { append(decimal: value / 10) }
        bytes.append(UInt8(truncatingIfNeeded: 48 + value % 10))
    }

    package mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }
}
