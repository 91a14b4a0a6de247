import Foundation
import TestSupport
import Testing

@Suite("synscope annotate")
struct AnnotateTests {
    private static let outage = Place.capture("outage.pcap")

    private func attempts(_ path: String) throws -> [[String: Any]] {
        try Run(["-T", "jsonl", path]).output.split(separator: "\n").map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
    }

    private func copy(_ words: [String] = []) throws -> (path: String, folder: TemporaryFolder) {
        let folder = try TemporaryFolder()
        let path = folder.path("copy.pcapng")
        let run = try Run(["annotate", Self.outage, "-w", path] + words)
        #expect(run.status == 0, "\(run.errors)")
        return (path, folder)
    }

    @Test("Each finding stands at its frames and at no other, each outcome at the first frame")
    func comments() throws {
        let (path, folder) = try copy()
        defer { withExtendedLifetime(folder) {} }
        var found = 0
        for attempt in try attempts(path) {
            let segments = try #require(attempt["segments"] as? [[String: Any]])
            let outcome = try #require(attempt["outcome"] as? String)
            #expect((segments[0]["comment"] as? String)?.contains("synscope: \(outcome)") == true)
            let findings = try #require(attempt["findings"] as? [[String: Any]])
            for segment in segments {
                let text = segment["comment"] as? String ?? ""
                let frame = try #require(segment["frame"] as? Int)
                for finding in findings {
                    let code = try #require(finding["code"] as? String)
                    let isThere = (finding["frames"] as? [Int])?.contains(frame) == true
                    #expect(text.contains("synscope: \(code) (") == isThere)
                    found += isThere ? 1 : 0
                }
            }
        }
        #expect(found > 10)
    }

    @Test("The copy gives the same verdicts")
    func verdicts() throws {
        let (path, folder) = try copy()
        defer { withExtendedLifetime(folder) {} }
        let outcomes = { try self.attempts($0).map { $0["outcome"] as? String } }
        #expect(try outcomes(path) == outcomes(Self.outage))
    }

    @Test("Only evidence: the frames of the attempts that failed")
    func evidence() throws {
        let (path, folder) = try copy(["--only-evidence"])
        defer { withExtendedLifetime(folder) {} }
        let kept = try attempts(path)
        #expect(kept.map { $0["outcome"] as? String } == [String?](repeating: "unanswered", count: 5))
        let all = try attempts(Self.outage).filter { $0["outcome"] as? String == "unanswered" }
        let counts = { (list: [[String: Any]]) in list.map { ($0["segments"] as? [Any])?.count } }
        #expect(counts(kept) == counts(all))
    }

    @Test("-w - is standard output, and what was done is told on standard error")
    func standardOutput() throws {
        let run = try Run(["annotate", Self.outage, "-w", "-"])
        #expect(run.status == 0)
        #expect(run.octets.prefix(4) == [0x0a, 0x0d, 0x0d, 0x0a])
        #expect(run.errors.contains("138 frames of 138"))
    }

    @Test(
        "Wrong usage says what is expected",
        arguments: [
            (["-", "-w", "x.pcapng"], 2, "it is read twice"), ([outage, outage, "-w", "x.pcapng"], 2, "mergecap"),
            ([outage, "-w", outage], 2, "name another file"), (["nowhere.pcap", "-w", "x.pcapng"], 3, "no such file"),
            ([outage, "-w", "/nowhere/x.pcapng"], 3, "cannot be written"), ([outage, "-c", "5", "-w", "x"], 2, "-c"),
        ] as [([String], Int32, String)])
    func usage(words: [String], status: Int32, message: String) throws {
        let run = try Run(["annotate"] + words)
        #expect(run.status == status)
        #expect(run.errors.contains(message), "\(run.errors)")
    }
}
