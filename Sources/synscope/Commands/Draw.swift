import ArgumentParser
import HandshakeAnalysis
import HandshakePipeline
import HandshakeReport

struct Draw: DocumentedCommand {
    static let helpText = HelpText(
        body: """
            Two lifelines, an arrow a segment: flags, sequence numbers relative and absolute, options and times; the \
            sums x+1 and y+1 written out; lost segments as arrows that end where the evidence puts the loss; findings \
            at their arrow.
            """,
        examples: [.init("synscope draw capture.pcap --attempt 1", "the attempt with the id 1")],
        writesText: true,
        exitStatus: [
            .fine, .init("2", "wrong usage, or no such attempt"), .unreadable,
        ],
        seeAlso: ["pcap-filter(7)"])

    static let configuration = CommandConfiguration(
        commandName: "draw",
        abstract: "Draw the ladder diagram of an attempt.",
        discussion: helpText.discussion)

    @OptionGroup(title: "Input") var input: InputOptions
    @OptionGroup(title: "Text") var text: StyleOptions
    @OptionGroup(title: "Text") var times: ZoneOptions

    @Option(
        name: .long, parsing: .unconditionalSingleValue,
        help: """
            The attempt's id, as analyze prints it, or the number of any of its frames; may be repeated. Not needed \
            where there is one attempt only.
            """)
    var attempt: [UInt64] = []

    func validate() throws { try input.requireFile() }

    func run() throws {
        let style = text.style(in: times.zone)
        var analysis = try Analysis(input)
        var chosen = Chosen(wanted: attempt)
        _ = analysis.run(&chosen)
        let (found, ids) = (chosen.found, chosen.ids)
        if attempt.isEmpty, found.count > 1 {
            analysis.tellFailures()
            let list = ids.sorted().prefix(8).map(String.init).joined(separator: ", ")
            throw CommandFailure(
                status: .wrongUsage, message: "there are several attempts: choose with --attempt (\(list), ...)")
        }
        let missing = attempt.filter { number in !found.contains { $0.hasFrame(number) } }
        var output = StandardOutput(isLineBuffered: false)
        for (position, record) in found.sorted(by: { $0.id < $1.id }).enumerated() {
            if position > 0 { output.buffer.line("") }
            Ladder(record, style: style).draw(to: &output.buffer)
        }
        try output.flush()
        if missing.isEmpty, !found.isEmpty { try analysis.reportFailures() }
        analysis.tellFailures()
        if let id = missing.first {
            let known =
                ids.isEmpty
                ? "the capture holds none"
                : "there are \(ids.sorted().prefix(8).map(String.init).joined(separator: ", "))"
                    + (ids.count > 8 ? ", ..." : "")
            throw CommandFailure(status: .wrongUsage, message: "no attempt has the id or the frame \(id): \(known)")
        }
        if found.isEmpty { throw CommandFailure(status: .wrongUsage, message: "the capture holds no attempt to draw") }
    }
}

/// The attempts to draw.
private struct Chosen: AttemptTaker {
    /// Ids; where there are none, two attempts are enough to say that there are several.
    let wanted: [UInt64]
    private(set) var found: [AttemptRecord] = []
    /// The first ones.
    private(set) var ids: [UInt64] = []

    init(wanted: [UInt64]) { self.wanted = wanted }

    mutating func take(_ record: AttemptRecord) {
        if ids.count < 20 { ids.append(record.id) }
        if wanted.isEmpty ? found.count < 2 : wanted.contains(where: record.hasFrame) { found.append(record) }
    }
}

extension AttemptRecord {
    /// Whether a frame is one of its segments, or its first.
    fileprivate func hasFrame(_ number: UInt64) -> Bool { id == number || segments.contains { $0.frame == number } }
}
