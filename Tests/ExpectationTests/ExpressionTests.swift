import HandshakeAnalysis
import HandshakeReport
import TestSupport
import Testing

@testable import HandshakeExpectation

@Suite("Expressions over one attempt")
struct ExpressionTests {
    /// y, n or ? (unknown) for web, lossy, closed, filtered and v6.
    static let table: [(expression: String, expected: String)] = [
        // Addresses and networks
        ("ip.src == 192.0.2.10", "ynnnn"), ("ip.src != 192.0.2.10", "nyyyy"), ("ip.src == 192.0.2.0/24", "yyyyn"),
        ("ip.src == 192.0.2.12/31", "nnyyn"), ("ip.src == 0.0.0.0/0", "yyyyn"), ("ip.src == ::/0", "nnnny"),
        ("ip.dst == 2001:db8::/32", "nnnny"), ("ip.dst == 2001:db8::1", "nnnny"),
        ("ip.dst == 2001:db8::1/127", "nnnny"),
        ("ip.dst == \"198.51.100.1\"", "yyynn"), ("ip.addr == 203.0.113.9", "nnnyn"),
        ("ip.addr != 203.0.113.9", "yyyny"),
        ("ip.src in {192.0.2.10, 192.0.2.13}", "ynnyn"), ("ip.src in {192.0.2.11..192.0.2.12}", "nyynn"),
        ("ip.src in {10.0.0.0/8, 2001:db8::/64}", "nnnny"), ("ip.src not in {192.0.2.0/24}", "nnnny"),
        ("ip.addr in {203.0.113.0/24}", "nnnyn"), ("ip.src == ip.dst", "nnnnn"), ("ip.src != ip.dst", "yyyyy"),
        ("192.0.2.10 == ip.src", "ynnnn"), ("ip.version == 6", "nnnny"), ("ip.version in {4 6}", "yyyyy"),
        // Ports and numbers
        ("tcp.dstport == 443", "yynny"), ("tcp.dstport != 443", "nnyyn"), ("tcp.dstport >= 443", "yyyny"),
        ("tcp.dstport > 443", "nnynn"), ("tcp.dstport < 443", "nnnyn"), ("tcp.dstport <= 443", "yynyy"),
        ("tcp.dstport eq 443", "yynny"), ("tcp.dstport ne 443", "nnyyn"), ("tcp.dstport ge 8443", "nnynn"),
        ("tcp.dstport gt 8443", "nnnnn"), ("tcp.dstport lt 26", "nnnyn"), ("tcp.dstport le 25", "nnnyn"),
        ("443 == tcp.dstport", "yynny"), ("1000 < tcp.dstport", "nnynn"), ("1000 >= tcp.dstport", "yynyy"),
        ("tcp.dstport in {80, 443, 8000..8999}", "yyyny"), ("tcp.dstport in {443 25}", "yynyy"),
        ("tcp.dstport not in {443}", "nnyyn"), ("not tcp.dstport in {443}", "nnyyn"), ("tcp.dstport == 0x1bb", "yynny"),
        ("tcp.port == 25", "nnnyn"), ("tcp.port != 25", "yyyny"), ("tcp.port in {50000..50001}", "yynnn"),
        ("tcp.port > 50003", "nnnny"), ("tcp.srcport == 50002", "nnynn"), ("tcp.srcport > tcp.dstport", "yyyyy"),
        ("hs.syn.count == 1", "ynnny"), ("hs.syn.count > 1", "nyyyn"), ("hs.syn.count in {2..3}", "nyyyn"),
        ("hs.synack.count == 0", "nnyyn"), ("hs.rst.count == 2", "nnynn"), ("hs.refusal.count >= 2", "nnynn"),
        ("hs.syn.count == -1", "nnnnn"), ("hs.syn.count < 1.5", "ynnny"), ("hs.isn.client == 1000", "ynnnn"),
        ("hs.isn.server == 5000", "yn??n"), ("hs.isn.server != 5000", "ny??y"), ("frame.number == 2", "ynnnn"),
        ("frame.number in {1..4}", "yynnn"), ("vlan.id == 7", "nnnnn"), ("vlan.id != 7", "yyyyy"),
        // Durations, and figures within bounds
        ("hs.rtt.total == 21ms", "y???n"), ("hs.rtt.total < 50ms", "y???y"), ("hs.rtt.total < 2s", "yy??y"),
        ("hs.rtt.total <= 1021ms", "yy??y"), ("hs.rtt.total < 21ms", "nn??y"), ("hs.rtt.total >= 21ms", "yy??n"),
        ("hs.rtt.total > 1.5s", "nn??n"), ("hs.rtt.total != 21ms", "n???y"), ("hs.rtt.total == 5s", "nn??n"),
        ("hs.rtt.total in {20ms..22ms}", "y???n"), ("hs.rtt.total in {1ms..2s}", "yy??y"),
        ("hs.rtt.total in {2s..3s}", "nn??n"), ("50ms > hs.rtt.total", "y???y"), ("hs.rtt.total < 21000us", "nn??y"),
        ("hs.rtt.total <= 21000000ns", "y???y"), ("hs.rtt.total <= 21000µs", "y???y"),
        ("hs.rtt.total < 0.05s", "y???y"),
        ("hs.rtt.total < 1min", "yy??y"), ("hs.rtt.total < 1m", "yy??y"), ("hs.rtt.total < 1h", "yy??y"),
        ("hs.rtt.synack_to_ack < hs.rtt.syn_to_synack", "yy??y"), ("hs.rtt.synack_to_ack == 1ms", "yy??y"),
        ("hs.setup > 1s", "ny??n"), ("hs.setup >= hs.rtt.total", "yy??y"), ("hs.refusal == 3ms", "??y??"),
        ("hs.refusal < 10ms", "??y??"),
        // Names
        ("hs.outcome == established", "yynny"), ("hs.outcome == \"established\"", "yynny"),
        ("hs.outcome == 'refused'", "nnynn"), ("hs.outcome != established", "nnyyn"),
        ("refused == hs.outcome", "nnynn"),
        ("hs.outcome in {refused, unanswered}", "nnyyn"), ("hs.outcome not in {refused unanswered}", "yynny"),
        ("hs.outcome contains \"answer\"", "nnnyn"), ("hs.outcome matches \"^re\"", "nnynn"),
        ("hs.outcome matches \"^(refused|unanswered)$\"", "nnyyn"),
        ("hs.outcome matches \"^([]a-z+((((-]+)+$\"", "yyyyy"),
        ("hs.outcome matches \"^(r|(e+|\\\\++)+f?)+used\"", "nnynn"),
        ("hs.outcome ~ \"EST\"", "yynny"),
        ("hs.rtt.provenance == exact", "yn??y"), ("hs.rtt.provenance == ambiguous", "ny??n"),
        ("hs.form == three-way", "yy??y"), ("hs.completed_by in {ack data}", "yy??y"), ("hs.starts_at == syn", "yyyyy"),
        ("hs.confidence == full", "yyyyy"), ("hs.ended != evidence", "nnnyn"),
        ("hs.findings contains syn-retransmitted", "nynyn"), ("hs.findings == syn-after-refusal", "nnynn"),
        ("hs.findings != syn-retransmitted", "ynyny"), ("hs.findings in {syn-after-refusal syn-lost}", "nyyyn"),
        ("hs.findings matches \"^syn-\"", "nyyyn"), ("hs.findings.count == 0", "ynnny"),
        ("hs.severity >= warning", "?yny?"), ("hs.severity < warning", "?nyn?"), ("hs.severity == info", "?nnn?"),
        ("hs.severity in {note warning}", "?yyy?"),
        // Truth values
        ("hs.failed", "nnyyn"), ("not hs.failed", "yynny"), ("hs.failed == true", "nnyyn"),
        ("hs.failed != true", "yynny"),
        ("hs.failed == false", "yynny"), ("hs.arithmetic.syn_ack_ack", "yy??y"),
        ("hs.arithmetic.ack_ack == true", "yy??y"),
        ("hs.options.client.sack_permitted", "ynnnn"), ("hs.options.server.sack_permitted == false", "yy??y"),
        ("true", "yyyyy"), ("false", "nnnnn"), ("not true", "nnnnn"),
        // Options and MSS
        ("hs.mss.client == 1460", "yyyny"), ("hs.mss.client != 1460", "nnnyn"),
        ("hs.mss.server < hs.mss.client", "yn??n"),
        ("hs.mss.negotiated == 1400", "yn??n"), ("hs.mss.client_send == 1400", "yn??n"),
        ("hs.options.client.window_scale == 7", "y????"), ("hs.options.server.window_scale > 8", "y????"),
        // Time: absolute with its zone, relative to the capture's first frame
        ("frame.time < \"2026-01-01T00:00:02Z\"", "yynnn"), ("frame.time >= 2026-01-01T00:00:02Z", "nnyyy"),
        ("frame.time == \"2026-01-01 01:00:02+01:00\"", "nnynn"), ("frame.time != 2026-01-01T00:00:02.000Z", "yynyy"),
        ("frame.time < 2s", "yynnn"), ("frame.time >= 3s", "nnnyy"), ("frame.time in {0s..100ms, 7s}", "yynny"),
        ("frame.time in {2026-01-01T00:00:03Z..2026-01-01T00:00:05Z}", "nnnyn"), ("known(frame.time)", "yyyyy"),
        ("frame.time_relative == 100ms", "nynnn"), ("hs.duration == 21ms", "ynnnn"), ("hs.duration >= 3s", "nnnyn"),
        ("hs.failed_because == refused", "??yn?"), ("hs.failed_because in {no-answer, refused}", "??yy?"),
        ("hs.failed_because matches \"^no-\"", "??ny?"), ("known(hs.failed_because)", "nnyyn"),
        // Presence
        ("hs.rtt.total", "yynny"), ("known(hs.rtt.total)", "yynny"), ("not known(hs.rtt.total)", "nnyyn"),
        ("hs.findings", "nyyyn"), ("known(hs.failed)", "yyyyy"), ("known(hs.arithmetic.ack_ack)", "yynny"),
        ("known(vlan.id)", "nnnnn"), ("known(ip.src)", "yyyyy"), ("hs.icmp.reporter", "nnnnn"), ("hs.form", "yynny"),
        // Logic: what is unknown stays so where it could decide
        ("hs.refusal < 10ms or true", "yyyyy"), ("hs.refusal < 10ms and false", "nnnnn"),
        ("hs.refusal < 10ms and true", "??y??"), ("hs.refusal < 10ms or false", "??y??"),
        ("not hs.refusal < 10ms", "??n??"), ("!(hs.refusal < 10ms)", "??n??"),
        ("hs.outcome == refused and hs.refusal < 10ms", "nnynn"),
        ("hs.outcome == established || hs.refusal < 10ms", "yyy?y"),
        ("tcp.dstport == 443 && hs.outcome == established", "yynny"), ("! hs.failed && tcp.dstport == 443", "yynny"),
        ("tcp.dstport == 25 or tcp.dstport == 8443 and hs.failed", "nnyyn"),
        ("(tcp.dstport == 25 or tcp.dstport == 443) and hs.failed", "nnnyn"), ("not not hs.failed", "nnyyn"),
        ("ip.version == 4 and\n  tcp.dstport == 443", "yynnn"), ("(((hs.failed)))", "nnyyn"),
        ("hs.icmp.type == 3", "?????"), ("hs.icmp.severity == hard", "?????"), ("hs.network.id == 5", "?????"),
        ("hs.tunnel contains vxlan", "nnnnn"), ("hs.options.client.mptcp == 2", "?????"),
    ]

    @Test("An expression says yes, no or unknown of each attempt", arguments: table.indices)
    func evaluates(_ position: Int) throws {
        let (expression, expected) = Self.table[position]
        let predicate = try Predicate(expression)
        let found = Records.five.map { record in
            switch predicate(record) {
            case .yes: "y"
            case .no: "n"
            case .unknown: "?"
            }
        }
        #expect(found.joined() == expected, "\(expression)")
    }

    @Test("There are at least 150 expressions in the table, each once")
    func tableIsLarge() {
        #expect(Self.table.count >= 150)
        #expect(Set(Self.table.map(\.expression)).count == Self.table.count)
    }

    @Test("The five attempts are what the tables take them for")
    func records() {
        #expect(Records.five.map(\.outcome) == [.established, .established, .refused, .unanswered, .established])
        #expect(Records.five[1].total?.low == 21_000_000)
        #expect(Records.five[1].total?.high == 1_021_000_000)
    }

    @Test("Each field's path is one that records have", arguments: Field.all.map(\.name))
    func paths(_ name: String) throws {
        let field = try #require(Field.named(name))
        guard let path = field.path else { return }
        let first = path.replacing("[]", with: "[0]")
        #expect(
            Records.five.contains { record in
                switch RecordFields(record)[first] {
                case .value: true
                case .underNull, .unknown: false
                }
            } || ["icmp.", "tunnel."].contains { path.hasPrefix($0) }, "\(name): \(path)")
    }

    @Test(
        "Decimals are what they say, to the last bit",
        arguments: [
            ("99.9%", Literal.percentage(999.0 / 1000)), ("66.67%", .percentage(6667.0 / 10_000)),
            ("1.001ms", .duration(1_001_000)),
            ("0.1s", .duration(100_000_000)), ("-1.5", .number(-1.5)), ("0.3", .number(0.3)),
            ("1.1h", .duration(3_960_000_000_000)),
        ])
    func decimals(_ text: String, _ literal: Literal) { #expect(Lexer.literal(text) == literal) }

    @Test("Whether a pending or partial attempt failed is unknown")
    func pendingIsUnknown() throws {
        var record = Records.five[3]
        record.outcome = .pending
        #expect(try Predicate("hs.failed")(record) == .unknown)
        record.outcome = .partial
        #expect(try Predicate("not hs.failed")(record) == .unknown)
    }

    @Test("A frame that a long record does not list may be one of its frames")
    func omittedFrames() throws {
        var record = Records.five[0]
        record.segmentsOmitted = 3
        #expect(try Predicate("frame.number == 99")(record) == .unknown)
        #expect(try Predicate("frame.number == 1")(record) == .yes)
    }

    // MARK: Mistakes

    static let mistakes: [(expression: String, line: Int, column: Int, message: String)] = [
        ("", 1, 1, "the expression is empty"), ("   ", 1, 4, "the expression is empty"),
        ("hs.outcom == refused", 1, 1, "there is no field 'hs.outcom': did you mean 'hs.outcome'?"),
        ("tcp.dport == 443", 1, 1, "did you mean 'tcp.port'?"),
        ("rtt.total < 1ms", 1, 1, "did you mean 'hs.rtt.total'?"),
        ("refused", 1, 1, "'refused' is an outcome, and no field: hs.outcome == refused"),
        ("hs.outcome == refusd", 1, 15, "there is no outcome 'refusd': did you mean 'refused'?"),
        ("hs.outcome == 5", 1, 15, "hs.outcome is an outcome, and 5 is a number"),
        ("hs.outcome < refused", 1, 14, "it has no order"), ("hs.outcome == tcp.dstport", 1, 15, "cannot be compared"),
        ("hs.findings contains syn-lots", 1, 22, "did you mean 'syn-lost'?"),
        ("hs.rtt.total > 5", 1, 16, "is a duration: say its unit, as 5ms"),
        ("hs.rtt.total < 10.0.0.1", 1, 16, "hs.rtt.total is a duration, and 10.0.0.1 is an address"),
        ("hs.rtt.total < fast", 1, 16, "hs.rtt.total is a duration, and 'fast' is none"),
        ("hs.syn.count > 50ms", 1, 16, "hs.syn.count is a number, and 50ms is a duration"),
        ("hs.syn.count > 50%", 1, 16, "hs.syn.count is a number, and 50% is a percentage"),
        ("hs.syn.count == \"1\"", 1, 17, "is a number, and \"1\" is a string"),
        ("ip.src == 443", 1, 11, "ip.src is an address, and 443 is a number"),
        ("ip.src == \"localhost\"", 1, 11, "ip.src is an address, and \"localhost\" is none"),
        ("ip.src < 10.0.0.1", 1, 10, "addresses are compared with == and !="),
        ("ip.src == 10.0.0.0/33", 1, 11, "'10.0.0.0/33' is no number, duration, percentage, time, address or network"),
        ("ip.src == 1.2.3", 1, 11, "is no number"), ("ip.src == 300.1.1.1", 1, 11, "is no number"),
        ("ip.src == fe80::1::2", 1, 11, "is no number"),
        ("ip.src in {10.0.0.9..10.0.0.1}", 1, 12, "the range ends before it begins"),
        ("ip.src in {10.0.0.9..::1}", 1, 22, "one version of IP"),
        ("tcp.dstport in {9..1}", 1, 17, "the range ends before it begins"),
        ("tcp.dstport in {}", 1, 17, "the set is empty"),
        ("tcp.dstport in 443", 1, 16, "where a set, as {80, 443, 8000..8999},"),
        ("tcp.dstport in {80", 1, 19, "the expression ends"), ("tcp.dstport in {80..}", 1, 21, "'}' stands where"),
        ("hs.failed in {true}", 1, 1, "is true or false, and in no set"), ("hs.failed == 1", 1, 14, "true or false"),
        ("hs.failed < true", 1, 13, "true or false"),
        ("hs.outcome in {established..refused}", 1, 29, "names make no range"),
        ("hs.rtt.total contains 5", 1, 1, "contains asks of names"),
        ("ip.src matches \"10\"", 1, 1, "matches asks of names"),
        ("hs.outcome matches refused", 1, 20, "a regular expression stands in quotes"),
        ("hs.outcome matches \"(\"", 1, 20, "this is no regular expression"),
        ("hs.outcome matches \"nothing\"", 1, 20, "no outcome matches"),
        ("hs.outcome contains \"zzz\"", 1, 21, "no outcome contains"),
        ("tcp.dstport = 443", 1, 13, "'=' is no operator: equality is '=='"),
        ("tcp.dstport == 443 443", 1, 20, "'443' stands where"),
        ("tcp.dstport == 443 and", 1, 23, "the expression ends"), ("and hs.failed", 1, 1, "'and' stands where"),
        ("(hs.failed", 1, 11, "the expression ends where ')' should come"), ("hs.failed)", 1, 10, "')' stands where"),
        ("\"abc", 1, 1, "the string has no closing quote"), ("\"abc\"", 1, 1, "a string is no condition"),
        ("443", 1, 1, "a number is no condition"),
        ("1 == 1", 1, 1, "neither side is a field"), ("hs.rtt.total < 1ms < 2ms", 1, 20, "comparisons do not chain"),
        ("hs.failed ? 1", 1, 11, "this character means nothing here"),
        ("hs.failed & hs.failed", 1, 11, "means nothing"),
        ("hs.failed\nand hs.outcom == refused", 2, 5, "there is no field"),
        ("knwon(hs.failed)", 1, 1, "did you mean 'known'?"),
        ("known(hs.failed, hs.form)", 1, 1, "known() takes one field"), ("known(5)", 1, 7, "a field should stand here"),
        ("all(hs.failed)", 1, 1, "all() is about all attempts"), ("tcp.port == tcp.dstport", 1, 13, "several values"),
        ("ip.src in {hs.failed}", 1, 12, "ip.src is an address"),
        ("hs.id == 99999999999999999999", 1, 10, "is no number"),
        ("hs.outcome matches \"\\d\"", 1, 20, "means nothing in POSIX"),
        ("hs.outcome matches \"(a{9}){9}\"", 1, 20, "counted repetition is not taken"),
        ("hs.outcome matches \"z++++++++++++++++++++++++++\"", 1, 20, "a repetition stands on another"),
        ("hs.outcome matches \"((((((((((((((((a+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+\"", 1, 20, "it grows too large"),
        ("hs.outcome matches \"(((((((((()+)+)+)+)+)+)+)+)+)+)+)+)+\"", 1, 20, "it grows too large"),
        ("hs.outcome matches \"^(ossible??????)z???+++++++++++++ru$\"", 1, 20, "a repetition stands on another"),
        ("known(hs.failed where true)", 1, 1, "known() takes one field"),
        ("frame.time < \"2026-11-28 10:02\"", 1, 14, "the time has no zone"),
        ("frame.time < 2026-11-28T10:02:10", 1, 14, "is no time with its zone"),
        ("frame.time < \"yesterday\"", 1, 14, "is no time"), ("frame.time < 10", 1, 14, "say the unit, as 10s"),
        ("frame.time < \"2026-02-30T00:00:00Z\"", 1, 14, "is no time"),
        ("frame.time in {1s..2026-11-28T10:02:10Z}", 1, 20, "a range is of two times"),
        ("hs.failed_because == refusd", 1, 22, "did you mean 'refused'"),
        ("ip.src contains \"10.\" é", 1, 23, "means nothing"), ("hs.rtt.total in {1ms..5}", 1, 23, "say its unit"),
    ]

    @Test(
        "A mistake is named with its line, column and nearest name, before a packet is read",
        arguments: mistakes.indices)
    func mistake(_ position: Int) {
        let (expression, line, column, message) = Self.mistakes[position]
        do {
            _ = try Predicate(expression)
            Issue.record("\(expression) was taken")
        } catch {
            #expect(error.line == line && error.column == column, "\(error)")
            #expect(error.message.contains(message), "\(error)")
        }
    }

    @Test("An error shows the line with a caret under what is meant")
    func caret() {
        let error = #expect(throws: ExpressionError.self) {
            try Predicate("tcp.dstport == 443 and\n  hs.outcom == refused")
        }
        #expect(
            error?.description == """
                2:3: there is no field 'hs.outcom': did you mean 'hs.outcome'?
                    hs.outcom == refused
                    ^^^^^^^^^
                """)
    }

    @Test("A long chain is no deep tree, and a deep one an error")
    func depth() throws {
        let chain = Array(repeating: "hs.failed", count: 4000).joined(separator: " or ")
        #expect(try Predicate(chain)(Records.five[2]) == .yes)
        let deep = String(repeating: "(", count: 5000) + "hs.failed" + String(repeating: ")", count: 5000)
        #expect(throws: ExpressionError.self) { try Predicate(deep) }
        #expect(throws: ExpressionError.self) { try Predicate(String(repeating: "not ", count: 5000) + "hs.failed") }
        #expect(throws: ExpressionError.self) { try Predicate(String(repeating: "a", count: Lexer.longest + 1)) }
    }

    @Test("No text of any kind traps the parser or the checker")
    func fuzz() {
        var random = RandomNumbers(seed: 20_261_124)
        let pieces =
            Field.all.map(\.name) + AggregateKind.names + [
                "(", ")", "{", "}", ",", "..", "==", "!=", "<", "<=", ">", ">=", "and", "or", "not", "in", "contains",
                "matches",
                "where", "known", "&&", "||", "!", "~", "=", "'", "\"", "\\", "\n", "5", "50ms", "99%", "1e5", "0x",
                "10.0.0.1",
                "::1", "::/0", "1.2.3.4/8", "-", "-5", ".", ":", "/", "%", "µs", "é", "\u{0}", "established",
                "syn-lost", "true",
                "\"[\"", "\"(a|b)*\"", "\"\\\\p{L}+\"", "\"a{2,1}\"", "\"(?<x>.)\\\\k<x>\"",
            ]
        var taken = 0
        for _ in 0..<20_000 {
            var text = ""
            if random.next(below: 8) == 0 {
                text = String(
                    decoding: (0..<random.next(below: 40)).map { _ in UInt8(random.next(below: 256)) }, as: UTF8.self)
            } else {
                for _ in 0..<random.next(below: 14) {
                    text += pieces[random.next(below: pieces.count)] + (random.next(below: 4) == 0 ? "" : " ")
                }
            }
            if let predicate = try? Predicate(text) {
                taken += 1
                for record in Records.five { _ = predicate(record) }
            }
            if let assertion = try? Assertion(text) {
                taken += 1
                var trial = Trial(assertion)
                for record in Records.five { trial.take(record) }
                _ = trial.judgement()
            }
        }
        #expect(taken > 100, "some of it is an expression")
    }
}
