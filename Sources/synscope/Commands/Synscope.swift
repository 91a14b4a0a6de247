import ArgumentParser
import CLinux
import Glibc
import HandshakeExpectation
import HandshakeReport
import PacketCapture

/// The root command. Everything that it does is in its subcommands, which only join the libraries. Each of those says its name: to have it
/// found out from its type's took a fifth of the program's start.
struct Synscope: ParsableCommand {
    static let release = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "synscope",
        abstract: "Says what became of every TCP handshake in a capture.",
        usage: """
            synscope [<options>] <file> ... [<filter>]
            synscope <subcommand>
            """,
        discussion: """
            Reads packets, follows every TCP connection attempt and reports its outcome, whether x+1 and y+1 held, \
            which SYN was lost, duplicated or stale, the handshake's round trip and how sure that is, and the MSS.

            EXAMPLES
              synscope capture.pcap                    a table, findings, a summary
              synscope capture.pcap tcp port 443       a filter of pcap-filter(7) after the files
              synscope -q *.pcapng                     the summary of several files, read as one capture
              synscope -T jsonl capture.pcap | jq 'select(.outcome == "refused") | .server'
              tcpdump -i eth0 -w - | synscope -        from standard input
              synscope -Y 'hs.failed and ip.dst == 10.0.0.0/8' capture.pcap   some of the attempts
              synscope group capture.pcap --by ip.dst,tcp.dstport   which servers fail, since when, why
              synscope check capture.pcap -e 'all(hs.outcome == established)'   an assertion, for scripts and CI
              synscope watch -i eth0 tcp port 443      live, as handshakes are decided
              synscope draw capture.pcap --attempt 1   the ladder diagram of one attempt
              synscope craft handshake.pkt -w made.pcap   a capture from a scenario, packet by packet
              synscope explain half-open               what an outcome or finding means, and what to do

            EXIT STATUS
              0 fine; 1 an assertion does not hold (check), or a scenario is not what it expects (craft --check); 2 wrong \
            usage; 3 an input is unreadable or ends in the middle (what could be read is reported first); 4 capturing is not \
            permitted, or the interface is gone; 5 the command of check --while failed.
            """,
        version: "synscope \(release) (\(libpcapVersion()))",
        subcommands: [
            Analyze.self, Group.self, Check.self, Watch.self, Interfaces.self, Draw.self, Craft.self, Explain.self,
            Fields.self,
            Formats.self,
        ],
        defaultSubcommand: Analyze.self)
}

/// Why a command ends other than well.
enum ExitStatus: Int32 {
    /// What was to hold does not.
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
    /// Names a first word that is neither a file nor a command, but nearly one. Taken for a file, the words after it would be
    /// read wrongly.
    static func rejectMisspelling(_ word: String?) throws {
        guard let word, word.count > 3, !word.contains(where: { "-/.".contains($0) }) else { return }
        let isFile = unsafe access(word, F_OK) == 0
        let commands = configuration.subcommands.map { $0.configuration.commandName ?? "" } + ["help"]
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
            let line = "Error: " + Synscope.message(for: error)
            let rest = Synscope.fullMessage(for: error).utf8.dropFirst(line.utf8.count + 1)
            StandardError.write(line: line)
            StandardError.write(raw: String(decoding: rest, as: UTF8.self) + "\n")
            exit(status: ExitStatus.wrongUsage.rawValue)
        }
    }
}
