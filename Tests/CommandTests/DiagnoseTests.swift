import Foundation
import TestSupport
import Testing

@Suite("synscope diagnose")
struct DiagnoseTests {
    private let outage = Place.capture("outage.pcap")

    @Test("The worst comes first, with who, since when, how many, how sure, and what to do")
    func text() throws {
        let run = try Run(["diagnose", "--width", "100", outage])
        #expect(run.status == 0)
        let lines = run.output.split(separator: "\n")
        #expect(lines.first == "1  clients-blocked (error)")
        #expect(
            run.output.contains("10.0.0.5:8443 does not answer 10.1.0.0/24 (5 of 5 attempts; 0 of 9 from other"))
        #expect(run.output.contains("last well before:"))
        for title in [
            "when", "compare", "how sure", "or", "refuted by", "what to do", "attempts", "choose", "Wireshark",
        ] {
            #expect(
                lines.contains { $0.hasPrefix(title.padding(toLength: 12, withPad: " ", startingAt: 0)) }, "\(title)")
        }
        #expect(lines.last == "in all      44 attempts")
    }

    @Test("The expression and the attempts of a situation are those that it is about")
    func expression() throws {
        let situation = try situations(["diagnose", "-T", "jsonl", outage])[0]
        let expression = try #require(situation["expression"] as? String)
        let chosen = try Run(["-T", "jsonl", outage, "-Y", "\(expression) and hs.failed"])
        let ids = try chosen.output.split(separator: "\n").map(Self.object).compactMap { $0["id"] as? Int }
        #expect(ids.count == situation["affected"] as? Int)
        #expect(Set(try #require(situation["evidence"] as? [Int])).isSubset(of: ids))
    }

    @Test("Attempts that were saved come to the same as their capture")
    func saved() throws {
        let saved = try situations(["diagnose", "-T", "jsonl", "--saved", Place.capture("outage.jsonl")])
        let read = try situations(["diagnose", "-T", "jsonl", outage])
        #expect(saved.count == 1)
        #expect(saved as NSArray == read as NSArray)
    }

    @Test("What the capture of saved attempts was is not known, but with their summary")
    func savedQuality() throws {
        func quality(_ words: [String]) throws -> Any? {
            let saved = ["diagnose", "-T", "json", "--saved", Place.capture("syn-duplicated.jsonl")]
            return try Self.object(Substring(try Run(saved + words).output))["quality"]
        }
        let summary = ["--summary", Place.capture("syn-duplicated.summary.json")]
        #expect(try quality([]) is NSNull)
        #expect(try quality(summary) as? [String] == ["doubled", "two-places"])
        let text = try Run(["diagnose", "--saved", Place.capture("syn-duplicated.jsonl")]).output
        #expect(text.hasPrefix("capture     not known what it was: --summary FILE says it\n"))
    }

    @Test("Against an earlier diagnosis, what is new, as before and gone is said")
    func against() throws {
        let folder = try TemporaryFolder()
        let (before, none) = (folder.path("before.json"), folder.path("none.json"))
        try Run(["diagnose", "-T", "json", outage]).output.write(toFile: before, atomically: true, encoding: .utf8)
        try Run(["diagnose", "-T", "json", Place.capture("established.pcap")]).output
            .write(toFile: none, atomically: true, encoding: .utf8)
        #expect(
            try situations(["diagnose", "-T", "jsonl", outage, "--against", before])[0]["change"] as? String == "same")
        #expect(
            try situations(["diagnose", "-T", "jsonl", outage, "--against", none])[0]["change"] as? String == "new")
        let gone = try Run(["diagnose", Place.capture("established.pcap"), "--against", before])
        #expect(gone.output.contains("gone        clients-blocked: 10.0.0.5:8443 does not answer"))
    }

    @Test("The summary of a file ends with its situations, before the totals")
    func summary() throws {
        let lines = try Run(["--width", "200", outage]).output.split(separator: "\n")
        let place = try #require(lines.firstIndex { $0.hasPrefix("situation   clients-blocked: 10.0.0.5:8443") })
        #expect(lines[place + 1].contains("synscope diagnose FILE"))
        #expect(lines.last?.hasPrefix("attempts    44:") == true)
    }

    @Test("With -v the ladder of each attempt that is evidence is drawn, and no other")
    func ladders() throws {
        let run = try Run(["diagnose", "-v", outage])
        #expect(run.output.split(separator: "\n").count { $0.hasPrefix("attempt ") } == 3)
    }

    @Test("Where nothing stands out that is said, with the failures that stand alone")
    func nothing() throws {
        #expect(
            try Run(["diagnose", Place.capture("established.pcap")]).output
                == "in all      1 attempt; nothing stands out\n")
        let alone = try Run(["diagnose", Place.capture("incident.pcap"), "--width", "200"])
        #expect(alone.output.contains("2 failures too few or too unlike to have one cause"))
    }

    @Test(
        "Wrong usage and wrong files are told",
        arguments: [
            (["--saved", "x.jsonl", "y.pcap"], 2, "--saved takes the place of a capture"),
            (["--saved", "x.jsonl", "-Y", "hs.failed"], 2, "--saved has no records"),
            ([], 2, "Name a capture file"), (["--top", "0", "x.pcap"], 2, "--top 0"),
            (["--saved", "/no/such.jsonl"], 3, "/no/such.jsonl"),
            (["--saved", Place.capture("outage.jsonl"), "--summary", "/no/such.json"], 3, "/no/such.json"),
            (
                ["--saved", Place.capture("outage.jsonl"), "--summary", Place.capture("outage.jsonl")], 3,
                "no summary that --summary wrote"
            ),
            (["--summary", "s.json", "y.pcap"], 2, "--summary goes with --saved"),
        ])
    func errors(_ arguments: [String], _ status: Int, _ words: String) throws {
        let run = try Run(["diagnose"] + arguments)
        #expect(run.status == status)
        #expect(run.errors.contains(words), "\(run.errors)")
    }

    @Test("A line that is no attempt of -T jsonl is told with its number")
    func badLines() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("bad.jsonl")
        for (text, words) in [
            ("{\"type\":\"capture\"}\nnonsense\n", "bad.jsonl:2: this is no line of synscope -T jsonl"),
            ("{\"type\":\"attempt\",\"id\":1}\n", "bad.jsonl:1: the attempt lacks"),
            ("{\"type\":\"capture\"}\n", "bad.jsonl: there is no attempt in it"),
        ] {
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            let run = try Run(["diagnose", "--saved", path])
            #expect(run.status == 3)
            #expect(run.errors.contains(words), "\(run.errors)")
        }
    }

    private static func object(_ line: Substring) throws -> [String: Any] {
        try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }

    private func situations(_ arguments: [String]) throws -> [[String: Any]] {
        try Run(arguments).output.split(separator: "\n").map(Self.object)
    }
}
