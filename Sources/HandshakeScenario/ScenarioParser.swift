import PacketWire

extension Scenario {
    /// Reads a scenario.
    /// - Parameters:
    ///   - text: the language of docs/scenarios.md.
    ///   - name: what diagnostics call it, usually the path.
    /// - Throws: what is wrong, a diagnostic a line, with the first `maximumDiagnostics` lines.
    package init(text: String, name: String) throws(ScenarioErrors) {
        var parser = ScenarioParser(name: name)
        // Scalars, since a carriage return and a line feed are one character.
        let lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let line = line.last == "\r" ? line.dropLast() : line
            parser.read(SourceLine(number: index + 1, text: String(line)))
            // Each says what there is instead: of many wrong lines that takes long.
            if parser.diagnostics.count == Scenario.maximumDiagnostics { break }
        }
        if !parser.diagnostics.isEmpty { throw ScenarioErrors(diagnostics: parser.diagnostics) }
        self = parser.scenario
    }
}

/// A word of a line and where it starts.
struct Token {
    var text: Substring
    /// From 1.
    var column: Int
}

/// Reads line after line; a wrong line is told of and left out.
struct ScenarioParser {
    var scenario: Scenario
    private(set) var diagnostics: [Diagnostic] = []
    private var line = SourceLine(number: 0, text: "")
    var tokens: [Token] = []
    var position = 0
    /// Nanoseconds from the start to the last step.
    var now: Int64 = 0
    /// IPv4 identification of the last packet that did not give its own.
    var identification: UInt16 = 100
    var labels: [Substring: Scenario.Packet] = [:]
    private var flowNumbers: [String: Int] = [:]
    /// Octets of all frames, their headers roughly.
    var frameOctets = 0
    var lastPacket: Scenario.Packet?
    /// The standard flow was used or replaced: it cannot be replaced any more.
    var isFlowSettled = false

    init(name: String) {
        scenario = Scenario()
        scenario.name = name
    }

    mutating func read(_ line: SourceLine) {
        self.line = line
        position = 0
        do throws(Diagnostic) {
            tokens = try split(line.text)
            guard let first = tokens.first else { return }
            switch first.text {
            case "link": try readLink()
            case "snaplen": try readSnaplen()
            case "slice": try readSlice()
            case "flow": try readFlow()
            case "expect": try readExpectation()
            default: try readStep()
            }
        } catch {
            diagnostics.append(error)
        }
    }

    // MARK: Tokens

    func wrong(_ message: String, at column: Int? = nil) -> Diagnostic {
        Diagnostic(scenario: scenario.name, source: line, column: column, message: message)
    }

    func wrong(_ message: String, at token: Token) -> Diagnostic { wrong(message, at: token.column) }

    /// Words between white space; an option list in angle brackets is one. `#` at a word's start begins a comment.
    private func split(_ text: String) throws(Diagnostic) -> [Token] {
        var tokens: [Token] = []
        var index = text.startIndex
        var column = 1
        while index < text.endIndex {
            if text[index].isWhitespace {
                index = text.index(after: index)
                column += 1
                continue
            }
            if text[index] == "#" { break }
            var end = index
            let next = text.index(after: index)
            if text[index] == "<", next < text.endIndex, !text[next].isWhitespace {
                guard let close = text[index...].firstIndex(of: ">") else {
                    throw wrong("the option list is not closed with >; the direction < stands by itself", at: column)
                }
                end = text.index(after: close)
            } else {
                while end < text.endIndex, !text[end].isWhitespace { end = text.index(after: end) }
            }
            tokens.append(Token(text: text[index..<end], column: column))
            column += text.distance(from: index, to: end)
            index = end
        }
        return tokens
    }

    var peek: Token? { position < tokens.count ? tokens[position] : nil }

    mutating func next(_ what: String) throws(Diagnostic) -> Token {
        guard position < tokens.count else {
            throw wrong("\(what) is missing at the end of the line", at: line.text.count + 1)
        }
        position += 1
        return tokens[position - 1]
    }

    mutating func take(_ word: String) -> Bool {
        guard peek?.text == word[...] else { return false }
        position += 1
        return true
    }

    func end() throws(Diagnostic) {
        if let token = peek { throw wrong("'\(token.text)' is too much on this line", at: token) }
    }

    mutating func number<T: FixedWidthInteger>(
        _ what: String, _ range: ClosedRange<T>
    ) throws(Diagnostic) -> T {
        let token = try next(what)
        guard let value = T(token.text), range.contains(value) else {
            throw wrong(
                "\(what) is a number from \(range.lowerBound) to \(range.upperBound), not '\(token.text)'", at: token)
        }
        return value
    }

    // MARK: Settings and flows

    private mutating func readLink() throws(Diagnostic) {
        position = 1
        let token = try next("a link type")
        guard let linkType = LinkType.encodable.first(where: { $0.name.lowercased() == token.text.lowercased() })
        else {
            let names = LinkType.encodable.map(\.name).joined(separator: ", ")
            throw wrong("no link type is named '\(token.text)' (there are \(names))", at: token)
        }
        if !scenario.steps.isEmpty { throw wrong("link stands before the first packet", at: 1) }
        scenario.linkType = linkType
        try end()
    }

    private mutating func readSnaplen() throws(Diagnostic) {
        position = 1
        scenario.snaplen = try number("the snaplen", 1...Scenario.wholeFrames)
        try end()
    }

    private mutating func readSlice() throws(Diagnostic) {
        position = 1
        scenario.slice = try number("the octets of a frame", 1...Scenario.wholeFrames)
        try end()
    }

    /// flow [NAME] [CLIENT > SERVER] [isn X Y]
    private mutating func readFlow() throws(Diagnostic) {
        position = 1
        var flow = scenario.flows[0]
        flow.name = ""
        if let token = peek, isName(token.text), token.text != "isn" {
            position += 1
            flow.name = String(token.text)
            if flowNumbers[flow.name] != nil {
                throw wrong("there is a flow '\(flow.name)' already", at: token)
            }
            if ScenarioParser.reserved.contains(flow.name) {
                throw wrong("'\(flow.name)' is a word of the language: choose another name", at: token)
            }
        } else if isFlowSettled {
            throw wrong("only the first flow, before any packet, can be without a name", at: 1)
        }
        if let token = peek, token.text != "isn" {
            flow.client = try endpoint("the client")
            let arrow = try next("'>'")
            if arrow.text != ">" { throw wrong("'>' stands between client and server", at: arrow) }
            flow.server = try endpoint("the server")
            if flow.client.address.version != flow.server.address.version {
                throw wrong("client and server have addresses of different IP versions", at: token)
            }
        }
        if take("isn") {
            flow.clientISN = try number("the client's ISN", 0...UInt32.max)
            flow.serverISN = try number("the server's ISN", 0...UInt32.max)
        }
        try end()
        if flow.name.isEmpty {
            scenario.flows[0] = flow
        } else {
            flowNumbers[flow.name] = scenario.flows.count
            scenario.flows.append(flow)
        }
        isFlowSettled = true
    }

    /// Words that begin something else where a flow's name can stand.
    private static let reserved: Set<String> = [
        "again", "icmp", "idle", "octets", "attempt", "summary", "patterns", "findings", "not", "isn",
    ]

    func isName(_ text: Substring) -> Bool {
        guard let first = text.first, first.isASCII, first.isLetter else { return false }
        return text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") }
    }

    private mutating func endpoint(_ what: String) throws(Diagnostic) -> Endpoint {
        let token = try next(what)
        guard let endpoint = Endpoint(String(token.text)) else {
            throw wrong(
                "\(what) is an address and a port, 192.0.2.1:40000 or [2001:db8::1]:40000, not '\(token.text)'",
                at: token
            )
        }
        return endpoint
    }

    func flow(named name: Substring) -> Int? { flowNumbers[String(name)] }

    // MARK: Expectations

    /// expect [FLOW[#N]] CLAIM; the flow without a name is `attempt` here
    private mutating func readExpectation() throws(Diagnostic) {
        position = 1
        var subject = Expectation.Subject.attempt(flow: 0, occurrence: 1)
        let token = try next("what is expected")
        let parts = token.text.split(separator: "#", omittingEmptySubsequences: false)
        if let flow = parts[0] == "attempt" ? 0 : flow(named: parts[0]), parts.count <= 2, !parts[0].isEmpty {
            var occurrence = 1
            if parts.count == 2 {
                guard let value = Int(parts[1]), value > 0 else {
                    throw wrong("after # comes which attempt of the flow, from 1", at: token)
                }
                occurrence = value
            }
            subject = .attempt(flow: flow, occurrence: occurrence)
        } else {
            if token.text.hasPrefix("summary.") || token.text == "patterns" { subject = .summary }
            if token.text == "not" { subject = .everything }
            position -= 1
        }
        scenario.expectations.append(Expectation(subject, try readClaim(), source: line))
    }

    private mutating func readClaim() throws(Diagnostic) -> Expectation.Claim {
        let name = try next("a field")
        let values = tokens[position...]
        position = tokens.count
        guard let first = values.first else {
            throw wrong("the value of \(name.text) is missing at the end of the line", at: line.text.count + 1)
        }
        switch name.text {
        case "findings", "patterns":
            let codes = values.map { String($0.text) }
            if codes == ["none"] { return .findings([]) }
            for value in values { try checkCode(value) }
            return .findings(codes)
        case "not":
            try checkCode(first)
            if values.count > 1 { throw wrong("not takes one finding", at: values[values.startIndex + 1]) }
            return .absent(String(first.text))
        default: break
        }
        if values.count == 1, let range = first.text.firstRange(of: "..") {
            guard let low = Scenario.quantity(first.text[..<range.lowerBound]),
                let high = Scenario.quantity(first.text[range.upperBound...]), low <= high
            else { throw wrong("a range is LOW..HIGH: 20ms..25ms", at: first) }
            return .range(path: String(name.text), low...high)
        }
        return .field(
            path: String(name.text),
            values: values.map { Scenario.quantity($0.text).map(String.init) ?? String($0.text) })
    }

    private func checkCode(_ token: Token) throws(Diagnostic) {
        if !ScenarioCheck.knows(code: String(token.text)) {
            throw wrong("no finding is named '\(token.text)': synscope explain lists them", at: token)
        }
    }
}

extension Scenario {
    static let standardWindow: UInt16 = 64_240
    static let standardHopLimit: UInt8 = 64
    /// MSS 1460.
    static let standardSYNOptions: [UInt8] = [2, 4, 0x05, 0xb4]
    /// Nanoseconds in 100 years.
    static let longest: Int64 = 3_155_760_000_000_000_000

    /// A whole number, or a time with its unit in nanoseconds.
    static func quantity(_ text: Substring) -> Int64? {
        if let number = Int64(text) { return number }
        guard text.last == "s" else { return nil }
        return text.first == "-"
            ? TimeSpan(text: text.dropFirst()).map { -$0.nanoseconds } : TimeSpan(text: text)?.nanoseconds
    }
}
