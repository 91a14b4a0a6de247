import Foundation
import TestSupport
import Testing

/// Names that others chose, on the command's standard output and error.
@Suite("Hostile names")
struct HostileNameTests {
    private static let name = "a\u{1b}[31m\n::error::x\u{202e}##[error]y\u{9b}z"

    /// Nothing is obeyed: no control characters, and no line that begins as a workflow command does.
    private func expectClean(_ run: Run, allows commands: [String] = [], _ source: SourceLocation = #_sourceLocation) {
        // CSV ends its lines with both.
        for text in [run.output.replacing("\r\n", with: "\n"), run.errors] {
            let forbidden = text.unicodeScalars.filter { scalar in
                switch scalar.value {
                case 0x0a: false
                case 0..<0x20, 0x7f...0x9f, 0x2028, 0x2029, 0x202a...0x202e, 0x2066...0x2069: true
                default: false
                }
            }
            #expect(forbidden.isEmpty, "\(text.debugDescription)", sourceLocation: source)
            let lines = text.split(separator: "\n").filter { line in !commands.contains { line.hasPrefix($0) } }
            #expect(
                lines.allSatisfy { !$0.drop { $0 == " " }.hasPrefix("::") && !$0.contains("##[") },
                "\(text)", sourceLocation: source)
        }
    }

    @Test(
        "What is shown back of a command line is clean",
        arguments: [
            [name], ["--\(name)"], ["-T", name, "x.pcap"], ["check", "x.pcap", "-e", name], ["-Y", name, "x.pcap"],
            ["check", "x.pcap", "-e", "count() > 0", "--report", name], ["explain", name], ["fields", name],
            ["check", "x.pcap", "--rules", name], ["check", "x.pcap", "--baseline", name], ["craft", "--check", name],
            ["watch", "-i", name], ["check", "x.pcap", "-e", "true", "--set", name], ["--link-type", name, "x.pcap"],
            ["check", "x.pcap", "--rules", "x", "--set", name], ["draw", name], ["-c", name, "x"], ["-j", name, "x"],
        ])
    func arguments(_ arguments: [String]) throws {
        let run = try Run(arguments)
        #expect(run.status != 0 && run.errors.utf8.count > 10)
        expectClean(run)
    }

    @Test("Wrong usage ends with the usage, after the library's words")
    func usage() throws {
        let run = try Run(["-T", "xml", "x.pcap"])
        #expect(run.status == 2 && run.errors.hasPrefix("Error: The value 'xml' is invalid for '-T <format>'. Please"))
        #expect(
            run.errors.contains("- html\nHelp:  -T <format>  ") && run.errors.contains("\nUsage: synscope analyze "))
    }

    @Test("A file by a hostile name is analysed, checked and kept, and every report is clean")
    func file() throws {
        let folder = try TemporaryFolder()
        let capture = folder.path("\(Self.name).pcap")
        try FileManager.default.copyItem(atPath: Place.capture("syn-lost.pcap"), toPath: capture)
        for format in ["text", "jsonl", "json", "csv"] {
            expectClean(try Run(["-T", format, "-Y", "hs.syn.count\n >= 0", capture]))
        }
        for format in ["text", "json", "junit", "tap", "github", "markdown"] {
            let run = try Run(
                ["check", capture, "-e", "count() ==\n 0", "-T", format], environment: ["GITHUB_STEP_SUMMARY": ""])
            #expect(run.status == 1)
            expectClean(run, allows: format == "github" ? ["::error title="] : [])
        }
        let kept = folder.path("kept.pcapng")
        _ = try Run(["check", capture, "-e", "count() == 0", "-w", kept])
        let octets = try Data(contentsOf: URL(filePath: kept))
        #expect(octets.range(of: Data("frame 1 of ".utf8)) != nil && octets.range(of: Data("\u{1b}[31m".utf8)) == nil)
        try Data("no capture".utf8).write(to: URL(filePath: capture))
        expectClean(try Run([capture]))
    }

    @Test("Rules' names and reasons, and a scenario's lines, are clean")
    func rules() throws {
        let folder = try TemporaryFolder()
        let rules = try folder.write(
            "\(Self.name).yml",
            #"""
            rules:
              - name: "x\e[31m\n::error::x\u202E##[error]y\x9Bz"
                reason: "\n##[error]y\e]0;z\a"
                tags: ["\e[1m"]
                expect: count() == 0
            """#)
        for format in ["text", "json", "junit", "tap", "github", "markdown"] {
            let run = try Run(["check", Place.capture("syn-lost.pcap"), "--rules", rules, "-T", format])
            #expect(run.status == 1)
            expectClean(run, allows: format == "github" ? ["::error title="] : [])
        }
        let wrong = try folder.write("wrong.yml", "rules:\n  - expect: \"count() ==\\n::error::x \\e[31m\"")
        expectClean(try Run(["check", Place.capture("syn-lost.pcap"), "--rules", wrong]))
        for text in ["0 > S\n::error::x \u{1b}[31m\n", "0 > S\nexpect outcome ::error::\u{9b}x\n", "0 > S\n"] {
            let scenario = try folder.write("\(Self.name).pkt", text)
            let run = try Run(["craft", "--check", scenario])
            #expect(run.status != 0)
            expectClean(run)
        }
    }

    @Test("A Greek name, and one of emoji, is shown as it is")
    func harmless() throws {
        for name in ["χειραψία 🤝👩‍💻.pcap", "مصافحة.pcap"] {
            #expect(try Run([name]).errors.contains("\(name): no such file"))
        }
    }

    @Test("The page sets text only as text")
    func page() throws {
        let page = Place.project.appending(path: "Sources/HandshakeService/Page/page.js")
        let script = try String(contentsOf: page, encoding: .utf8)
        #expect(script.contains(".textContent ="))
        for word in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(", "srcdoc"] {
            #expect(!script.contains(word))
        }
    }
}
