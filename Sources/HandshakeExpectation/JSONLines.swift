import Foundation

/// Lines of JSON that come in pieces: one is in memory at a time.
package struct JSONLines: ~Copyable {
    /// Octets of a line; a record of 32 segments with long comments has some.
    static let maximumLineLength = 16 << 20

    let decoder = JSONDecoder()
    /// The line underway, and its number.
    private var line: [UInt8] = []
    private(set) var number = 1

    init() { decoder.keyDecodingStrategy = .convertFromSnakeCase }

    /// Hands on each line that ends in a piece.
    /// - Parameter each: takes a line that is not blank.
    mutating func take(
        _ octets: ArraySlice<UInt8>, _ each: (borrowing JSONLines, Data) throws(JSONLinesError) -> Void
    ) throws(JSONLinesError) {
        var rest = octets
        while let end = rest.firstIndex(of: 10) {
            try add(rest[..<end])
            try endLine(each)
            rest = rest[(end + 1)...]
        }
        try add(rest)
    }

    private mutating func add(_ octets: ArraySlice<UInt8>) throws(JSONLinesError) {
        guard line.count + octets.count <= Self.maximumLineLength else {
            throw JSONLinesError(line: number, message: "the line is longer than \(Self.maximumLineLength) octets")
        }
        line += octets
    }

    /// Hands on the line underway: at the end of all, the last may have no newline.
    mutating func endLine(
        _ each: (borrowing JSONLines, Data) throws(JSONLinesError) -> Void
    ) throws(JSONLinesError) {
        if !line.allSatisfy({ [32, 9, 13].contains($0) }) { try each(self, Data(line)) }
        line.removeAll(keepingCapacity: true)
        number += 1
    }

    /// - Returns: nil where the line is no such object.
    func decode<Value: Decodable>(_ type: Value.Type, _ line: Data) -> Value? { try? decoder.decode(type, from: line) }

    func error(_ message: String) -> JSONLinesError { JSONLinesError(line: number, message: message) }
}

/// A fault in a file of JSON Lines.
package struct JSONLinesError: Error, Sendable {
    package var line: Int?
    package var message: String
}
