import Foundation
import FoundationXML
import HandshakeAnalysis
import HandshakeReport
import Testing

@testable import HandshakeExpectation

/// Names that others chose, and what must not come of them.
enum HostileNames {
    /// With something that a terminal, a log or a report would obey, or that would show what is not so.
    static let all: [String] =
        [
            "\u{1b}[31mred", "\u{1b}[2J\u{1b}[H", "\u{1b}]0;title\u{7}", "\u{1b}]8;;http://x\u{1b}\\link",
            "\u{1b}P+q\u{1b}\\",
            "\u{1b}[6n", "\u{9b}31mred", "\u{9d}0;title\u{9c}", "\u{90}x", "\u{85}next line", "a\u{7f}b", "bell\u{7}",
            "back\u{8}\u{8}space", "null\u{0}", "over\rwritten", "two\nlines", "two\r\nlines", "page\u{c}",
            "tab\u{b}\t",
            "line\u{2028}line", "paragraph\u{2029}paragraph", "\u{202e}gpj.exe", "\u{202d}x", "\u{202a}x\u{202c}",
            "\u{202b}x",
            "\u{2066}x\u{2069}", "\u{2067}x", "\u{2068}x", "x\u{200e}", "x\u{200f}", "x\u{61c}", "::error::forged",
            "\n::set-output name=x::y", "  ::add-mask::a", "\r\n##[error]forged", "##vso[task.setvariable variable=x]y",
            "x\u{85}::stop-commands::y", "\u{200d}::error::y", ":\u{200d}:error::y", "%0A::error::y", "x]]><y/>&<!--",
            "\" onload=\"x", "not ok 1 - x # TODO", "x\nok 2 - forged", "x\n1..0 # skip", "| x | y |",
            "</summary><script>",
            "![x](http://x/y)", "`x` *y* _z_ ~~w~~", "=HYPERLINK(\"http://x\")", "\u{fffe}\u{ffff}", "\\\" \\u001b",
            "a: b\n  evidence: |", "...\n---",
        ]
    /// Harmless ones, which are shown as they are.
    static let plain = [
        "χειραψία.pcap", "рукопожатие", "握手.pcapng", "مصافحة", "לחיצת יד", "🤝👩‍💻🇬🇷", "e\u{301}té", "a::b", "[::1]:443",
        "C# ##", "#1 [x]",
        "naïve café", "50 % & more", "a b  c",
    ]

    /// Whether a character does what no text may do.
    static func isForbidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x0a: false
        case 0..<0x20, 0x7f...0x9f, 0x2028, 0x2029, 0x202a...0x202e, 0x2066...0x2069, 0x200e, 0x200f, 0x61c, 0xfffe,
            0xffff:
            true
        default: false
        }
    }

    static func forbidden(in text: String) -> [Unicode.Scalar] { text.unicodeScalars.filter(isForbidden) }

    /// Lines that GitHub or Azure would take for commands.
    static func commands(in text: String) -> [Substring] {
        text.split(whereSeparator: \.isNewline).filter { line in
            let start = line.unicodeScalars.filter { !$0.properties.isDefaultIgnorableCodePoint }
                .drop { $0.properties.isWhitespace }
            return start.starts(with: "::".unicodeScalars) || line.contains("##[") || line.contains("##vso[")
        }
    }
}

@Suite("Text from outside")
struct CleanTextTests {
    // MARK: The function

    @Test("Forty names and more in every sink leave nothing that is obeyed", arguments: TextSink.allCases)
    func sinks(_ sink: TextSink) {
        #expect(HostileNames.all.count >= 40)
        for name in HostileNames.all {
            let text = name.cleaned(for: sink)
            #expect(HostileNames.forbidden(in: text).isEmpty, "\(name.debugDescription)")
            #expect(sink == .message || !text.contains("\n"))
            if sink == .text || sink == .message {
                #expect(HostileNames.commands(in: text).isEmpty, "\(name.debugDescription): \(text)")
            }
        }
    }

    @Test("Harmless names in every script are shown as they are", arguments: HostileNames.plain)
    func plain(_ name: String) throws {
        #expect(name.cleaned(for: .text) == name && name.cleaned(for: .message) == name)
        let json = try JSONSerialization.jsonObject(with: Data("[\"\(name.cleaned(for: .json))\"]".utf8))
        #expect(json as? [String] == [name])
    }

    @Test("JSON keeps what it escapes", arguments: HostileNames.all)
    func json(_ name: String) throws {
        let json = try JSONSerialization.jsonObject(with: Data("[\"\(name.cleaned(for: .json))\"]".utf8))
        #expect((json as? [String])?.first.map { Array($0.unicodeScalars) } == Array(name.unicodeScalars))
    }

    @Test("A message keeps its own further lines, which begin with two spaces, and no others")
    func message() {
        #expect("1:2: wrong\n  a == b\n    ^".cleaned(for: .message) == "1:2: wrong\n  a == b\n    ^")
        #expect("x\nFAIL forged\n  ::error::y".cleaned(for: .message) == "x FAIL forged\n  : :error::y")
    }

    // MARK: Reports of a check

    private static func report(_ format: CheckFormat, _ name: String, passes: Bool) throws -> String {
        var rule = try Rule(passes ? "count() == 5" : "none(hs.failed)")
        rule.name = name
        rule.condition = name
        rule.reason = name
        rule.tags = [name, name]
        rule.location = "\(name):7"
        var context = CheckContext()
        context.captures = [name]
        context.kept = name
        context.notes = [name]
        context.errors = [name]
        var check = RuleCheck([rule], comparesFigures: true)
        for record in Records.five { check.take(record) }
        var verdict = check.verdict()
        verdict.selection = name
        if !passes { verdict.results[0].judgement.doubt([name]) }
        var old = Baseline()
        old.take(Records.five[4])
        verdict.comparison = BaselineComparison(name, before: old, now: try #require(verdict.figures), .init())
        var out = OutputBuffer()
        CheckReport(verdict, context, style: TextStyle(usesColor: false, usesUnicode: false, width: 100))
            .write(format, to: &out)
        return String(decoding: out.bytes, as: UTF8.self)
    }

    /// By octets: a name may begin with a mark that joins the character before it.
    private static func isOurs(_ command: Substring) -> Bool {
        ["::error title=", "::warning title="].contains { command.utf8.starts(with: $0.utf8) }
    }

    @Test("No name changes a report's lines, or adds what is obeyed", arguments: CheckFormat.allCases, [true, false])
    func reports(_ format: CheckFormat, _ passes: Bool) throws {
        let plain = try Self.report(format, "x", passes: passes)
        for name in HostileNames.all {
            let text = try Self.report(format, name, passes: passes)
            #expect(HostileNames.forbidden(in: text).isEmpty, "\(name.debugDescription)")
            #expect(
                text.utf8.count { $0 == 10 } == plain.utf8.count { $0 == 10 }, "\(name.debugDescription) in:\n\(text)")
            let commands = HostileNames.commands(in: text)
            switch format {
            case .text, .tap: #expect(commands.isEmpty, "\(commands)")
            case .github:
                #expect(commands.count == HostileNames.commands(in: plain).count)
                #expect(commands.allSatisfy(Self.isOurs))
            case .json, .junit, .markdown: #expect(!text.contains("##[") && !text.contains("##vso["))
            }
        }
    }

    @Test("A rule's name is whole in JSON and, but for what XML cannot hold, in JUnit", arguments: HostileNames.all)
    func parsed(_ name: String) throws {
        let json = try #require(
            try JSONSerialization.jsonObject(with: Data(try Self.report(.json, name, passes: false).utf8))
                as? [String: Any])
        let rule = try #require((json["rules"] as? [[String: Any]])?.first)
        #expect((rule["name"] as? String).map { Array($0.unicodeScalars) } == Array(name.unicodeScalars))
        let junit = JUnitReader(try Self.report(.junit, name, passes: false))
        #expect(junit.isWellFormed)
        #expect(junit.names.count == 3)
        #expect(junit.names.first == name.readBack)
    }

    @Test("TAP has as many results as its plan says", arguments: HostileNames.all)
    func tapPlan(_ name: String) throws {
        let lines = try Self.report(.tap, name, passes: false).split(separator: "\n")
        #expect(lines[1] == "1..3")
        #expect(lines.count { $0.hasPrefix("ok ") || $0.hasPrefix("not ok ") } == 3)
        #expect(lines.filter { $0.hasPrefix("not ok ") }.allSatisfy { !$0.contains(" # TODO") })
    }

    @Test("Markdown holds no link, image or element of a name's", arguments: HostileNames.all)
    func markdown(_ name: String) throws {
        let text = try Self.report(.markdown, name, passes: false)
        // Indented blocks are shown as they are.
        for line in text.split(separator: "\n") where !line.hasPrefix("    ") {
            #expect(!line.contains("](") && !line.contains("<script") && !line.contains("`x`") && !line.contains("*y*"))
        }
    }

    // MARK: Other reports

    @Test(
        "A comment of a capture is one remark of the diagram, and CSV has no text of a capture",
        arguments: HostileNames.all)
    func records(_ name: String) throws {
        var record = Records.five[0]
        for position in record.segments.indices { record.segments[position].comment = name }
        var (ladder, csv) = (OutputBuffer(), OutputBuffer())
        Ladder(record, style: TextStyle(usesColor: false, usesUnicode: false, width: 200)).draw(to: &ladder)
        let text = String(decoding: ladder.bytes, as: UTF8.self)
        #expect(HostileNames.forbidden(in: text).isEmpty && HostileNames.commands(in: text).isEmpty)
        CSVReport().attempt(record, to: &csv)
        for field in String(decoding: csv.bytes, as: UTF8.self).dropLast().split(separator: ",") {
            #expect(field.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\"") })
            #expect(!["=", "+", "-", "@"].contains(field.first))
        }
    }

    @Test("No word of a long comment begins a line of the diagram", arguments: 30..<110)
    func wrappedComment(_ length: Int) {
        var record = Records.five[0]
        record.segments[0].comment =
            String(repeating: "x", count: length) + " ::error::forged " + String(repeating: "y", count: 99)
        var out = OutputBuffer()
        Ladder(record, style: TextStyle(usesColor: false, usesUnicode: false, width: 100)).draw(to: &out)
        let text = String(decoding: out.bytes, as: UTF8.self)
        #expect(text.contains("::error::forged") && HostileNames.commands(in: text).isEmpty)
    }

    @Test("An interface's name and description are one line of the list", arguments: HostileNames.all)
    func interfaces(_ name: String) {
        var out = OutputBuffer()
        let row = InterfaceRow(
            name: name, description: name, isUp: true, isRunning: true, isLoopback: false, isWireless: false,
            isConnected: nil, addresses: [], linkTypes: [])
        InterfaceReport.text([row], to: &out)
        let text = String(decoding: out.bytes, as: UTF8.self)
        #expect(text.split(separator: "\n").count == 1 && HostileNames.forbidden(in: text).isEmpty)
    }
}

extension String {
    /// What JUnit's readers make of a name.
    fileprivate var readBack: String {
        String(
            String.UnicodeScalarView(
                unicodeScalars.map { scalar in
                    if scalar.properties.generalCategory == .lineSeparator { return " " }
                    if scalar.properties.generalCategory == .paragraphSeparator { return " " }
                    if (0x09...0x0d).contains(scalar.value) || scalar.value == 0x85 { return " " }
                    return HostileNames.isForbidden(scalar) ? "?" : scalar
                }))
    }
}

/// The test cases of a JUnit report.
private final class JUnitReader: NSObject, XMLParserDelegate {
    private(set) var names: [String] = []
    private(set) var isWellFormed = false

    init(_ text: String) {
        super.init()
        let parser = XMLParser(data: Data(text.utf8))
        parser.delegate = self
        isWellFormed = parser.parse()
    }

    func parser(
        _ parser: XMLParser, didStartElement element: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String]
    ) {
        if element == "testcase" { names.append(attributes["name"] ?? "") }
    }
}
