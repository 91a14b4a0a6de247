import Foundation
import TestSupport
import Testing

/// Text that the command reads from files that others may have written. What hangs it fails by the suite's limit.
@Suite("Hostile text files", .timeLimit(.minutes(10)))
struct HostileTextFileTests {
    private static let capture = Place.capture("syn-lost.pcap")

    private static func check(_ rules: String) throws -> Run { try Run(["check", capture, "--rules", rules]) }

    @Test("A file that includes itself by eight spellings and a link is told at once")
    func spellings() throws {
        let folder = try TemporaryFolder()
        let names = (0..<8).map { String(repeating: "./", count: $0) + "a.yml" }
        let rules = try folder.write(
            "a.yml", "include: [\(names.reversed().joined(separator: ", "))]\nrules: [{expect: count() > 0}]\n")
        let run = try Self.check(rules)
        #expect(run.status == 2 && run.errors.contains("a.yml: it includes itself"))
        try FileManager.default.linkItem(atPath: rules, toPath: folder.path("b.yml"))
        #expect(try Self.check(folder.path("b.yml")).errors.contains("it includes itself"))
    }

    @Test("A file that two include by other names comes once")
    func diamond() throws {
        let folder = try TemporaryFolder()
        let common = try folder.write("c.yml", "rules: [{expect: count() > 0}]")
        try FileManager.default.createSymbolicLink(atPath: folder.path("link.yml"), withDestinationPath: common)
        let rules = try folder.write("a.yml", "include: [c.yml, ./c.yml, link.yml, \(common)]")
        let run = try Self.check(rules)
        #expect(run.status == 0 && run.output.contains("1 rule: 1 held"), "\(run.errors)")
    }

    @Test("Of an included file that is no rules file only name and line are told")
    func secret() throws {
        let folder = try TemporaryFolder()
        let secret = try folder.write("shadow", "root:$6$hunter2:19000:0:99999:7:::\ndaemon: hunter2\n")
        let run = try Self.check(try folder.write("a.yml", "include: \(secret)"))
        #expect(run.status == 2 && run.errors.contains("shadow:") && !run.errors.contains("hunter2"), "\(run.errors)")
    }

    @Test("Pipes and devices are not waited for where a file is read whole")
    func specialFiles() throws {
        let folder = try TemporaryFolder()
        let fifo = folder.path("fifo")
        #expect(mkfifo(fifo, 0o600) == 0)
        let including = try folder.write("a.yml", "include: fifo")
        for path in [fifo, "/dev/zero", folder.url.path] {
            for arguments in [
                ["check", Self.capture, "--rules", path], ["check", Self.capture, "--baseline", path],
                ["craft", "--check", path],
            ] {
                let run = try Run(arguments)
                #expect(run.status == 3 && run.errors.contains("\(path): is no regular file"), "\(run.errors)")
            }
        }
        let run = try Self.check(including)
        #expect(run.status == 3 && run.errors.contains("fifo: is no regular file"))
    }

    @Test("Standard input without an end is read up to a bound")
    func endlessInput() throws {
        for (arguments, words) in [
            ("check \(Self.capture) --rules -", "standard input: is larger than 4194304 octets"),
            ("check \(Self.capture) --baseline -", "standard input:1: the line is longer than 16777216 octets"),
            ("craft --check -", "standard input: is larger than 4194304 octets"),
        ] {
            let run = try Run.shell("$SYNSCOPE \(arguments) < /dev/zero")
            #expect(run.status == 3 && run.errors.contains(words), "\(run.errors)")
        }
    }

    @Test("Rules and baselines from standard input are taken")
    func standardInput() throws {
        let rules = try Run(
            ["check", Self.capture, "--rules", "-"], input: Array("rules: [{expect: count() > 0}]".utf8))
        #expect(rules.status == 0)
        let old = try Run(["-T", "jsonl", Self.capture]).output
        #expect(try Run(["check", Self.capture, "--baseline", "-"], input: Array(old.utf8)).status == 0)
    }

    @Test("A scenario of few words that makes gigabytes of frames is refused")
    func scenarioBomb() throws {
        let folder = try TemporaryFolder()
        let lines = "0 > S\n" + String(repeating: "+1us > . (65000)\n", count: 5000)
        let run = try Run(["craft", try folder.write("bomb.pkt", lines), "-w", folder.path("bomb.pcap")])
        #expect(run.status == 3 && run.errors.contains("the frames have more than 268435456 octets together"))
    }
}
