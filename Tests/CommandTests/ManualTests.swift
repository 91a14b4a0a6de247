import Foundation
import TestSupport
import Testing

@Suite("Manual pages and --help")
struct ManualTests {
    /// The commands, the root command first, which has no name.
    static let commands = [
        "", "analyze", "group", "check", "watch", "interfaces", "diagnose", "report", "compare", "draw", "annotate",
        "craft",
        "explain", "fields", "formats", "schema",
    ]

    static let hasLinter = (try? Run.shell("command -v mandoc"))?.status == 0

    private func pages() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        let run = try Run(["generate-manual", folder.url.path], environment: ["SOURCE_DATE_EPOCH": "1000000000"])
        #expect(run.status == 0, "\(run.errors)")
        return folder
    }

    private func page(_ command: String, in folder: TemporaryFolder) throws -> String {
        try String(contentsOfFile: folder.path(file(command)), encoding: .utf8)
    }

    private func file(_ command: String) -> String { command.isEmpty ? "synscope.1" : "synscope-\(command).1" }

    private func help(_ command: String) throws -> [Substring] {
        let run = try Run((command.isEmpty ? [] : [command]) + ["--help"], environment: ["COLUMNS": "80"])
        return run.output.split(separator: "\n", omittingEmptySubsequences: false)
    }

    @Test("There is a page for each command that help shows, and no other")
    func pageOfEach() throws {
        let folder = try pages()
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.url.path)
        #expect(names.sorted() == ManualTests.commands.map(file).sorted())
        let lines = try help("").drop { $0 != "SUBCOMMANDS:" }.dropFirst().prefix { !$0.isEmpty }
        let listed = lines.filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") }
            .compactMap { $0.split(separator: " ").first.map(String.init) }
        #expect(listed.sorted() == ManualTests.commands.dropFirst().sorted())
    }

    @Test("A page has the flags of --help, each, and no other", arguments: commands)
    func flags(_ command: String) throws {
        let page = try page(command, in: pages())
        let flag = /(?:^|, )(-[A-Za-z]|--[a-z-]+)/
        // The lists of arguments are all that begins with a flag after two spaces.
        let shown = try help(command).filter { $0.hasPrefix("  -") }.flatMap { line in
            line.dropFirst(2).split(separator: " <")[0].prefix(40).matches(of: flag).map { String($0.1) }
        }
        let described = page.split(separator: "\n").filter { $0.hasPrefix(".It Fl") }.flatMap { line in
            line.matches(of: /Fl "?([^" ]+)"?/).map { "-" + $0.1.replacing("\\-", with: "-") }
        }
        #expect(!shown.isEmpty)
        #expect(Set(shown) == Set(described) && shown.count == described.count, "\(shown) \(described)")
    }

    @Test("A page has the examples and exit statuses of --help", arguments: commands)
    func sections(_ command: String) throws {
        let lines = try help(command)
        let page = try page(command, in: pages()).replacing("\\-", with: "-").replacing("\\e", with: "\\")
        for line in lines.drop(while: { $0 != "EXAMPLES" }).dropFirst().prefix(while: { !$0.isEmpty })
        where !line.hasPrefix("   ") {
            let example = line.dropFirst(2).firstRange(of: "  ").map { line.dropFirst(2)[..<$0.lowerBound] }
            #expect(page.contains("\n\(example ?? line.dropFirst(2))\n"))
        }
        let statuses = lines.drop { $0 != "EXIT STATUS" }.dropFirst().prefix { !$0.isEmpty }
        #expect(statuses.count > 1)
        for line in statuses where !line.hasPrefix("   ") {
            #expect(page.contains("\n.It \(line.dropFirst(2).prefix(1))\n"))
        }
    }

    @Test(
        "mandoc's lint has nothing to say of a page",
        .enabled(if: hasLinter, "mandoc is not installed: apt-get install mandoc"), arguments: commands)
    func lint(_ command: String) throws {
        let folder = try pages()
        let run = try Run.shell("mandoc -T lint '\(folder.path(file(command)))'")
        // Which other pages are installed here is not the page's fault.
        let said = run.output.split(separator: "\n").filter { !$0.contains("referenced manual not found") }
        #expect(said.isEmpty, "\(said)")
    }

    @Test("A page has the date of SOURCE_DATE_EPOCH")
    func date() throws { #expect(try page("", in: pages()).hasPrefix(".Dd September 9, 2001\n")) }

    @Test("No line of --help is longer than 80 columns, and no example is broken", arguments: commands)
    func width(_ command: String) throws {
        for line in try help(command) {
            #expect(line.count <= 80)
            let quotes = line.count { $0 == "'" }
            if line.hasPrefix("  synscope ") { #expect(quotes.isMultiple(of: 2), "\(line)") }
        }
    }
}
