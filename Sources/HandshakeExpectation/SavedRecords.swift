import Foundation
package import HandshakeRecord
import HandshakeReport

/// The attempts that an earlier run saved with `-T jsonl`, whole, as they are read.
package struct SavedRecords: ~Copyable {
    private struct Kind: Decodable { var type: String }

    private var lines = JSONLines()
    // A record says its own names.
    private let decoder = JSONDecoder()

    package init() {}

    /// The attempts of the lines that end in a piece.
    package mutating func take(_ octets: ArraySlice<UInt8>) throws(JSONLinesError) -> [AttemptRecord] {
        var records: [AttemptRecord] = []
        let decoder = decoder
        try lines.take(octets) { lines, line throws(JSONLinesError) in
            try Self.read(line, of: lines, decoder, into: &records)
        }
        return records
    }

    /// The attempt of the last line, which may have no newline.
    package mutating func end() throws(JSONLinesError) -> [AttemptRecord] {
        var records: [AttemptRecord] = []
        let decoder = decoder
        try lines.endLine { lines, line throws(JSONLinesError) in
            try Self.read(line, of: lines, decoder, into: &records)
        }
        return records
    }

    private static func read(
        _ line: Data, of lines: borrowing JSONLines, _ decoder: JSONDecoder, into records: inout [AttemptRecord]
    ) throws(JSONLinesError) {
        guard let kind = lines.decode(Kind.self, line) else {
            throw lines.error("this is no line of synscope -T jsonl")
        }
        if kind.type != "attempt" { return }
        do {
            records.append(try decoder.decode(AttemptRecord.self, from: line))
        } catch {
            let reason = (error as? DecodingError).map(Self.text) ?? "\(error)"
            throw lines.error("the attempt is not as synscope -T jsonl writes it: \(reason)")
        }
    }

    private static func text(_ error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, _): "it lacks \(key.stringValue)"
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            context.codingPath.isEmpty
                ? context.debugDescription
                : "\(context.codingPath.map(\.stringValue).joined(separator: ".")): \(context.debugDescription)"
        @unknown default: "\(error)"
        }
    }
}
