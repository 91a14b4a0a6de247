import Fixtures
import Foundation
import PacketWire
import TestSupport
import Testing

// Captures: what is read, and in which ways.
extension CommandTests {
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
        let run = try Run(["-q", "-T", "jsonl", "-"], input: bytes)
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
            ("$SYNSCOPE" --follow "$file" -T jsonl --summary $folder/summary > $folder/out
             echo status $? >> $folder/out) & pid=$!
            sleep 0.3; head -c 24 \(capture) > $file; sleep 0.3; tail -c +25 \(capture) >> $file
            for n in $(seq 100); do grep -q '"attempt"' $folder/out && break; sleep 0.1; done
            pkill -INT -P $pid; wait $pid; cat $folder/summary $folder/out; rm -r $folder
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
        let totals = Place.captures.appending(path: name).deletingPathExtension().appendingPathExtension("summary.json")
        #expect(
            try Run(["-q", "-T", "jsonl", Place.capture(name)]).output == String(contentsOf: totals, encoding: .utf8))
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
                """
                for q in '' -q; do "$SYNSCOPE" $q -T jsonl '\(Place.capture(name))'; done \
                  | \(python) '\(Place.project.path)/Scripts/proof/validate.py'
                """
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
}
