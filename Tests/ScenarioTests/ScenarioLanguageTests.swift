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
