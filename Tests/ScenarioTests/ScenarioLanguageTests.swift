import HandshakeScenario
import PacketWire
import Testing

@Suite("The scenario language")
struct ScenarioLanguageTests {
    private func scenario(_ text: String) throws -> Scenario { try Scenario(text: text, name: "test") }

    /// The segment of the only packet.
    private func packet(_ line: String) throws -> Segment {
        let frames = try scenario(line).frames()
        let frame = try #require(frames.last)
        guard
            case .segment(let segment) = FrameDecoder(.ethernet).decode(
                frame.octets.span.bytes, wireLength: frame.wireLength)
        else {
            Issue.record("\(line) is no segment")
            throw CancellationError()
        }
        return segment
    }

    @Test("Sequence numbers are relative to the ISNs, absolute after =, negative before them")
    func sequenceNumbers() throws {
        #expect(try packet("0 > S").seq == 1000)
        #expect(try packet("0 > .").seq == 1001)
        #expect(try packet("0 > . 5:25(20) ack 7").seq == 1005)
        #expect(try packet("0 > . 5:25(20) ack 7").payloadLength == 20)
        #expect(try packet("0 < S. ack =9").ack == 9)
        #expect(try packet("0 > . =4294967295").seq == .max)
        #expect(try packet("0 > . -400").seq == 600)
        #expect(try packet("flow isn 4294967295 0\n0 > .").seq == 0)
    }

    @Test("A SYN has an MSS of 1460 unless it says otherwise; <> is no options")
    func defaultOptions() throws {
        #expect(try packet("0 > S").options.mss == 1460)
        #expect(try packet("0 > S <>").options.present == [])
        #expect(try packet("0 > .").options.present == [])
    }

    @Test(
        "Every option is written as tcpdump and packetdrill write it",
        arguments: [
            ("mss 536", .mss), ("wscale 7", .windowScale), ("sackOK", .sackPermitted), ("TS val 1 ecr 2", .timestamps),
            ("FO", .fastOpen), ("FO aabbccdd", .fastOpen), ("FOEXP", .fastOpenExperimental), ("mptcp capable", .mptcp),
            ("mptcp join", .mptcp), ("kind 99 00ff", .other), ("raw 0205", .malformed), ("mss 1,mss 2", .repeated),
        ] as [(String, TCPOptions.Present)])
    func options(_ text: String, _ present: TCPOptions.Present) throws {
        #expect(try packet("0 > S <\(text)>").options.has(present))
    }

    @Test("What surrounds a segment is written too")
    func surroundings() throws {
        let segment = try packet("0 > S win 9 ttl 7 id 77 vlan 100,7 in vxlan 42 reserved 5 checksum bad")
        #expect(segment.window == 9)
        #expect(segment.hopLimit == 7)
        #expect(segment.identification == 77)
        #expect(segment.vlan.identifiers == [100, 7])
        #expect(segment.network == VirtualNetwork(kind: .vxlan, id: 42))
        #expect(segment.flags.intersection(.reserved).rawValue == 5 << 9)
        #expect(segment.checksum == .bad)
        #expect(try packet("flow [2001:db8::1]:1 > [2001:db8::2]:2\n0 < S.").source.description == "[2001:db8::2]:2")
    }

    @Test("Times are seconds unless they say otherwise, relative with a sign, exact to the nanosecond")
    func times() throws {
        let text = "0.5 > S\n+20ms > S\n+3us > S\n-1ns > S\n2 > S\n+.000000001 > S"
        #expect(
            try scenario(text).steps.map(\.time) == [
                500_000_000, 520_000_000, 520_003_000, 520_002_999, 2_000_000_000, 2_000_000_001,
            ])
    }

    @Test("again repeats a packet by name or the last one, with what is changed")
    func again() throws {
        let scenario = try scenario("0 > S ttl 9 as first\n+1ms < S.\n+1ms again first ttl 8\n+1ms again")
        let frames = scenario.frames()
        #expect(frames[2].octets.count == frames[0].octets.count)
        #expect(frames[2].octets != frames[0].octets)
        #expect(frames[3].octets == frames[2].octets)
    }

    @Test("A frame is cut to what was captured, and says how long it was")
    func cut() throws {
        let frame = try #require(try scenario("0 > S cut 40").frames().first)
        #expect(frame.octets.count == 40)
        #expect(frame.wireLength == 58)
    }

    @Test(
        "A mistake is told with line and column",
        arguments: [
            ("0 > X", 5, "flags"), ("0 > S. 3:5(1)", 8, "octets"), ("0 > S <mss 70000>", 8, "mss 70000"),
            ("0 > S <mss 1", 7, "closed"), ("0 >", 4, "missing"), ("zero > S", 1, "begins with"),
            ("0 web > S", 3, "flow's name"), ("0 again", 1, "no packet before"),
            ("+200000000000 > S", 1, "begins with"),
            ("0 > S ttl 300", 11, "0 to 255"), ("0 > S colour red", 7, "no attribute"),
            ("0 icmp 3 from ::1", 8, "type/code"),
            ("link FDDI", 6, "link type"), ("flow 192.0.2.1 > 192.0.2.2:3", 6, "port"),
            ("expect findings syn-lots", 17, "syn-lots"),
            ("expect rtt.total_ns 9ms..3ms", 21, "range"), ("0 octets 0g", 10, "hexadecimal"),
            ("flow again isn 1 2", 6, "word"),
            ("0 > S <mss 1460,,nop>", 17, "missing"), ("0 idle now", 8, "too much"),
        ] as [(String, Int, String)])
    func mistakes(_ line: String, _ column: Int, _ words: String) throws {
        let errors = try #require(throws: ScenarioErrors.self) { try scenario("# a comment\n\(line)") }
        let diagnostic = try #require(errors.diagnostics.first)
        #expect(diagnostic.source == SourceLine(number: 2, text: line))
        #expect(diagnostic.column == column)
        #expect(diagnostic.message.contains(words), "\(diagnostic.message)")
    }

    @Test("All wrong lines are told at once, each with a caret below the place")
    func allMistakes() throws {
        let errors = try #require(throws: ScenarioErrors.self) { try scenario("0 > X\n+1ms > S\n\t+1ms > Y") }
        #expect(errors.diagnostics.count == 2)
        #expect(errors.description.hasSuffix("  3 | \t+1ms > Y\n    | \t       ^"))
    }

    @Test("Lines may end as they do on Windows")
    func carriageReturns() throws {
        let scenario = try scenario("0 > S\r\n+20ms < S.\r\n\r\nexpect outcome half-open # so\r\n")
        #expect(scenario.frames().count == 2 && scenario.expectations.count == 1)
        let errors = try #require(throws: ScenarioErrors.self) { try self.scenario("0 > S\r\n+1ms > X\r\n") }
        #expect(errors.diagnostics.map(\.source) == [SourceLine(number: 2, text: "+1ms > X")])
    }

    @Test("Of many wrong lines the first hundred are told")
    func manyMistakes() throws {
        let lines = String(repeating: "0 nobody > S\n", count: 1000)
        let errors = try #require(throws: ScenarioErrors.self) { try scenario(lines) }
        #expect(errors.diagnostics.count == Scenario.maximumDiagnostics)
    }

    @Test("Of many differences the first hundred are told")
    func manyDifferences() throws {
        let lines = String(repeating: "expect outcome refused\n", count: 1000)
        #expect(try scenario("0 > S\n" + lines).check().count == Scenario.maximumDiagnostics)
    }

    @Test("Many flows of one tuple that has many attempts are compared in linear time", .timeLimit(.minutes(1)))
    func manyFlowsOfOneTuple() throws {
        let flows = (0..<50_000).map { "flow f\($0)\n" }.joined()
        // Each SYN comes when the attempt before is over, so that it is one of its own.
        let attempts = String(repeating: "+80s > S <>\n+1ms < R. -5000\n", count: 3000)
        let differences = try scenario(flows + attempts + "expect outcome refused\n").check()
        #expect(differences.count == Scenario.maximumDiagnostics)
    }

    @Test("Of two tunnels the last one counts")
    func twoTunnels() throws {
        #expect(try packet("0 > S in vxlan 3 in gre").network == .none)
        #expect(try packet("0 > S in gtp 7 from 192.0.2.1 to 192.0.2.2 in gre") == packet("0 > S in gre"))
    }

    @Test(
        "Written as text and read again, what looks like something else stays what it is",
        arguments: [
            // Which packet is quoted: not the last one of its direction.
            "0 > S id 7 as first\n1 > S id 8 ttl 3\n+1ms icmp 3/1 from 192.0.2.9 about first",
            "0 > S <mss 536>\n+1ms < S.\n+1ms icmp 3/1 from 192.0.2.9 seq 5",
            // More than 100 years between two packets.
            "-3155760000s > S\n3155760000s > .",
            "0 > S in vxlan 3 in gre", "0 > S in gtp 9 from 192.0.2.1 to 192.0.2.2 in mpls",
            // What is claimed, and of what.
            "flow outcome isn 1 2\n0 > S\nexpect attempt outcome pending", "0 > S\nexpect attempt attempt x",
            "0 > S\nexpect attempt not isn-zero", "0 > S\nexpect attempt summary.x 1",
            "flow a isn 1 2\n0 > S\nexpect attempt#2 outcome pending\nexpect a#2 findings none",
        ])
    func textRoundTrips(_ text: String) throws {
        let scenario = try scenario(text)
        let again = try self.scenario(scenario.text)
        #expect(again.frames().map(\.octets) == scenario.frames().map(\.octets))
        #expect(again.frames().map(\.time) == scenario.frames().map(\.time))
        #expect(again.text == scenario.text)
        #expect(again.expectations.map(\.subject) == scenario.expectations.map(\.subject))
    }

    @Test(
        "What is not as expected is told with its line",
        arguments: [
            ("expect outcome refused", "outcome is established"),
            ("expect rtt.total_ns 20ms", "rtt.total_ns is 21000000"),
            ("expect outcome established\nexpect findings isn-zero", "found are none"),
            ("expect outcome established\nexpect setup_ns 1ms..2ms", "setup_ns is 21000000"),
            ("expect outcome established\nexpect rtt.totl 1", "no field 'rtt.totl'"),
            ("expect mss.negotiated 1460", "no line expects the outcome"), ("# nothing", "expects nothing"),
            ("expect outcome established\nexpect icmp.code 3", "icmp is null"),
            ("flow other isn 5 6\nexpect other outcome established", "no attempt of flow other"),
        ])
    func differences(_ expectations: String, _ words: String) throws {
        let scenario = try scenario("0 > S\n+20ms < S.\n+1ms > .\n" + expectations)
        #expect(scenario.check().contains { $0.message.contains(words) }, "\(scenario.check())")
    }

    @Test("A finding that no line lists is a difference")
    func unlistedFinding() throws {
        let scenario = try scenario("0 > S <>\n+20ms < S.\n+1ms > .\nexpect outcome established")
        #expect(scenario.check().contains { $0.message.contains("mss-absent") })
    }
}
