import Foundation
import TestSupport
import Testing

@Suite("Standard descriptors that are closed")
struct ClosedDescriptorTests {
    @Test("A report whose standard output is closed is lost and told, and does not come into the file of -w")
    func output() throws {
        try withFolder { folder in
            let run = try Run.shell(
                """
                "$SYNSCOPE" check '\(Place.capture("incident.pcap"))' -e 'none(hs.outcome == refused)' --report json \
                -w \(folder)/kept.pcapng >&-; echo $? > \(folder)/status
                """)
            #expect(run.errors.contains("cannot write standard output: Bad file descriptor"), "\(run.errors)")
            let kept = try Data(contentsOf: URL(filePath: folder + "/kept.pcapng"))
            #expect(kept.starts(with: [0x0a, 0x0d, 0x0d, 0x0a]))
            #expect(!String(decoding: kept, as: UTF8.self).contains("\"rules\""))
            #expect(try Run(["-q", folder + "/kept.pcapng"]).status == 0)
        }
    }

    @Test("A complaint whose standard error is closed does not come into the file of -w")
    func errors() throws {
        try withFolder { folder in
            _ = try Run.shell(
                """
                head -c 200 '\(Place.capture("incident.pcap"))' > \(folder)/cut.pcap
                "$SYNSCOPE" check \(folder)/cut.pcap -e 'count() > 99' -w \(folder)/kept.pcapng --report json=\(folder)/r.json 2>&-
                """)
            let report = try Data(contentsOf: URL(filePath: folder + "/r.json"))
            #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: report) }
            #expect(try Run(["-q", folder + "/kept.pcapng"]).status == 0)
        }
    }

    @Test("A closed standard input cannot be read; where nothing is read from it, it does not matter")
    func input() throws {
        let capture = Place.capture("incident.pcap")
        #expect(try Run.shell("\"$SYNSCOPE\" -q - <&-").status == 3)
        #expect(try Run.shell("\"$SYNSCOPE\" -q '\(capture)' <&-").status == 0)
    }
}
