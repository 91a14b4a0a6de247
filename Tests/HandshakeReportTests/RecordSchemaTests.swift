import Fixtures
import Foundation
import HandshakeAnalysis
@testable import HandshakeReport
import HandshakeScenario
import PacketWire
import Testing

@Suite("The schema of records")
struct RecordSchemaTests {
    private static let scenarios = """
        flow a 192.0.2.1:40000 > 198.51.100.1:443 isn 1000 5000
        flow b 192.0.2.2:40001 > 198.51.100.1:80 isn 2000 0
        flow c [2001:db8::1]:40002 > [2001:db8::2]:80 isn 3000 0
        0 a > S <mss 1460,TS val 7 ecr 0>
        +20ms a < S. <mss 1400,TS val 9 ecr 7>
        +1ms a > .
        1s b > S as s
        +5ms icmp 3/13 from 203.0.113.1 about s
        2s c > S
        +1s c > S
        +100s idle
        +1s idle
        """

    private func records() throws -> [AttemptRecord] {
        try Scenario(text: Self.scenarios, name: "test").analysed().attempts
    }

    private func object(_ record: AttemptRecord, _ columns: ChosenColumns? = nil) throws -> [String: Any] {
        let writer = JSONLinesWriter(RecordContext(), columns: columns)
        var out = OutputBuffer()
        writer.attempt(record, to: &out)
        return try #require(JSONSerialization.jsonObject(with: Data(out.bytes)) as? [String: Any])
    }

    /// The keys of an object, with those of the objects in it that are there.
    private func keys(_ value: [String: Any]) -> Set<String> { Set(value.keys) }

    @Test("Every line has every key, whatever became of the attempt")
    func oneShape() throws {
        let names = Set(AttemptSchema.columns.map(\.name))
        let all = try records()
        #expect(all.count == 3)
        for record in all { #expect(try keys(object(record)) == names) }
    }

    @Test("Every segment and every finding has every key")
    func innerShapes() throws {
        for record in try records() {
            let line = try object(record)
            for list in ["segments", "findings"] {
                guard case .objects(let columns)? = AttemptSchema.columns.first(where: { $0.name == list })?.kind else {
                    Issue.record("\(list) is no list of objects")
                    continue
                }
                for element in try #require(line[list] as? [[String: Any]]) {
                    #expect(keys(element) == Set(columns.map(\.name)))
                }
            }
        }
    }

    @Test("Flat names are unique, and those of JSON's paths")
    func flatNames() {
        let names = AttemptSchema.flatColumns.map(\.name)
        #expect(Set(names).count == names.count)
        #expect(["uid", "client_ip", "rtt_total_ns", "arithmetic_ack_ack_ok", "findings"].allSatisfy(names.contains))
        #expect(!names.contains("segments"))
    }

    @Test("The usual columns of CSV are fields, each once")
    func usualColumns() {
        #expect(Set(CSVReport.usualColumns).isSubset(of: AttemptSchema.flatColumns.map(\.name)))
        #expect(Set(CSVReport.usualColumns).count == CSVReport.usualColumns.count)
    }

    @Test("Chosen fields come in the order asked for, by either name")
    func chosen() throws {
        let columns = try ChosenColumns(["outcome", "rtt.total_ns", "findings"])
        let writer = JSONLinesWriter(RecordContext(), columns: columns)
        var out = OutputBuffer()
        writer.attempt(try records()[0], to: &out)
        #expect(
            String(decoding: out.bytes, as: UTF8.self)
                == "{\"outcome\":\"established\",\"rtt_total_ns\":21000000,\"findings\":[]}\n")
        #expect(throws: ChosenColumns.UnknownColumn.self) { try ChosenColumns(["outcome", "segments"]) }
    }

    @Test("What SYN and SYN-ACK said is told, and null where none was captured")
    func openings() throws {
        let all = try records()
        let syn = try #require(object(all[0])["syn"] as? [String: Any])
        #expect(syn["tsval"] as? Int == 7 && syn["window"] as? Int == 64240 && syn["hop_limit"] as? Int == 64)
        let answer = try #require(object(all[0])["syn_ack"] as? [String: Any])
        #expect(answer["tsval"] as? Int == 9 && answer["tsecr"] as? Int == 7)
        #expect(try object(all[1])["syn_ack"] is NSNull)
        let v6 = try #require(object(all[2])["syn"] as? [String: Any])
        #expect(v6["ip_id"] is NSNull)
    }

    @Test("A text in CSV is in quotation marks where it holds a comma or one, and holds no control character")
    func quotedText() throws {
        var context = RecordContext()
        context.sensor = "a,\"b\"\u{1b}[2J\r\n=x"
        let writer = CSVReport(context, columns: try ChosenColumns(["capture_sensor", "outcome"]))
        var out = OutputBuffer()
        writer.attempt(try records()[0], to: &out)
        #expect(String(decoding: out.bytes, as: UTF8.self) == "\"a,\"\"b\"\"?[2J  =x\",established\r\n")
    }

    @Test("A name that holds a template's mark makes no figure of it")
    func marksInNames() throws {
        var context = RecordContext()
        context.sensor = "a\u{1}0\u{1}5"
        let columns = try ChosenColumns(["uid", "capture_sensor"])
        let scenario = try Scenario(text: Self.scenarios, name: "test")
        for isPlain in [true, false] {
            let text = String(
                decoding: scenario.report(JSONLinesWriter(context, columns: columns), listsPlain: isPlain),
                as: UTF8.self)
            #expect(
                text.split(separator: "\n").allSatisfy { $0.hasSuffix("\"capture_sensor\":\"a\\u00010\\u00015\"}") },
                "\(text)")
        }
    }

    @Test(
        "Plain attempts are written by templates as their records are, in every format",
        arguments: [
            "all", "uid,community_id,first_time,findings", "display_filter,client_ip",
        ])
    func templates(_ fields: String) throws {
        let scenario = try Scenario(text: Self.scenarios, name: "test")
        let columns =
            fields == "all" ? ChosenColumns.all : try ChosenColumns(fields.split(separator: ",").map(String.init))
        let context = RecordContext()
        func equal(_ writer: some RecordWriter) -> Bool {
            scenario.report(writer, listsPlain: true) == scenario.report(writer, listsPlain: false)
        }
        #expect(equal(JSONLinesWriter(context, columns: columns)))
        #expect(equal(CSVReport(context, columns: columns)))
        #expect(equal(JSONLinesWriter(context, .ecs)) && equal(JSONLinesWriter(context, .ocsf)))
    }
}

@Suite("Identities of attempts")
struct AttemptUIDTests {
    private func attempts(_ text: String) throws -> [AttemptRecord] {
        try Scenario(text: text, name: "test").analysed().attempts
    }

    @Test("The uid depends on ends, x and time, and on nothing else")
    func uid() throws {
        let base = "0 > S\n+20ms < S.\n+1ms > .\n"
        let first = try #require(attempts(base).first)
        #expect(first.uid.count == 17 && first.uid.hasPrefix("S"))
        #expect(try attempts("0 > S\n+1s > S\n").first?.uid == first.uid, "what came later does not matter")
        #expect(
            try attempts(
                "flow o 192.0.2.9:1 > 198.51.100.9:2 isn 5 5\n0 o > S\n"
                    + "flow f 192.0.2.1:50000 > 198.51.100.1:443 isn 7 9\n0 f > S\n"
            ).allSatisfy { $0.uid != first.uid })
        var other = first
        other.firstTime += 1
        #expect(other.uid != first.uid)
        other = first
        other.clientISN &+= 1
        #expect(other.uid != first.uid)
        other = first
        swap(&other.client, &other.server)
        #expect(other.uid != first.uid)
        other = first
        other.ordinal = 1
        #expect(other.uid != first.uid)
    }

    @Test("Where no SYN was captured, y is what it is made of")
    func partial() throws {
        let record = try #require(attempts("0 < S.\n+1ms > .\n").first)
        #expect(!record.startsAtSYN)
        var other = record
        other.clientISN &+= 1
        #expect(other.uid == record.uid)
        other.serverISN = 77
        #expect(other.uid != record.uid)
    }

    @Test("Two attempts that are equal in all of it have another ordinal, and another uid")
    func ordinals() throws {
        // The clock counts whole seconds: the client reset its first try and sent the same SYN again within one.
        let records = try attempts(
            """
            0 > S
            0 < R.
            0 > S in gre from 203.0.113.7 to 203.0.113.8
            0 < S. in gre from 203.0.113.8 to 203.0.113.7
            """)
        let uids = Set(records.map(\.uid))
        #expect(uids.count == records.count, "\(records.map { ($0.id, $0.uid, $0.ordinal) })")
    }
}
