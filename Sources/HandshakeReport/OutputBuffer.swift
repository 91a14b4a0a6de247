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

    @safe
    mutating func append(_ octets: UnsafeBufferPointer<UInt8>) { unsafe bytes.append(contentsOf: octets) }

    /// Appends octets that are written into room for them.
    /// - Parameter write: returns how many it wrote.
    mutating func append(atMost maximum: Int, _ write: (UnsafeMutableBufferPointer<UInt8>) -> Int) {
        // By doubling: room for so many more each time would copy all before it for each.
        if bytes.capacity - bytes.count < maximum {
            bytes.reserveCapacity(max(bytes.capacity * 2, bytes.count + maximum))
        }
        bytes.append(addingCapacity: maximum) { (span: inout OutputSpan<UInt8>) in
            unsafe span.withUnsafeMutableBufferPointer { room, written in written = unsafe write(room) }
        }
    }

    /// Hands over what there is, and starts with nothing.
    package mutating func take() -> [UInt8] {
        defer { bytes = [] }
        return bytes
    }

    /// Goes on in memory that is there already.
    package mutating func reuse(_ memory: [UInt8]) { bytes = memory }

    package mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }
}
