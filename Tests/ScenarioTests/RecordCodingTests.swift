import Foundation
import HandshakeRecord
import HandshakeReport
import HandshakeScenario
import Testing

@Suite("A record is Codable by the schema of JSON Lines")
struct RecordCodingTests {
    private static func object(_ octets: Data) throws -> NSDictionary {
        try #require(JSONSerialization.jsonObject(with: octets) as? NSDictionary)
    }

    private static func line(_ record: AttemptRecord) -> Data {
        var out = OutputBuffer()
        JSONLinesWriter(RecordContext()).attempt(record, to: &out)
        return Data(out.bytes)
    }

    @Test("The encoder's object is the line's", arguments: ScenarioFiles.all)
    func encodes(_ name: String) throws {
        for record in try ScenarioFiles.read(name).analysed().attempts {
            let encoded = try JSONEncoder().encode(record)
            #expect(try Self.object(encoded) == Self.object(Self.line(record)))
        }
    }

    @Test("A line that is read and written again is the same", arguments: ScenarioFiles.all)
    func decodes(_ name: String) throws {
        for record in try ScenarioFiles.read(name).analysed().attempts {
            let line = Self.line(record)
            let read = try JSONDecoder().decode(AttemptRecord.self, from: line)
            let (before, after) = (try Self.object(line), try Self.object(Self.line(read)))
            let changed = before.allKeys.compactMap { $0 as? String }.filter {
                before[$0] as? NSObject != after[$0] as? NSObject
            }
            #expect(changed.isEmpty && before.count == after.count, "\(changed)")
            #expect(read.uid == record.uid && read.isDoubtful == record.isDoubtful)
        }
    }

    private func damaged(_ name: String, _ value: Any?) throws -> Data {
        let record = try #require(ScenarioFiles.read("outcomes/established.pkt").analysed().attempts.first)
        var object = try #require(JSONSerialization.jsonObject(with: Self.line(record)) as? [String: Any])
        object[name] = value
        return try JSONSerialization.data(withJSONObject: object)
    }

    @Test("A field that is missing, of another type, or a word that is none of its words is an error that names it")
    func refuses() throws {
        let faults: [(String, Any?)] = [
            ("outcome", "splendid"), ("outcome", NSNull()), ("first_time_ns", "now"), ("client_isn", "x"),
            ("segments", nil), ("uid", "Sabcdefghijklmnop"), ("schema", 1),
        ]
        for (name, value) in faults {
            let octets = try damaged(name, value)
            let error = #expect(throws: DecodingError.self) {
                try JSONDecoder().decode(AttemptRecord.self, from: octets)
            }
            #expect(String(describing: error).contains(name), "\(name): \(String(describing: error))")
        }
    }
}
