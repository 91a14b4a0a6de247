import Foundation
import TestSupport
import Testing

@Suite("Shell completion")
struct CompletionTests {
    /// Typed text, and the text that TAB adds behind it.
    struct Case: CustomTestStringConvertible, Sendable {
        var typed: String
        var added: String
        var testDescription: String { typed }

        /// What then stands there, without quotes, backslashes and the space at the end.
        var result: String { Case.plain(typed + added) }

        static func plain(_ line: String) -> String {
            var line = line.filter { !"'\"\\".contains($0) }
            while line.last == " " { line.removeLast() }
            return line
        }
    }

    static let cases = [
        Case(typed: "synscope che", added: "ck"),
        Case(typed: "synscope help dra", added: "w"),
        Case(typed: "synscope capt", added: "ure.pcap"),
        Case(typed: "synscope two", added: " words.pcap"),
        Case(typed: "synscope -q -r capt", added: "ure.pcap"),
        Case(typed: "synscope -T cs", added: "v"),
        Case(typed: "synscope --format=cs", added: "v"),
        Case(typed: "synscope group --so", added: "rt"),
        Case(typed: "synscope --link-type EN10", added: "MB"),
        Case(typed: "synscope --tunnels=gre,vx", added: "lan"),
        Case(typed: "synscope watch -i an", added: "y"),
        Case(typed: "synscope watch -Z nobo", added: "dy"),
        Case(typed: "synscope watch -w ev", added: "idence.pcapng"),
        Case(typed: "synscope capture.pcap -Y tcp.dstp", added: "ort"),
        Case(typed: "synscope capture.pcap -Y 'hs.failed and tcp.dstp", added: "ort"),
        Case(typed: "synscope check capture.pcap -e 'percen", added: "tile("),
        Case(typed: "synscope check capture.pcap -e \"all(hs.outcome == refu", added: "sed"),
        Case(typed: "synscope check --rules ru", added: "les.yml"),
        Case(typed: "synscope check -T ju", added: "nit"),
        Case(typed: "synscope check -T junit=ot", added: "her.txt"),
        Case(typed: "synscope check --report=junit=ot", added: "her.txt"),
        Case(typed: "synscope group capture.pcap --by ip.src,tcp.dstp", added: "ort"),
        Case(typed: "synscope explain synack-lo", added: "st"),
        Case(typed: "synscope craft h", added: "s.pkt"),
    ]

    static func has(_ shell: String) -> Bool {
        (try? Run.shell("command -v \(shell) && command -v script"))?.status == 0
    }

    /// A folder with files to complete, the program, and the shell's script of it.
    private func folder(_ shell: String) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        for name in [
            "capture.pcap", "two words.pcap", "rules.yml", "rules.txt", "hs.pkt", "hs.txt", "evidence.pcapng",
            "evidence.txt",
            "other.txt",
        ] {
            _ = try folder.write(name, [])
        }
        let binaries = folder.url.appending(path: "bin")
        try FileManager.default.createDirectory(at: binaries, withIntermediateDirectories: false)
        try FileManager.default.createSymbolicLink(
            at: binaries.appending(path: "synscope"), withDestinationURL: Place.synscope)
        let script = try Run(["--generate-completion-script", shell])
        #expect(script.status == 0)
        _ = try folder.write("_synscope", script.octets)
        return folder
    }

    /// Types each case, a TAB behind it, and a key that notes the line and empties it.
    private func lines(_ shell: String, in folder: TemporaryFolder) throws -> [String] {
        let keys = CompletionTests.cases.map { $0.typed + "\t\u{7}" }.joined() + "exit\n"
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        let run = try Run(
            ["-c", "cd '\(folder.url.path)' && timeout 120 script -qec '\(shell)' /dev/null"],
            executable: URL(filePath: "/bin/sh"), input: Array(keys.utf8),
            environment: ["PATH": "\(folder.path("bin")):\(path)", "ZDOTDIR": folder.url.path, "TERM": "xterm"])
        #expect(run.status == 0)
        let noted = try String(contentsOfFile: folder.path("noted"), encoding: .utf8)
        return noted.split(separator: "\n").map(String.init)
    }

    private func compare(_ lines: [String]) {
        #expect(lines.count == CompletionTests.cases.count)
        for (line, example) in zip(lines, CompletionTests.cases) { #expect(Case.plain(line) == example.result) }
    }

    @Test("bash, on a terminal", .enabled(if: has("bash"), "bash or script is not installed"))
    func bash() throws {
        let folder = try folder("bash")
        _ = try folder.write(
            "start",
            Array(
                #"""
                source ./_synscope
                note() { printf '%s\n' "$READLINE_LINE" >> noted; READLINE_LINE= READLINE_POINT=0; }
                bind -x '"\C-g": note'
                bind 'set bell-style none'
                """#.utf8))
        compare(try lines("bash --noprofile --rcfile start -i", in: folder))
    }

    @Test("zsh, on a terminal", .enabled(if: has("zsh"), "zsh is not installed: apt-get install zsh"))
    func zsh() throws {
        let folder = try folder("zsh")
        _ = try folder.write(
            ".zshrc",
            Array(
                #"""
                fpath=($PWD $fpath)
                autoload -U compinit; compinit -u -d $PWD/dump
                note() { print -r -- "$BUFFER" >> noted; BUFFER= }
                zle -N note; bindkey '^G' note; bindkey '^I' complete-word
                setopt no_beep
                """#.utf8))
        compare(try lines("zsh -d -i", in: folder))
    }

    @Test("fish", .enabled(if: has("fish"), "fish is not installed: apt-get install fish"), arguments: cases)
    func fish(_ example: Case) throws {
        let folder = try folder("fish")
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        let run = try Run(
            [
                "-c", "cd '\(folder.url.path)' && fish --no-config -c 'source _synscope; complete -C $argv[1]' \"$0\"",
                example.typed,
            ], executable: URL(filePath: "/bin/sh"),
            environment: ["PATH": "\(folder.path("bin")):\(path)", "HOME": folder.url.path])
        let offered = run.output.split(separator: "\n").map { $0.prefix { $0 != "\t" } }
        #expect(offered.count == 1)
        let word = try #require(offered.first)
        #expect(example.result.hasSuffix(Case.plain(String(word))))
        #expect(Case.plain(String(word)).hasSuffix(example.added))
    }

    private func offers(_ words: String...) throws -> [String] {
        try Run(["complete-words", "zsh"] + words).output.split(separator: "\n").map {
            String($0.split(separator: "\t", omittingEmptySubsequences: false)[0])
        }
    }

    @Test("-T offers formats, and no command")
    func formats() throws {
        #expect(try offers("-T", "") == ["text", "json", "jsonl", "csv", "ecs", "ocsf", "html"])
        #expect(try offers("group", "x.pcap", "-T", "") == ["text", "csv", "jsonl"])
    }

    @Test("The first word is a file, or a command")
    func firstWord() throws {
        let first = try offers("")
        #expect(first.contains(":files") && first.contains("check") && first.contains("help"))
        #expect(!first.contains("generate-manual") && !first.contains("complete-words"))
    }

    @Test("The word after a file is no command")
    func secondWord() throws { #expect(try offers("x.pcap", "c") == [":files"]) }

    @Test("An option that was given is offered again only where it may be repeated")
    func givenOptions() throws {
        #expect(try offers("x.pcap", "--filter", "tcp", "--fil").isEmpty)
        #expect(try offers("check", "--rules", "a.yml", "--ru") == ["--rules"])
        #expect(try offers("--quiet", "-").contains("-q") == false)
    }

    @Test("Options of the default command are offered without it, beside the root command's")
    func defaultCommand() throws {
        let flags = try offers("--")
        #expect(flags.contains("--follow") && flags.contains("--version") && flags.contains("--help"))
        #expect(Set(flags).count == flags.count)
    }

    @Test("After -- a word is a file, whatever it begins with")
    func terminator() throws { #expect(try offers("--", "-") == [":files"]) }

    @Test("An unknown shell is told by name")
    func unknownShell() throws {
        let run = try Run(["--generate-completion-script", "tcsh"])
        #expect(run.status == 2 && run.errors.contains("tcsh"))
    }
}
