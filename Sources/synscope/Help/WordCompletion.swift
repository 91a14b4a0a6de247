import HandshakeReport

/// Completions of a word that is being typed. The argument parser's own scripts complete no file where a
/// command can stand, and no option of the default command.
struct WordCompletion {
    let root: HelpData.Command
    /// The argument's own completions: of its command, its name, and the typed part of its value.
    let custom: (_ command: String, _ argument: String, _ value: String) -> [String]

    /// Words that can stand in the place of the last one.
    struct Reply: Equatable {
        struct Word: Equatable {
            var text: String
            var meaning = ""
        }

        /// Whole words.
        var words: [Word] = []
        /// Files too, with these suffixes where there are any.
        var files: [String]?
        /// Octets of the word before the name of the file: `junit=`.
        var filesBegin = 0
        var takesFolders = false
        /// Whether more follows without a space.
        var goesOn = false
    }

    /// - Parameter words: all up to the one that is being typed, without the program's name.
    func reply(to words: [String]) -> Reply {
        guard let last = words.last else { return Reply() }
        let commands = root.shownCommands
        let usual = commands.first { $0.commandName == root.defaultSubcommand } ?? root
        guard words.count > 1 else {
            var reply = reply(to: last, after: [], of: usual)
            if last.hasPrefix("-") {
                reply.words += flags(of: root, last, []).filter { !reply.words.contains($0) }
            } else {
                let names = commands.filter { $0.commandName.hasPrefix(last) }
                reply.words += names.map { .init(text: $0.commandName, meaning: $0.abstract ?? "") }
            }
            return reply
        }
        if words[0] == "help" {
            let names = commands.filter { $0.commandName.hasPrefix(last) && $0.commandName != "help" }
            return Reply(words: names.map { .init(text: $0.commandName, meaning: $0.abstract ?? "") })
        }
        let named = commands.first { $0.commandName == words[0] }
        return reply(to: last, after: Array(words.dropLast().dropFirst(named == nil ? 0 : 1)), of: named ?? usual)
    }

    private func reply(to word: String, after before: [String], of command: HelpData.Command) -> Reply {
        let arguments = command.shownArguments
        var given: Set<String> = []
        var awaiting: HelpData.Argument?
        var position = 0
        var takesOptions = true
        for word in before {
            if awaiting != nil {
                awaiting = nil
            } else if takesOptions, word == "--" {
                takesOptions = false
            } else if takesOptions, word.hasPrefix("-"), word != "-" {
                let name = String(word.prefix { $0 != "=" })
                given.insert(name)
                let argument = arguments.first { $0.has(name) }
                if argument?.kind == .option, !word.contains("=") { awaiting = argument }
            } else {
                position += 1
            }
        }
        if let awaiting { return values(of: awaiting, command, word, from: "") }
        if takesOptions, word.hasPrefix("--"), let equals = word.firstIndex(of: "=") {
            guard let argument = arguments.first(where: { $0.has(String(word[..<equals])) }) else { return Reply() }
            return values(of: argument, command, String(word[equals...].dropFirst()), from: String(word[...equals]))
        }
        if takesOptions, word.hasPrefix("-") { return Reply(words: flags(of: command, word, given)) }
        let positional = arguments.filter { $0.kind == .positional }
        guard let argument = position < positional.count ? positional[position] : positional.last,
            position < positional.count || argument.isRepeating
        else { return Reply() }
        return values(of: argument, command, word, from: "")
    }

    /// The names of options that begin with what was typed and can be given yet.
    private func flags(of command: HelpData.Command, _ word: String, _ given: Set<String>) -> [Reply.Word] {
        command.shownArguments.flatMap { argument -> [Reply.Word] in
            let names = (argument.names ?? []).map(\.text)
            if !argument.isRepeating, names.contains(where: given.contains) { return [] }
            return names.filter { $0.hasPrefix(word) }.map { .init(text: $0, meaning: argument.abstract ?? "") }
        }
    }

    /// - Parameter start: of the word, before the value: `--format=`.
    private func values(
        of argument: HelpData.Argument, _ command: HelpData.Command, _ value: String, from start: String
    ) -> Reply {
        let shape = argument.valueName ?? ""
        if shape.hasSuffix("[=file]"), let equals = value.firstIndex(of: "=") {
            return Reply(files: [], filesBegin: start.utf8.count + value[...equals].utf8.count)
        }
        switch argument.completionKind {
        case .file(let extensions)?: return Reply(files: extensions, filesBegin: start.utf8.count)
        case .directory?: return Reply(filesBegin: start.utf8.count, takesFolders: true)
        case .list(let values)?: return words(values.filter { $0.hasPrefix(value) }, start, shape)
        case .custom?:
            let name = argument.preferredName?.text ?? "positional@0"
            return words(custom(command.commandName, name, value), start, shape)
        case .shellCommand?, .customAsync?, .customDeprecated?, nil: return Reply()
        }
    }

    private func words(_ values: [String], _ start: String, _ shape: String) -> Reply {
        // What a list, or an expression, begins with is seldom all of it.
        let goesOn = shape == "expression" || shape.contains("...") || shape.contains("=")
        return Reply(words: values.map { .init(text: start + $0) }, goesOn: goesOn)
    }
}

extension HelpData.Argument {
    fileprivate func has(_ name: String) -> Bool { (names ?? []).contains { $0.text == name } }
}
