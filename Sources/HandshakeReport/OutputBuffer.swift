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

    package mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }
}
