/// A fault of an input: which one, where, and what to do.
package struct CaptureError: Error, Sendable, CustomStringConvertible {
    package enum Kind: Sendable, Equatable {
        /// It could not be opened or read at all.
        case unreadable
        /// It is not a capture file.
        case unknownFormat
        /// It ends in the middle of something.
        case cutShort
        /// Its structure contradicts itself.
        case corrupt
        /// Its structure contradicts itself in something that frames do not depend on: it was read to its end.
        case flawed
        /// The filter expression is wrong.
        case filter
        /// This process may not capture.
        case notPermitted
        /// There is no such interface, it is down, or it went away.
        case noInterface
    }

    package var kind: Kind
    /// The path, or `-`; for a live capture the interface.
    package var file: String
    /// Octets from the start of the input to what is wrong; nil where there is no such place.
    package var offset: UInt64?
    package var reason: String
    package var advice: String?
    /// The offset is one of the decompressed data.
    package var isDecompressed = false

    package init(_ kind: Kind, _ file: String, at offset: UInt64? = nil, _ reason: String, advice: String? = nil) {
        self.kind = kind
        self.file = file
        self.offset = offset
        self.reason = reason
        self.advice = advice
    }

    package var description: String {
        let name = file == "-" ? "standard input" : file
        let place = offset.map { " at offset \($0)" + (isDecompressed ? " of the decompressed data" : "") } ?? ""
        return "\(name)\(place): \(reason)" + (advice.map { ". \($0)" } ?? "")
    }
}
