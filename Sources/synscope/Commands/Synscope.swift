import ArgumentParser
import CLinux
import Glibc
import HandshakeExpectation
import HandshakeReport
import PacketCapture

/// The root command. Everything that it does is in its subcommands, which only join the libraries. Each of those says
/// its name: to have it found out from its type's took a fifth of the program's start.
struct Synscope: DocumentedCommand {
    static let release = "0.1.0"

    /// The commands that help shows.
    static let commands: [any DocumentedCommand.Type] = [
        Analyze.self, Diagnose.self, Report.self, Compare.self, Group.self, Check.self, Watch.self, Interfaces.self,
        Draw.self,
        Annotate.self, Craft.self, Explain.self,
        Fields.self, Formats.self, Schema.self,
    ]

    static let helpText = HelpText(
        body: """
            Reads packets, follows every TCP connection attempt and reports its outcome, whether x+1 and y+1 held, \
            which SYN was lost, duplicated or stale, the handshake's round trip and how sure that is, and the MSS.

            A file without a command is analyzed: the options are those of synscope analyze.
            """,
        examples: [
            .init("synscope capture.pcap", "a table, findings, a summary"),
            .init("synscope capture.pcap tcp port 443", "a filter of pcap-filter(7) last"),
            .init("synscope -q *.pcapng", "the summary of files, as one capture"),
            .init("tcpdump -i eth0 -w - | synscope -", "from standard input"),
            .init("synscope -Y 'hs.failed' capture.pcap", "some of the attempts"),
            .init(
                "synscope -T jsonl capture.pcap | jq 'select(.outcome == \"refused\") | .server'",
                "a line of JSON for each attempt"),
            .init(
                "synscope group capture.pcap --by ip.dst,tcp.dstport", "which servers fail, since when and why"),
            .init(
                "synscope check capture.pcap -e 'all(hs.outcome == established)'",
                "an assertion, for scripts and continuous integration"),
            .init("synscope report capture.pcap -o report.html", "a page to hand on"),
            .init("synscope watch -i eth0 tcp port 443", "live, as handshakes are decided"),
            .init("synscope draw capture.pcap --attempt 1", "the ladder diagram of one attempt"),
            .init("synscope craft handshake.pkt -w made.pcap", "a capture from a scenario, packet by packet"),
            .init("synscope explain half-open", "what a word means, and what to do"),
        ],
        environment: HelpText.textEnvironment + [
            .init("SYNSCOPE_UNCONFINED", "The process does not confine itself if this is set. It is for debugging.")
        ],
        exitStatus: [
            .fine, .init("1", "an assertion does not hold (check), or a scenario is not what it expects (craft)"),
            .wrongUsage, .unreadable, .init("4", "capturing is not permitted, or the interface is gone"),
            .init("5", "the command of check --while failed, and everything holds"),
        ],
        seeAlso: ["pcap-filter(7)", "tcpdump(8)"])

    static let configuration = CommandConfiguration(
        commandName: "synscope",
        abstract: "Says what became of every TCP handshake in a capture.",
        usage: """
            synscope [<options>] <file> ... [<filter>]
            synscope <subcommand>
            """,
        discussion: helpText.discussion,
        version: "synscope \(release) (\(libpcapVersion()))",
        subcommands: commands.map { $0 as any ParsableCommand.Type } + [GenerateManual.self, CompleteWords.self],
        defaultSubcommand: Analyze.self)
}

/// Why a command ends other than well.
enum ExitStatus: Int32 {
    /// A rule does not hold.
    case failed = 1
    case wrongUsage = 2
    case unreadable = 3
    /// Capturing is not permitted, or the interface is gone.
    case notPermitted = 4
    /// The command of `check --while` failed, and every assertion held.
    case commandFailed = 5
}

/// A failure to tell the user about, with the status to exit with.
struct CommandFailure: Error {
    var status: ExitStatus
    /// Nil where everything was said.
    var message: String?
}

extension Synscope {
    /// Refuses a word that is not UTF-8. As text it would be another word, and another file by it.
    static func rejectOtherThanUTF8() throws {
        for (place, word) in CommandLine.arguments.enumerated().dropFirst()
        where word.unicodeScalars.contains("\u{fffd}") {
            guard let octets = unsafe CommandLine.unsafeArgv[place] else { continue }
            if unsafe String(validatingCString: octets) != nil { continue }
            throw CommandFailure(
                status: .wrongUsage,
                message: "'\(word)' is not UTF-8, and no file can be opened by it: rename the file, or read it by: "
                    + "synscope - < FILE")
        }
    }

    /// Names a first word that is neither a file nor a command, but nearly one. Taken for a file, the words after it
    /// would be read wrongly.
    static func rejectMisspelling(_ word: String?) throws {
        guard let word, word.count > 3, !word.contains(where: { "-/.".contains($0) }) else { return }
        let isFile = unsafe access(word, F_OK) == 0
        let commands = Synscope.commands.map { $0.configuration.commandName ?? "" } + ["help"]
        if isFile || commands.contains(word) { return }
        guard let near = NearestName.of(word, among: commands) else { return }
        throw CommandFailure(
            status: .wrongUsage,
            message: "'\(word.cleaned(for: .text))' is no command, and no file: did you mean 'synscope \(near)'?")
    }
}

@main
enum Main {
    static func main() {
        StandardDescriptors.open()
        clinux_ignore_sigpipe()
        do {
            if let script = CompletionScript.requested(CommandLine.arguments.dropFirst()) {
                var output = StandardOutput(isLineBuffered: false)
                output.buffer.line(script)
                return try output.flush()
            }
            try Synscope.rejectOtherThanUTF8()
            try Synscope.rejectMisspelling(CommandLine.arguments.dropFirst().first)
            var command = try Synscope.parseAsRoot()
            try command.run()
            Pager.finish()
        } catch let failure as CommandFailure {
            Pager.finish()
            if let message = failure.message { StandardError.write(message) }
            exit(status: failure.status.rawValue)
        } catch let ended as OutputEnded {
            // A closed pipe is a normal end: head(1) had enough.
            Pager.finish()
            if let message = ended.message { StandardError.write(message) }
            exit(status: ended.message == nil ? 0 : ExitStatus.unreadable.rawValue)
        } catch {
            let code = Synscope.exitCode(for: error)
            if code == .success { Synscope.exit(withError: error) }
            // The library's words hold the arguments that are wrong; its usage, on lines of its own, does not.
            var line = "Error: " + Synscope.message(for: error)
            let rest = Synscope.fullMessage(for: error).utf8.dropFirst(line.utf8.count + 1)
            if let owner = Synscope.owner(ofUnknown: line) { line = owner }
            StandardError.write(line: line)
            StandardError.write(raw: String(decoding: rest, as: UTF8.self) + "\n")
            exit(status: ExitStatus.wrongUsage.rawValue)
        }
    }
}

extension Synscope {
    /// The error of an option that another command has: the library names the option that is spelt most like it.
    fileprivate static func owner(ofUnknown line: String) -> String? {
        let start = "Error: Unknown option '"
        guard line.hasPrefix(start), let option = line.dropFirst(start.count).split(separator: "'").first,
            let commands = try? HelpData.read().shownCommands
        else { return nil }
        let owners = commands.filter { command in
            command.shownArguments.contains { ($0.names ?? []).contains { $0.text == option } }
        }
        guard !owners.isEmpty else { return nil }
        let names = owners.map { "synscope \($0.commandName)" }.joined(separator: ", ")
        return start + "\(option)' here: \(names) \(owners.count == 1 ? "has" : "have") it"
    }
}
