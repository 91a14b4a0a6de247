import HandshakeReport

/// A page for man(1), in the mdoc language, of what `--help` says of a command.
struct ManualPage {
    private let info: HelpData.Command
    private let text: HelpText
    /// The root command's name; nil for its own page.
    private let root: String?
    private var lines: [String] = []

    /// `synscope-check`
    let name: String

    /// - Parameters:
    ///   - usage: the synopsis, as the library takes it; nil to make it of the arguments.
    ///   - date: of the page, as `November 29, 2026`.
    init(_ info: HelpData.Command, _ text: HelpText, root: String?, usage: String? = nil, date: String) {
        (self.info, self.text, self.root) = (info, text, root)
        name = root.map { "\($0)-\(info.commandName)" } ?? info.commandName
        macro("Dd", date)
        macro("Dt", name.uppercased(), "1")
        macro("Os")
        macro("Sh", "NAME")
        macro("Nm", name)
        lines.append(".Nd " + ManualPage.summary(info.abstract ?? name))
        macro("Sh", "SYNOPSIS")
        if let usage { synopsis(usage) } else { synopsis() }
        macro("Sh", "DESCRIPTION")
        paragraphs(text.body)
        arguments()
        if root == nil { commands() }
        section("ENVIRONMENT", text.wholeEnvironment) { ["Ev", $0] }
        section("FILES", text.files) { ["Pa", $0] }
        section("EXIT STATUS", text.exitStatus) { [$0] }
        examples()
        seeAlso()
    }

    /// The page's source.
    var source: String { lines.joined(separator: "\n") + "\n" }

    // MARK: Sections

    /// - Parameter usage: a line for each way to call it, with `<value>` and `[<value>]`.
    private mutating func synopsis(_ usage: String) {
        for line in usage.split(separator: "\n") {
            macro("Nm", info.commandName)
            for word in line.split(separator: " ").dropFirst() {
                let name = String(word.filter { !"[]<>".contains($0) })
                macro(word.hasPrefix("[") ? ["Op", "Ar"] : ["Ar"], name)
            }
        }
    }

    private mutating func synopsis() {
        macro("Nm", [root, info.commandName].compactMap(\.self).joined(separator: " "))
        let shown = info.shownArguments
        let letters = shown.filter { $0.kind == .flag }.compactMap { $0.preferredName }.filter { $0.kind == .short }
        if !letters.isEmpty { macro(["Op", "Fl"], letters.map(\.name).joined()) }
        for argument in shown where argument.kind != .positional {
            guard let name = argument.preferredName, argument.kind == .option || name.kind != .short else { continue }
            var words = ["Op", "Fl", Self.quoted(String(name.text.dropFirst()))]
            if argument.kind == .option { words += ["Ar", Self.quoted(argument.valueName ?? "value")] }
            macro(words)
        }
        for argument in shown where argument.kind == .positional {
            macro(argument.isOptional ? ["Op", "Ar"] : ["Ar"], argument.placeholder)
        }
    }

    /// The arguments, under the titles that help has for them.
    private mutating func arguments() {
        var titles: [String] = []
        let shown = info.shownArguments
        func title(_ argument: HelpData.Argument) -> String {
            argument.sectionTitle ?? (argument.kind == .positional ? "Arguments" : "Options")
        }
        for argument in shown where !titles.contains(title(argument)) { titles.append(title(argument)) }
        for heading in titles {
            macro("Ss", heading)
            lines.append(".Bl -tag -width Ds")
            for argument in shown where title(argument) == heading { item(argument) }
            macro("El")
        }
    }

    private mutating func item(_ argument: HelpData.Argument) {
        var words = ["It"]
        for (position, name) in (argument.names ?? []).enumerated() {
            if position > 0 { words.append(",") }
            words += ["Fl", Self.quoted(String(name.text.dropFirst()))]
        }
        if argument.kind == .option { words += ["Ar", Self.quoted(argument.valueName ?? "value")] }
        if argument.kind == .positional { words += ["Ar", Self.quoted(argument.placeholder)] }
        macro(words)
        prose(argument.abstract ?? "")
        var more: [String] = []
        if let values = argument.allValues, !values.isEmpty { more.append("values: " + values.joined(separator: ", ")) }
        if let value = argument.defaultValue { more.append("default: \(value)") }
        if !more.isEmpty { prose("(\(more.joined(separator: "; ")))") }
    }

    private mutating func commands() {
        macro("Ss", "Commands")
        lines.append(".Bl -tag -width Ds")
        for command in info.shownCommands where command.commandName != "help" {
            macro("It", "Xr", "\(info.commandName)-\(command.commandName)", "1")
            prose(command.abstract ?? "")
        }
        macro("El")
    }

    private mutating func section(_ title: String, _ entries: [HelpText.Entry], _ subject: (String) -> [String]) {
        if entries.isEmpty { return }
        macro("Sh", title)
        lines.append(".Bl -tag -width Ds")
        for entry in entries {
            let words = subject(entry.subject)
            macro(["It"] + words.dropLast() + [Self.quoted(words.last ?? "")])
            prose(Self.capitalized(entry.meaning) + (entry.meaning.hasSuffix(".") ? "" : "."))
        }
        macro("El")
    }

    private mutating func examples() {
        if text.examples.isEmpty { return }
        macro("Sh", "EXAMPLES")
        for (position, example) in text.examples.enumerated() {
            if position > 0 { macro("Pp") }
            prose(Self.capitalized(example.meaning) + ":")
            literal([example.subject])
        }
    }

    private mutating func seeAlso() {
        var pages = text.seeAlso
        let family =
            [root ?? info.commandName]
            + (root == nil ? info.shownCommands.map { "\(info.commandName)-\($0.commandName)" } : [])
        pages += family.filter { $0 != name && !$0.hasSuffix("-help") }.map { "\($0)(1)" }
        macro("Sh", "SEE ALSO")
        // Pages are listed by section, then by name, as mandoc(1) asks.
        let parted = pages.map { page in
            let parts = page.split(separator: "(")
            return (section: String(parts[1].dropLast()), name: String(parts[0]))
        }.sorted { ($0.section, $0.name) < ($1.section, $1.name) }
        for (position, page) in parted.enumerated() {
            macro(["Xr", page.name, page.section] + (position < parted.count - 1 ? [","] : []))
        }
    }

    // MARK: The language

    private mutating func paragraphs(_ body: String) {
        for (position, paragraph) in body.split(separator: "\n\n").enumerated() {
            if paragraph.hasPrefix("  ") {
                literal(paragraph.split(separator: "\n").map { String($0.dropFirst(2)) })
            } else {
                if position > 0 { macro("Pp") }
                prose(String(paragraph))
            }
        }
    }

    private mutating func literal(_ text: [String]) {
        lines.append(".Bd -literal -offset indent")
        lines += text.map(Self.line)
        macro("Ed")
    }

    /// Text, each sentence on lines of its own.
    private mutating func prose(_ text: String) {
        var sentence: [Substring] = []
        let words = text.split(whereSeparator: \.isWhitespace)
        for (position, word) in words.enumerated() {
            sentence.append(word)
            let isEnd = word.last(where: { $0 != ")" }).map { ".!?".contains($0) } ?? false
            if position == words.count - 1 || isEnd {
                lines += sentence.joined(separator: " ").wrapped(72).map(Self.line)
                sentence = []
            }
        }
    }

    private mutating func macro(_ words: [String], _ argument: String...) {
        lines.append("." + (words + argument.map(Self.quoted)).joined(separator: " "))
    }

    /// - Parameter arguments: names and titles of ours, in which a hyphen stays one.
    private mutating func macro(_ name: String, _ arguments: String...) {
        lines.append("." + ([name] + arguments).joined(separator: " "))
    }

    /// An argument of a macro that is text, whatever it looks like.
    private static func quoted(_ text: String) -> String {
        let escaped = escaped(text)
        let isPlain = text.allSatisfy { $0.isLetter && $0.isLowercase || $0.isNumber || $0 == "-" }
        return isPlain ? escaped : "\"\(escaped.replacing("\"", with: "\\(dq"))\""
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\e").replacing("-", with: "\\-")
    }

    /// A line of text, which no macro can begin.
    private static func line(_ text: String) -> String {
        let isCommand = text.hasPrefix(".") || text.hasPrefix("'")
        return (isCommand ? "\\&" : "") + escaped(text)
    }

    /// An abstract as a line of names has it: without a stop, not capitalized.
    private static func summary(_ abstract: String) -> String {
        let text = abstract.hasSuffix(".") ? abstract.dropLast() : abstract[...]
        return escaped(text.prefix(1).lowercased() + text.dropFirst())
    }

    /// A sentence of its own.
    private static func capitalized(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() }
}

extension HelpData.Argument {
    /// A positional argument as the synopsis has it.
    fileprivate var placeholder: String {
        let name = valueName ?? "value"
        return isRepeating && !name.contains("...") ? name + " ..." : name
    }
}
