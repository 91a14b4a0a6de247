import Fixtures
import Foundation
import PacketWire
import TestSupport
import Testing

@Suite("The command")
struct CommandTests {
    static let names =
        ((try? FileManager.default.contentsOfDirectory(atPath: Place.captures.path)) ?? [])
        .filter { $0.hasSuffix(".pcap") || $0.hasSuffix(".pcapng") }.sorted()

    // MARK: Captures

    @Test("The formats command lists every link type and encapsulation, as text and JSON")
    func formats() throws {
        let text = try Run(["formats"])
        #expect(text.status == 0)
        for word in ["pcapng", "zstd", "127 IEEE802_11_RADIO", "gtp-u", "macsec", "capwap", "fabricpath", "eoip"] {
            #expect(text.output.contains(word))
        }
        let json = try JSONSerialization.jsonObject(with: Data(try Run(["formats", "-T", "json"]).output.utf8))
        let tables = try #require(json as? [String: [[String: Any]]])
        #expect(Set(tables.keys) == ["files", "compressions", "link_types", "encapsulations"])
        let linkTypes = try #require(tables["link_types"])
        #expect(linkTypes.allSatisfy { LinkType(rawValue: UInt16($0["number"] as? Int ?? 65535)).isDecoded })
    }

    @Test("Frames of a link type that is not decoded are counted by its number, and a hint says how to ask for it")
    func unknownLinkType() throws {
        var bytes = Conversation().pcap()
        bytes[20] = 147
        bytes += [0, 0, 0, 1, 0, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0, 1, 2, 3, 4]
        let run = try Run(["-T", "jsonl", "-"], input: bytes)
        #expect(run.status == 0)
        #expect(run.output.contains("\"ignored\":{\"link-type-147\":1}"))
        #expect(run.errors.contains("1 frame of link type 147") && run.errors.contains("docs/formats.md"))
    }

    /// A savefile of these frames, one in each second.
    static func savefile(_ frames: [[UInt8]], _ linkType: LinkType = .ethernet) -> [UInt8] {
        var bytes = Conversation.pcapHeader(linkType, snaplen: 262_144)
        for (second, frame) in frames.enumerated() {
            let length = [UInt8(frame.count & 0xff), UInt8(frame.count >> 8), 0, 0]
            bytes += [UInt8(second & 0xff), UInt8(second >> 8), 0, 1, 0, 0, 0, 0] + length + length + frame
        }
        return bytes
    }

    @Test("Frames that are not decoded are told by number, the five most frequent of a kind and the others")
    func undecoded() throws {
        let addresses = [UInt8](repeating: 2, count: 12)
        let discovery = addresses + [0x88, 0xcc] + [UInt8](repeating: 0, count: 46)
        func packet(_ proto: UInt8, _ payload: [UInt8]) -> [UInt8] {
            addresses + [8, 0, 0x45, 0, 0, UInt8(20 + payload.count), 0, 1, 0, 0, 64, proto, 0, 0]
                + [192, 0, 2, 1, 192, 0, 2, 2] + payload
        }
        func datagram(_ port: UInt16) -> [UInt8] {
            packet(17, [0xc3, 0x50, UInt8(port >> 8), UInt8(port & 0xff), 0, 8, 0, 0])
        }
        let frames =
            [discovery, discovery, packet(89, [UInt8](repeating: 0, count: 24))]
            + [53, 53, 53, 1000, 1001, 1002, 1003, 1004, 1005, 1006].map(datagram)
        let input = CommandTests.savefile(frames)
        let text = try Run(["-q", "--width", "200", "-"], input: input)
        #expect(
            text.output.contains(
                "EtherType 0x88cc (2); IP protocol 89 (1); "
                    + "UDP port 53 (3), 1000 (1), 1001 (1), 1002 (1), 1003 (1) and 3 others"
            ))
        let json = try Run(["-q", "-T", "jsonl", "-"], input: input)
        #expect(
            json.output.contains(
                #""undecoded":{"ethertypes":{"0x88cc":2},"ip_protocols":{"89":1},"#
                    + #""udp_ports":{"53":3,"1000":1,"1001":1,"1002":1,"1003":1,"others":3}}"#
            ))
        #expect(json.output.contains(#""ignored":{"other-ethertype":2,"other-protocol":1,"udp":10}"#))
    }

    @Test("A flood of UDP ports keeps the summary short, and its counts add up whatever -j is")
    func undecodedFlood() throws {
        let frame =
            [UInt8](repeating: 2, count: 12) + [8, 0, 0x45, 0, 0, 28, 0, 1, 0, 0, 64, 17, 0, 0]
            + [192, 0, 2, 1, 192, 0, 2, 2, 0xff, 0xff, 0, 0, 0, 8, 0, 0]
        let frames = (1...3000).map { port in
            var frame = frame
            (frame[36], frame[37]) = (UInt8(port >> 8), UInt8(port & 0xff))
            return frame
        }
        let folder = try TemporaryFolder()
        let file = folder.url.appending(path: "file.pcap")
        try Data(CommandTests.savefile(frames)).write(to: file)
        let one = try Run(["-q", "-T", "jsonl", "-j", "1", file.path])
        let summary = try #require(one.output.split(separator: "\n").last)
        let object = try JSONSerialization.jsonObject(with: Data(summary.utf8)) as? [String: Any]
        let undecoded = (object?["frames"] as? [String: Any])?["undecoded"] as? [String: [String: Int]]
        let ports = try #require(undecoded?["udp_ports"])
        #expect(ports.count == 6 && ports.values.reduce(0, +) == 3000)
        #expect(try Run(["-q", "-T", "jsonl", "-j", "4", file.path]).output == one.output)
    }

    @Test("--decode-as names the tunnel of a UDP port that the headers inside do not prove")
    func decodeAs() throws {
        let folder = try TemporaryFolder()
        let (scenario, made) = (folder.url.appending(path: "a.pkt"), folder.url.appending(path: "a.pcap"))
        try Data("0 > S in vxlan 7\n+20ms < S. in vxlan 7\n+1ms > . in vxlan 7\n".utf8).write(to: scenario)
        #expect(try Run(["craft", scenario.path, "-w", made.path]).status == 0)
        var bytes = Array(try Data(contentsOf: made))
        var position = 24
        while position < bytes.count {
            // Port 8473, and a reserved octet of VXLAN that is not 0.
            (bytes[position + 52], bytes[position + 53]) = (0x21, 0x19)
            bytes[position + 65] = 1
            position += 16 + Int(bytes[position + 8])
        }
        let plain = try Run(["-q", "--width", "200", "-"], input: bytes)
        #expect(plain.output.contains("3 ignored (udp)") && plain.output.contains("UDP port 8473 (3)"))
        let named = try Run(["-T", "jsonl", "--decode-as", "geneve=6082,vxlan=8473", "-"], input: bytes)
        #expect(named.output.contains(#""outcome":"established""#) && named.output.contains(#""kinds":["vxlan"]"#))
    }

    @Test(
        "A port list that is wrong is wrong usage",
        arguments: ["vxlan", "vxlan=0", "vxlan=65536", "pppoe=1", "vxlan=1,,geneve=2", "vxlan=7,geneve=7", ""])
    func wrongPorts(_ list: String) throws {
        #expect(try Run(["-q", "--decode-as", list, Place.capture("incident.pcap")]).status == 2)
    }

    @Test("Raw IP that a file labels Ethernet is told with what to do, and read with --link-type")
    func wrongLinkType() throws {
        var conversation = Conversation()
        conversation.handshake(at: 0)
        var bytes = conversation.pcap(.raw)
        bytes[20] = 1
        let hint = "3 frames look like raw IP; the file says Ethernet; use --link-type raw"
        let told = try Run(["-q", "--width", "200", "-"], input: bytes)
        #expect(told.output.contains(hint) && told.output.contains("0 TCP segments"))
        #expect(try Run(["-q", "-T", "jsonl", "-"], input: bytes).output.contains(#""looks_raw_ip":3"#))
        for name in ["raw", "RAW", "101", "ipv4"] {
            let run = try Run(["-T", "jsonl", "--link-type", name, "-"], input: bytes)
            #expect(run.output.contains(#""outcome":"established""#) && !run.output.contains("looks_raw_ip"))
        }
        #expect(try Run(["-q", "--link-type", "147", "-"], input: bytes).status == 2)
        #expect(try Run(["-q", "--link-type", "ether", "-"], input: bytes).status == 2)
    }

    @Test("A comment that pcapng has of a frame is in its segment and in the diagram")
    func frameComments() throws {
        let folder = try TemporaryFolder()
        let kept = folder.path("kept.pcapng")
        // Which check -w writes.
        _ = try Run(["check", Place.capture("syn-lost.pcap"), "-e", "count() == 0", "-w", kept])
        let attempt = try Run(["-T", "jsonl", kept])
        #expect(attempt.output.contains("\"comment\":\"frame 1 of "))
        #expect(try Run(["draw", kept, "--attempt", "1"]).output.contains("# frame 1 of "))
    }

    @Test("No progress is shown where standard error is no terminal")
    func progress() throws {
        let run = try Run.shell("(cat \(Place.capture("incident.pcap")); sleep 1.5) | $SYNSCOPE -q -")
        #expect(run.status == 0 && run.errors.isEmpty)
    }

    @Test("check -w keeps every fragment of the handshakes that it keeps")
    func keptFragments() throws {
        let folder = try TemporaryFolder()
        let (whole, kept) = (folder.path("a.pcap"), folder.path("b.pcapng"))
        let scenario = Place.project.appending(path: "Tests/Scenarios/encapsulation/fragments-put-together.pkt").path
        #expect(try Run(["craft", scenario, "-w", whole]).status == 0)
        #expect(try Run(["check", whole, "-e", "none(hs.outcome == established)", "-w", kept]).status == 1)
        #expect(try Run(["-T", "jsonl", kept]).output.contains("\"outcome\":\"established\""))
    }

    @Test("Too many open files are told with what to do, compressed ones too; the others are read")
    func descriptors() throws {
        let run = try Run.shell(
            """
            folder=$(mktemp -d); for n in 1 2 3 4 5 6 7 8 9 10 11 12; do gzip -c \(Place.capture("incident.pcap")) > $folder/$n.gz; done
            ulimit -n 20; timeout 60 "$SYNSCOPE" -q $folder/*.gz; echo status $?; rm -r $folder
            """)
        #expect(run.output.hasSuffix("status 3\n"))
        #expect(run.errors.contains("ulimit -n"))
    }

    @Test("A large file on standard input is read from where it stands")
    func standsInTheMiddle() throws {
        var c = Conversation()
        for n in 0..<5000 { c.client(".", at: Double(n), len: 1200) }
        let bytes = c.pcap()
        #expect(bytes.count > 5 << 20)
        let folder = try TemporaryFolder()
        let file = folder.url.appending(path: "file")
        try Data([UInt8](repeating: 9, count: 1000) + bytes).write(to: file)
        let run = try Run.shell(
            "(dd bs=1000 count=1 of=/dev/null status=none; $SYNSCOPE -q -T json -) < \(file.path)")
        #expect(run.status == 0 && run.output.contains("\"read\":5000"))
    }

    @Test("--follow takes one file, not standard input, and shows attempts as they are written")
    func follow() throws {
        let capture = Place.capture("established.pcap")
        #expect(try Run(["--follow", capture, capture]).status == 2)
        #expect(try Run(["--follow", "-"]).status == 2)
        #expect(try Run(["--follow", "--sort", "start", capture]).status == 2)
        let run = try Run.shell(
            """
            folder=$(mktemp -d); file=$folder/growing.pcap
            ("$SYNSCOPE" --follow "$file" -T jsonl > $folder/out; echo status $? >> $folder/out) & pid=$!
            sleep 0.3; head -c 24 \(capture) > $file; sleep 0.3; tail -c +25 \(capture) >> $file
            for n in $(seq 100); do grep -q '"attempt"' $folder/out && break; sleep 0.1; done
            pkill -INT -P $pid; wait $pid; cat $folder/out; rm -r $folder
            """)
        #expect(run.output.contains("\"outcome\":\"established\""))
        #expect(run.output.contains("\"type\":\"summary\"") && run.output.hasSuffix("status 0\n"))
    }

    @Test("Each capture of the project gives the result beside it", arguments: names)
    func golden(_ name: String) throws {
        let expected = Place.captures.appending(path: name).deletingPathExtension().appendingPathExtension("jsonl")
        let golden = try String(contentsOf: expected, encoding: .utf8).split(separator: "\n")
        let run = try Run(["-T", "jsonl", Place.capture(name)])
        #expect(run.status == 0)
        let lines = run.output.split(separator: "\n")
        #expect(lines.count == golden.count)
        for (line, was) in zip(lines, golden) { #expect(line == was) }
    }

    @Test("There is a capture for each outcome")
    func allOutcomes() throws {
        var seen: Set<String> = []
        for name in CommandTests.names {
            for line in try Run(["-T", "csv", Place.capture(name)]).output.split(separator: "\r\n").dropFirst() {
                seen.insert(String(line.split(separator: ",", omittingEmptySubsequences: false)[6]))
            }
        }
        let outcomes = [
            "established", "reset-by-client", "stale", "reset-by-server", "refused", "unreachable", "invalid",
            "challenged", "half-open", "unanswered", "superseded", "pending", "partial",
        ]
        #expect(seen == Set(outcomes))
    }

    @Test("Every line of every capture is valid by the committed schema")
    func schema() throws {
        let python = try #require(
            ["python3", "/usr/bin/python3"].first { (try? Run.shell("\($0) -c 'import jsonschema'").status) == 0 },
            "jsonschema is missing: apt-get install python3-jsonschema, or make test, which does so")
        for name in CommandTests.names {
            let run = try Run.shell(
                "\"$SYNSCOPE\" -T jsonl '\(Place.capture(name))' | \(python) '\(Place.project.path)/Scripts/proof/validate.py'"
            )
            #expect(run.status == 0, "\(name): \(run.output)")
        }
    }

    @Test("Every capture with a scenario beside it is what craft makes of it, and as it expects")
    func craftedCaptures() throws {
        let folder = try TemporaryFolder()
        let names = try FileManager.default.contentsOfDirectory(atPath: Place.captures.path)
            .filter { $0.hasSuffix(".pkt") }
        #expect(names.count > 20)
        for name in names {
            let made = folder.path("made.pcap")
            let run = try Run(["craft", Place.capture(name), "--check", "-w", made])
            #expect(run.status == 0, "\(name): \(run.output)")
            let capture = Place.captures.appending(path: name.dropLast(4) + ".pcap")
            let (committed, crafted) = (try Data(contentsOf: capture), try Data(contentsOf: URL(filePath: made)))
            #expect(committed == crafted, "\(name): make captures")
        }
    }

    // MARK: Scenarios

    @Test("craft writes pcapng where the name says so, and both formats read alike")
    func craftFormats() throws {
        let scenario = Place.capture("vlan.pkt")
        let run = try Run.shell(
            """
            d=$(mktemp -d); "$SYNSCOPE" craft '\(scenario)' -w $d/a.pcapng && "$SYNSCOPE" craft '\(scenario)' -w $d/a.pcap \
              && "$SYNSCOPE" -T jsonl $d/a.pcapng | tail -n +2 > $d/1 && "$SYNSCOPE" -T jsonl $d/a.pcap | tail -n +2 > $d/2 \
              && cmp $d/1 $d/2 && "$SYNSCOPE" craft '\(scenario)' -w - | cmp - $d/a.pcap && head -c 4 $d/a.pcapng | od -An -tx1; rm -r $d
            """)
        #expect(run.status == 0)
        #expect(run.output.contains("0a 0d 0d 0a"))
    }

    @Test("craft --check ends with 1 where a scenario is not as it expects, and says the line")
    func craftDifference() throws {
        let run = try Run.shell("printf '0 > S\\nexpect outcome refused\\n' | \"$SYNSCOPE\" craft --check -")
        #expect(run.status == 1)
        #expect(run.output.contains("standard input:2: outcome is pending\n  2 | expect outcome refused"))
        #expect(run.output.contains("1 scenario, 0 as expected, 1 not"))
    }

    @Test("craft ends with 3 where a scenario has mistakes, and still checks the others")
    func craftMistake() throws {
        let run = try Run.shell(
            "printf '0 > X\\n' | \"$SYNSCOPE\" craft --check - '\(Place.capture("vlan.pkt"))' 2>&1")
        #expect(run.status == 3)
        #expect(run.output.contains("standard input:1:5:"))
        #expect(run.output.contains("1 scenario, 1 as expected, 0 not"))
    }

    @Test("craft without -w or --check says what to do")
    func craftNothing() throws {
        #expect(try Run(["craft", Place.capture("vlan.pkt")]).status == 2)
    }

    // MARK: Formats

    @Test("-T json is one document")
    func json() throws {
        let run = try Run(["-T", "json", Place.capture("incident.pcap")])
        let document = try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any]
        #expect((document?["attempts"] as? [Any])?.count == 10)
        #expect(document?["capture"] != nil && document?["summary"] != nil)
    }

    @Test("-T csv has as many fields in each row as in its header")
    func csv() throws {
        let rows = try Run(["-T", "csv", Place.capture("incident.pcap")]).output.split(separator: "\r\n")
        #expect(rows.count == 11)
        let fields = rows.map { $0.split(separator: ",", omittingEmptySubsequences: false).count }
        #expect(Set(fields).count == 1)
    }

    @Test("-q gives the summary only; with jsonl the capture and the summary")
    func quiet() throws {
        let text = try Run(["-q", Place.capture("incident.pcap")]).output
        #expect(text.hasPrefix("attempts"))
        let lines = try Run(["-q", "-T", "jsonl", Place.capture("incident.pcap")]).output.split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines[0].contains("\"type\":\"capture\"") && lines[1].contains("\"type\":\"summary\""))
    }

    @Test("Text has a line an attempt, in the order of their starts, findings beneath")
    func text() throws {
        let run = try Run(["--width", "200", Place.capture("incident.pcap")])
        let lines = run.output.split(separator: "\n")
        #expect(lines.first?.contains("outcome") == true)
        let finding = try #require(lines.firstIndex { $0.contains("syn-lost: frame 7") })
        #expect(lines[finding - 2].contains("192.0.2.30:51000"))
        #expect(!run.output.contains("\u{1b}"), "no colours where there is no terminal")
    }

    @Test("What the capture itself is stands before the attempts that it bounds, once")
    func captureFirst() throws {
        let folder = try TemporaryFolder()
        let made = folder.path("made.pcap")
        // Of each connection only what its client sent.
        let scenario = Array("0 > S 7\n+20ms > . 8:8(0) ack 100\n+1ms > P. 8:18(10) ack 100\n".utf8)
        #expect(try Run(["craft", "-", "-w", made], input: scenario).status == 0)
        let lines = try Run([made]).output.split(separator: "\n")
        #expect(lines.first?.hasPrefix("capture     one direction only") == true)
        #expect(lines.count { $0.hasPrefix("capture  ") } == 1)
        #expect(lines.count { $0.contains("established") } >= 1)
    }

    @Test("--sort start orders the others too")
    func sorted() throws {
        let lines = try Run(["-T", "csv", "--sort", "start", Place.capture("incident.pcap")]).output.split(
            separator: "\r\n")
        let ids = lines.dropFirst().compactMap { Int($0.prefix { $0 != "," }) }
        #expect(ids == ids.sorted())
    }

    @Test("Frame numbers are the file's, also under a filter, and -c counts what passes")
    func filter() throws {
        let capture = Place.capture("incident.pcap")
        let filtered = try Run(["-T", "csv", capture, "port", "8443"]).output
        #expect(filtered.contains("\r\n11,"))
        #expect(try Run(["-T", "csv", capture, "-f", "port 8443"]).output == filtered)
        let limited = try Run(["-q", "-T", "jsonl", "-c", "3", capture, "port 8443"]).output
        #expect(limited.contains("\"read\":3,"))
    }

    @Test("-Y shows the attempts of which its expression holds, in every format")
    func selection() throws {
        let capture = Place.capture("incident.pcap")
        let lines = try Run(["-T", "jsonl", capture, "-Y", "hs.outcome in {refused unanswered}"]).output.split(
            separator: "\n")
        #expect(lines.count { $0.contains("\"type\":\"attempt\"") } == 2)
        #expect(lines.last?.contains("\"total\":10") == true, "the summary is of all")
        let text = try Run([capture, "-Y", "hs.rtt.total > 20.35ms"])
        #expect(text.output.contains("1 of 10 attempts: hs.rtt.total > 20.35ms; of 2 it cannot be told"))
        #expect(
            try Run(["-T", "csv", capture, "-Y", "hs.failed"]).output.split(whereSeparator: \.isNewline).count == 3)
    }

    @Test("A mistake in -Y is wrong usage, before the capture is read")
    func selectionMistake() throws {
        let run = try Run(["/nowhere.pcap", "-Y", "hs.outcom == refused"])
        #expect(run.status == 2)
        #expect(run.errors.contains("-Y:1:1: there is no field 'hs.outcom': did you mean 'hs.outcome'?"))
        #expect(try Run(["-q", Place.capture("incident.pcap"), "-Y", "hs.failed"]).status == 2)
    }

    @Test("fields lists each field, and as JSON where it stands in a record")
    func fields() throws {
        let text = try Run(["fields"]).output
        #expect(text.contains("hs.rtt.total") && text.contains("(hard, admin, soft, pmtu)"))
        let lines = try Run(["fields", "-T", "json"]).output.split(separator: "\n")
        let names = try lines.map { line in
            try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])["name"] as? String
        }
        #expect(names.contains("tcp.dstport") && Set(names).count == lines.count)
    }

    @Test("A reader that closes standard output early makes no broken rule hold")
    func closedOutputOfCheck() throws {
        let capture = Place.capture("incident.pcap")
        let run = try Run.shell(
            "exec 3>&1; { \"$SYNSCOPE\" check '\(capture)' -e 'none(hs.failed)' -e 'tcp.dstport == 1'; echo $? >&3; } | true"
        )
        #expect(run.output == "1\n")
    }

    @Test("check overwrites nothing that it reads, and writes no file twice")
    func takenFiles() throws {
        let folder = try TemporaryFolder()
        let copy = folder.url.appending(path: "copy.pcap")
        let octets = try Data(contentsOf: URL(filePath: Place.capture("incident.pcap")))
        try octets.write(to: copy)
        for target in [["-w", copy.path], ["--report", "json=\(copy.path)"]] {
            let run = try Run(["check", copy.path, "-e", "none(hs.failed)"] + target)
            #expect(run.status == 2 && run.errors.contains("is read or written already"))
            #expect(try Data(contentsOf: copy) == octets)
        }
    }

    @Test("Where nothing breaks a rule, -w is a capture without frames")
    func nothingKept() throws {
        let folder = try TemporaryFolder()
        let kept = folder.url.appending(path: "kept.pcapng")
        #expect(try Run(["check", Place.capture("incident.pcap"), "-e", "count() == 10", "-w", kept.path]).status == 0)
        let again = try Run(["-q", kept.path])
        #expect(again.status == 0 && again.output.contains("attempts    0"))
    }

    @Test("check -w keeps the frames of offending attempts under their own numbers, also with a filter")
    func keptFrames() throws {
        let folder = try TemporaryFolder()
        let kept = folder.url.appending(path: "kept.pcapng")
        let run = try Run([
            "check", Place.capture("incident.pcap"), "-e", "none(hs.outcome == refused)", "-w", kept.path, "-f",
            "tcp port 8443",
        ])
        #expect(run.status == 1 && run.output.contains("frames 11 12 17 18 24 25"))
        let octets = try String(decoding: Data(contentsOf: kept), as: UTF8.self)
        #expect(octets.contains("frame 24 of ") && octets.contains("incident.pcap"))
        let again = try Run(["-T", "jsonl", kept.path]).output
        #expect(again.contains("\"outcome\":\"refused\"") && again.contains("\"total\":1"))
    }

    @Test("Standard input, and several files as one capture")
    func inputs() throws {
        let bytes = try Data(contentsOf: Place.captures.appending(path: "established.pcap"))
        let piped = try Run(["-T", "csv", "-"], input: Array(bytes))
        let named = try Run(["-T", "csv", Place.capture("established.pcap")])
        #expect(piped.output == named.output && piped.status == 0)
        let both = try Run([
            "-q", "-T", "jsonl", Place.capture("kernel-refused.pcap"), "-r", Place.capture("vlan.pcap"),
        ])
        #expect(
            both.output.contains("\"name\":\"vlan.pcap\"") && both.output.contains("\"name\":\"kernel-refused.pcap\""))
    }

    // MARK: draw and explain

    @Test("draw shows arrows, the sums, and the loss where the evidence puts it")
    func draw() throws {
        let run = try Run(["draw", Place.capture("syn-lost.pcap"), "--ascii", "--width", "100"])
        #expect(run.status == 0)
        #expect(run.output.contains("x+1 = 1000+1 = 1001; SYN-ACK acknowledges 1001 ok"))
        #expect(run.output.contains("y+1 = 5000+1 = 5001; the ACK acknowledges 5001 ok"))
        let lines = run.output.split(separator: "\n")
        let first = try #require(lines.firstIndex { $0.contains("SYN seq x (1000)") })
        #expect(lines[first + 1].contains("---X  "), "the first SYN's arrow ends before the server")
    }

    @Test("No line of a ladder is wider than asked for", arguments: [60, 61, 77, 120])
    func drawWidth(_ width: Int) throws {
        for name in CommandTests.names {
            let list = try Run(["-T", "csv", Place.capture(name)]).output.split(separator: "\r\n").dropFirst()
            for id in list.map({ $0.prefix { $0 != "," } }) {
                let run = try Run([
                    "draw", Place.capture(name), "--attempt", String(id), "--width", "\(width)", "--ascii",
                ])
                #expect(run.status == 0)
                for line in run.output.split(separator: "\n") { #expect(line.count <= width, "\(name): \(line)") }
            }
        }
    }

    @Test("draw asks which, where there are several, and says which there are")
    func drawWhich() throws {
        let several = try Run(["draw", Place.capture("incident.pcap")])
        #expect(several.status == 2 && several.errors.contains("--attempt"))
        let missing = try Run(["draw", Place.capture("incident.pcap"), "--attempt", "2"])
        #expect(missing.status == 2 && missing.errors.contains("no attempt has the id 2"))
    }

    @Test("explain lists all, explains one, and suggests what was meant")
    func explain() throws {
        let list = try Run(["explain"]).output
        #expect(list.contains("syn-lost") && list.contains("half-open"))
        let one = try Run(["explain", "synack-lost"])
        for heading in ["What it means", "Recognised by", "Standard", "Usual causes", "What to do"] {
            #expect(one.output.contains(heading))
        }
        let typo = try Run(["explain", "synack-lots"])
        #expect(typo.status == 2 && typo.errors.contains("synack-lost"))
    }

    // MARK: Exit status and errors

    @Test("A file that is cut reports what was read, then where it broke, exit 3")
    func cutFile() throws {
        let bytes = try Data(contentsOf: Place.captures.appending(path: "established.pcap"))
        let run = try Run(["-T", "jsonl", "-"], input: Array(bytes.dropLast(10)))
        #expect(run.status == 3)
        #expect(run.output.contains("\"type\":\"attempt\"") && run.output.contains("\"file_truncated\":true"))
        #expect(run.errors.contains("standard input at offset"))
    }

    @Test(
        "What cannot be read is 3, what was typed wrong is 2, and both say what to do",
        arguments: [
            (["/nowhere/x.pcap"], 3, "no such file"), (["/"], 3, "is a directory"), (["/dev/null"], 3, "is empty"),
            ([], 2, "Name a capture file"), (["--sideways", "x"], 2, "--sideways"), (["-T", "xml", "x"], 2, "xml"),
            (["-q", "-T", "csv", "x"], 2, "-q"), (["--width", "59", "x"], 2, "--width"),
            (["--max-attempts", "1", "x"], 2, "--max-attempts"), (["--max-memory", "10K", "x"], 2, "--max-memory"),
            (["--max-memory", "much", "x"], 2, "--max-memory"), (["-c", "-1", "x"], 2, "-c"),
            (["-j", "0", "x"], 2, "-j"), (["-j", "two", "x"], 2, "-j"),
        ] as [([String], Int32, String)])
    func failures(_ arguments: [String], _ status: Int32, _ words: String) throws {
        let run = try Run(arguments)
        #expect(run.status == status)
        #expect(run.errors.contains(words), "\(run.errors)")
    }

    @Test("A filter that does not compile is wrong usage, and names a mistyped file")
    func wrongFilter() throws {
        let run = try Run([Place.capture("vlan.pcap"), "vlan2.pcpa"])
        #expect(run.status == 2)
        #expect(run.errors.contains("vlan2.pcpa") && run.errors.contains("no such file"))
    }

    @Test("However many threads follow attempts, the output is the same", arguments: ["text", "jsonl", "json", "csv"])
    func jobs(_ format: String) throws {
        let captures = try FileManager.default.contentsOfDirectory(atPath: Place.captures.path)
            .filter { $0.hasSuffix(".pcap") }.sorted().map(Place.capture)
        let alone = try Run(["-T", format, "-j", "1"] + captures)
        #expect(alone.status == 0 && !alone.output.isEmpty)
        for jobs in ["2", "3", "7", "100"] {
            let several = try Run(["-T", format, "-j\(jobs)"] + captures)
            #expect(
                several.output == alone.output && several.errors == alone.errors && several.status == 0, "-j \(jobs)")
        }
        let usual = try Run(["-T", format] + captures)
        #expect(usual.output == alone.output)
    }

    @Test("A check comes to the same verdict, however many threads follow attempts")
    func jobsOfCheck() throws {
        let arguments = ["check", "-e", "all(hs.outcome == established)", Place.capture("incident.pcap")]
        let alone = try Run(arguments + ["-j", "1"])
        #expect(alone.status == 1 && !alone.output.isEmpty)
        #expect(try Run(arguments + ["-j", "4"]).output == alone.output)
    }

    @Test("A closed pipe is a normal end")
    func closedPipe() throws {
        let capture = Place.capture("incident.pcap")
        let run = try Run.shell(
            "{ for i in 1 2 3 4 5 6 7 8 9; do \"$SYNSCOPE\" -l -T jsonl -j $i '\(capture)' || echo failed >&2; done; } | head -n 1"
        )
        #expect(run.status == 0)
        #expect(run.errors.isEmpty, "\(run.errors)")
    }

    @Test("A full disk is told")
    func fullDisk() throws {
        let run = try Run.shell("\"$SYNSCOPE\" -T jsonl '\(Place.capture("incident.pcap"))' > /dev/full")
        #expect(run.status == 3)
        #expect(run.errors.contains("cannot write standard output"))
    }

    @Test("--version and --help are fine, and help has examples")
    func help() throws {
        let version = try Run(["--version"])
        #expect(version.status == 0 && version.output.hasPrefix("synscope 0."))
        let help = try Run(["--help"])
        #expect(help.status == 0 && help.output.contains("EXAMPLES") && help.output.contains("EXIT STATUS"))
    }

    @Test("Shell completions", arguments: ["bash", "zsh", "fish"])
    func completions(_ shell: String) throws {
        let run = try Run(["--generate-completion-script", shell])
        #expect(run.status == 0 && run.output.contains("synscope"))
    }
}
