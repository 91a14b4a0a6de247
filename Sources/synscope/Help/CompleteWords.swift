import ArgumentParser
import HandshakeReport

/// Says what can stand in the place of a word that is being typed. The shells' scripts ask it; help does not show it.
struct CompleteWords: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "complete-words",
        abstract: "Say what a shell can offer for the last word.",
        discussion: """
            Lines that begin with a colon are for the script: files or folders complete too, no space follows. Others are \
            a word each, and what it means after a tab.
            """,
        shouldDisplay: false)

    enum Shell: String, ExpressibleByArgument, CaseIterable { case bash, zsh, fish }

    @Argument(help: "bash, zsh or fish.")
    var shell: Shell

    @Argument(
        parsing: .captureForPassthrough,
        help: "The words after the program's name; bash: the line up to the cursor, and the part that is replaced.")
    var arguments: [String] = []

    func run() throws {
        let words: [String]
        var replaced: String?
        if shell == .bash {
            // Bash takes words apart at = and : too.
            words = Array(ShellWords(arguments.first ?? "").words.dropFirst())
            replaced = arguments.count > 1 ? arguments[1] : nil
        } else {
            words = arguments.map { shell == .fish ? ShellWords.unquoted($0) : $0 }
        }
        let root = try HelpData.read()
        let reply = WordCompletion(root: root, custom: CompleteWords.custom).reply(to: words)
        var output = StandardOutput(isLineBuffered: false)
        if reply.goesOn { output.buffer.line(":nospace") }
        // The text before the name of a file; bash replaces the part after = anyway.
        let start =
            shell == .bash ? "" : String(decoding: (words.last ?? "").utf8.prefix(reply.filesBegin), as: UTF8.self)
        if reply.takesFolders { output.buffer.line(":folders\t\(start)") }
        if let suffixes = reply.files {
            output.buffer.line(":files\t\(start)\t\(suffixes.joined(separator: "|"))")
        }
        let word = words.last ?? ""
        let kept = replaced.map { word.hasSuffix($0) ? word.count - $0.count : 0 } ?? 0
        for candidate in reply.words {
            let text = String(candidate.text.dropFirst(kept))
            output.buffer.line(candidate.meaning.isEmpty || shell == .bash ? text : "\(text)\t\(candidate.meaning)")
        }
        try output.flush()
    }

    /// Asks the argument parser for what an argument's own function offers.
    private static func custom(_ command: String, _ argument: String, _ value: String) -> [String] {
        let path = command == Synscope.configuration.commandName ? [] : [command]
        do {
            _ = try Synscope.parseAsRoot(["---completion"] + path + ["--", argument, "0", "\(value.count)", value])
            return []
        } catch {
            // It answers by an error, whose message is a line for each.
            guard Synscope.exitCode(for: error) == .success else { return [] }
            return Synscope.fullMessage(for: error).split(separator: "\n").map(String.init)
        }
    }
}

/// A command line, taken apart as shells do.
struct ShellWords {
    /// Without quotes and backslashes. The last one is being typed, and empty after a space.
    private(set) var words: [String] = [""]

    init(_ line: String) {
        var quote: Character?
        var isEscaped = false
        var isBegun = false
        for character in line {
            switch (character, quote) {
            case _ where isEscaped:
                words[words.count - 1].append(character)
                isEscaped = false
            case ("\\", nil), ("\\", "\""): isEscaped = true
            case (let mark, let open?) where mark == open: quote = nil
            case ("'", nil), ("\"", nil):
                quote = character
                isBegun = true
            case (" ", nil), ("\t", nil):
                if isBegun { words.append("") }
                isBegun = false
                continue
            default: words[words.count - 1].append(character)
            }
            isBegun = true
        }
    }

    /// One word, in which spaces are the word's own where a quote is open.
    static func unquoted(_ word: String) -> String {
        word.contains { "'\"\\".contains($0) } ? ShellWords(word).words.joined(separator: " ") : word
    }
}
