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

    // MARK: Scenarios

    @Test("craft writes pcapng where the name says so, and both formats read alike")
    func craftFormats() throws {
        let scenario = Place.capture("vlan.pkt")
        let run = try Run.shell(
            """
            d=$(mktemp -d); "$SYNSCOPE" craft '\(scenario)' -w $d/a.pcapng && "$SYNSCOPE" craft '\(scenario)' -w $d/a.pcap \
              && "$SYNSCOPE" -T csv --fields all $d/a.pcapng | sed 's/a.pcapng//' > $d/1 \
              && "$SYNSCOPE" -T csv --fields all $d/a.pcap | sed 's/a.pcap//' > $d/2 \
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

    @Test("-q gives the summary only; with jsonl as one line, with what the capture is")
    func quiet() throws {
        let text = try Run(["-q", Place.capture("incident.pcap")]).output
        #expect(text.hasPrefix("time "))
        #expect(text.split(separator: "\n").last == "attempts    10: 8 established, 1 refused, 1 unanswered")
        let lines = try Run(["-q", "-T", "jsonl", Place.capture("incident.pcap")]).output.split(separator: "\n")
        #expect(lines.count == 1)
        #expect(lines[0].contains("\"type\":\"summary\"") && lines[0].contains("\"name\":\"incident.pcap\""))
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

    @Test("group counts by server; the output is the same for every -j, and CSV and JSON Lines have the same groups")
    func groups() throws {
        let arguments = ["group", Place.capture("incident.pcap")]
        let text = try Run(arguments)
        #expect(text.status == 0 && text.output.contains("3 groups of 10 attempts"))
        for jobs in ["1", "2", "3"] { #expect(try Run(arguments + ["-j", jobs]).output == text.output) }
        let rows = try Run(arguments + ["-T", "csv"]).output.split(separator: "\r\n").dropFirst()
        let lines = try Run(arguments + ["-T", "jsonl"]).output.split(separator: "\n")
        #expect(rows.count == 3 && lines.count == 4)
        #expect(rows.first?.hasPrefix("198.51.100.1,25,1,false,0,1,1.0,") == true)
        #expect(
            lines.first?.hasPrefix("{\"type\":\"group\",\"key\":{\"ip.dst\":\"198.51.100.1\",\"tcp.dstport\":25}")
                == true)
        let mistake = try Run(arguments + ["--by", "ip.dts"])
        #expect(
            mistake.status == 2
                && mistake.errors.contains("--by:1:1: there is no field 'ip.dts': did you mean 'ip.dst'?"))
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
        #expect(lines.count == 2 && lines.allSatisfy { $0.contains("\"type\":\"attempt\"") })
        let folder = try TemporaryFolder()
        _ = try Run(["-T", "csv", capture, "-Y", "hs.failed", "--summary", folder.path("s.json")])
        let totals = try String(contentsOfFile: folder.path("s.json"), encoding: .utf8)
        #expect(totals.contains("\"total\":10"), "the summary is of all")
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
        let chosen = ["-q", Place.capture("incident.pcap"), "-Y", "hs.failed"]
        #expect(try Run(chosen + ["-T", "jsonl"]).status == 2)
        let summary = try Run(chosen)
        #expect(summary.status == 0)
        #expect(summary.output.hasSuffix("attempts    2 of 10 chosen: 1 refused, 1 unanswered\n"))
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
            "tcp port 8443", "--width", "200",
        ])
        #expect(run.status == 1 && run.output.contains("frames 11 12 17 18 24 25"))
        let octets = try String(decoding: Data(contentsOf: kept), as: UTF8.self)
        #expect(octets.contains("frame 24 of ") && octets.contains("incident.pcap"))
        let again = try Run(["-T", "jsonl", kept.path]).output
        #expect(again.contains("\"outcome\":\"refused\"") && again.split(separator: "\n").count == 1)
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
        let missing = try Run(["draw", Place.capture("incident.pcap"), "--attempt", "99"])
        #expect(missing.status == 2 && missing.errors.contains("no attempt has the id or the frame 99"))
    }

    @Test("draw finds an attempt by any of its frames")
    func drawByFrame() throws {
        let capture = Place.capture("incident.pcap")
        let first = try Run(["draw", capture, "--attempt", "7"])
        #expect(first.status == 0)
        #expect(try Run(["draw", capture, "--attempt", "19"]).output == first.output)
    }

    @Test("draw takes frames, an expression and a number of attempts")
    func drawChosen() throws {
        let capture = Place.capture("incident.pcap")
        func drawn(_ arguments: [String]) throws -> [Substring] {
            let run = try Run(["draw", capture] + arguments)
            #expect(run.status == 0, "\(run.errors)")
            return run.output.split(separator: "\n").filter { $0.hasPrefix("attempt ") }.map { $0.prefix(10) }
        }
        #expect(try drawn(["--frame", "24"]) == ["attempt 11"])
        #expect(try drawn(["-Y", "hs.failed"]) == ["attempt 11", "attempt 13"])
        #expect(try drawn(["-Y", "hs.failed", "--first", "1"]) == ["attempt 11"])
        #expect(try drawn(["--first", "2"]) == ["attempt 1 ", "attempt 4 "])
        let more = try Run(["draw", capture, "-Y", "hs.failed", "--first", "1"])
        #expect(more.errors.contains("1 more attempt chosen and not drawn"))
    }

    @Test(
        "draw says which attempts there are, if none is the one that was asked for",
        arguments: [
            (["--frame", "999"], "no attempt has the frame 999: there are the attempts 1, 4, 7"),
            (["-Y", "tcp.dstport == 1"], "-Y chooses no attempt: there are the attempts 1, 4, 7"),
            (["--attempt", "1", "-Y", "hs.failed"], "no attempt that -Y chooses has the id or the frame 1"),
        ])
    func drawNone(_ arguments: [String], _ message: String) throws {
        let run = try Run(["draw", Place.capture("incident.pcap")] + arguments)
        #expect(run.status == 2 && run.output.isEmpty && run.errors.contains(message), "\(run.errors)")
    }

    @Test("explain tells type and code of ICMP errors, and refuses others")
    func explainICMP() throws {
        let run = try Run(["explain", "3/13", "icmpv6 1/4", "vxlan"])
        #expect(run.status == 0)
        #expect(run.output.contains("icmp 3/13 (") && run.output.contains("failed_because is admin-prohibited"))
        #expect(!run.output.contains("icmpv6 3/13"), "ICMPv6 has no such code")
        #expect(run.output.contains("icmpv6 1/4 (") && run.output.contains("failed_because is port-unreachable"))
        #expect(run.output.contains("vxlan (encapsulation)"))
        for other in ["8/0", "3/99", "icmp 1/4", "3/", "/", "3/1/2"] {
            #expect(try Run(["explain", other]).status == 2, "\(other)")
        }
    }

    @Test("docs/records.md and docs/schema.json have the fields that the program has")
    func schemaInDocs() throws {
        let docs = try String(contentsOf: Place.project.appending(path: "docs/records.md"), encoding: .utf8)
        #expect(docs.contains(try Run(["schema", "--for", "markdown"]).output), "make golden writes it")
        let committed =
            try JSONSerialization.jsonObject(
                with: Data(contentsOf: Place.project.appending(path: "docs/schema.json"))) as? [String: Any]
        let now =
            try JSONSerialization.jsonObject(
                with: Data(try Run(["schema", "--for", "jsonschema"]).output.utf8)) as? [String: Any]
        let definitions = committed?["$defs"] as? [String: [String: Any]]
        let properties = definitions?["attempt"]?["properties"] as? NSDictionary
        #expect(properties == now?["properties"] as? NSDictionary && properties?.count ?? 0 > 30)
    }

    @Test(
        "--fields says which field there is not, and is of csv and jsonl",
        arguments: [
            (["-T", "csv", "--fields", "uid,outcom"], "--fields: there is no field 'outcom': did you mean 'outcome'?"),
            (["--fields", "uid"], "--fields chooses the fields of -T csv and -T jsonl"),
            (["-T", "csv", "--fields", ""], "--fields: there is no field ''"),
            (["-T", "ecs", "-q"], "-q leaves nothing of -T ecs"),
        ])
    func wrongFields(_ arguments: [String], _ message: String) throws {
        let run = try Run(arguments + [Place.capture("incident.pcap")])
        #expect(run.status == 2 && run.errors.contains(message), "\(run.errors)")
    }

    @Test("--summary overwrites no capture that is read")
    func summaryOfInput() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("a.pcap")
        try FileManager.default.copyItem(atPath: Place.capture("incident.pcap"), toPath: path)
        let run = try Run(["-T", "csv", path, "--summary", path])
        #expect(run.status == 2 && run.errors.contains("is read or written already"))
        #expect(FileManager.default.contentsEqual(atPath: path, andPath: Place.capture("incident.pcap")))
    }

    @Test("An option of another command is said to be that command's")
    func optionOfAnother() throws {
        let run = try Run([Place.capture("incident.pcap"), "--by", "ip.dst"])
        #expect(run.status == 2)
        #expect(run.errors.hasPrefix("Error: Unknown option '--by' here: synscope group, synscope watch have it\n"))
    }

    @Test("uid and Community ID choose attempts")
    func identities() throws {
        let capture = Place.capture("incident.pcap")
        let rows = try Run(["-T", "csv", "--fields", "uid,community_id,id", capture]).output.split(separator: "\r\n")
            .dropFirst()
        let cells = try #require(rows.first).split(separator: ",")
        for expression in ["hs.uid == \"\(cells[0])\"", "hs.community_id in {\"\(cells[1])\"}"] {
            #expect(
                try Run(["-T", "csv", "--fields", "id", capture, "-Y", expression]).output == "id\r\n\(cells[2])\r\n")
        }
        #expect(Set(rows.map { $0.prefix { $0 != "," } }).count == rows.count)
        let refused = try Run(["group", capture, "--by", "hs.uid"])
        #expect(refused.status == 2 && refused.errors.contains("hs.uid is a text: group by"))
    }

    @Test(
        "group --by says how to group by what it knows under another name",
        arguments: [
            ("minute", "time/1m"), ("server", "ip.dst,tcp.dstport"), ("reason", "hs.failed_because"),
            ("day", "time/24h"),
        ])
    func groupHints(_ name: String, _ hint: String) throws {
        let run = try Run(["group", Place.capture("incident.pcap"), "--by", name])
        #expect(run.status == 2 && run.errors.contains("there is no field '\(name)'") && run.errors.contains(hint))
        #expect(try Run(["group", Place.capture("incident.pcap"), "--by", hint]).status == 0)
    }

    @Test(
        "No line is wider than 80 columns, if these are asked for",
        arguments: [
            ["explain"],
            ["group", Place.capture("outage.pcap"), "--by", "ip.src,ip.dst,tcp.dstport,hs.failed_because"],
            ["check", Place.capture("outage.pcap"), "-e", "none(hs.failed) and all(hs.rtt.total < 1ms)"],
            ["diagnose", Place.capture("outage.pcap")], [Place.capture("incident.pcap")],
        ])
    func narrow(_ arguments: [String]) throws {
        let run = try Run(arguments + ["--width", "80"])
        #expect(!run.output.isEmpty)
        for line in run.output.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
    }

    @Test("Situations are of all attempts, whichever are chosen, and say so")
    func chosenSituations() throws {
        let text = try Run(["-q", "-Y", "hs.failed", Place.capture("outage.pcap")]).output
        #expect(text.contains("clients-blocked: 10.0.0.5:8443 does not answer 10.1.0.0/24"))
        #expect(text.contains("of all attempts, not of the chosen ones alone"))
        #expect(!(try Run(["-q", Place.capture("outage.pcap")]).output.contains("of all attempts")))
    }

    @Test("No row of the table is followed by an empty one, at any width", arguments: [60, 80, 99, 100, 101, 140])
    func rows(_ width: Int) throws {
        let lines = try Run(["--width", "\(width)", Place.capture("incident.pcap")]).output.split(
            separator: "\n", omittingEmptySubsequences: false)
        #expect(!lines.contains { !$0.isEmpty && $0.allSatisfy { $0 == " " } })
        #expect(lines.allSatisfy { $0.count <= width })
    }

    @Test("A pending attempt is said to be undecided when the capture ended")
    func pending() throws {
        let text = try Run(["--width", "140", Place.capture("pending.pcap")]).output
        #expect(text.contains("undecided when the capture ended"))
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
        let several = try Run(["explain", "lossy", "ambiguous", "no-answer", "rfc6298"])
        #expect(several.status == 0)
        for kind in ["confidence", "provenance of a round trip", "why it failed", "retransmission schedule"] {
            #expect(several.output.contains("(\(kind))"))
        }
    }

    @Test("A misspelt command is named, where what follows would be read as a file's options")
    func misspeltCommand() throws {
        let run = try Run(["wacth", "-i", "eth0"])
        #expect(run.status == 2 && run.errors.contains("did you mean 'synscope watch'?"))
        // A name of a file is none.
        #expect(try Run(["wacth.pcap"]).status == 3)
    }

    // MARK: Exit status and errors

    @Test("A file that is cut reports what was read, then where it broke, exit 3")
    func cutFile() throws {
        let bytes = try Data(contentsOf: Place.captures.appending(path: "established.pcap"))
        let run = try Run(["-T", "json", "-"], input: Array(bytes.dropLast(10)))
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
