import ArgumentParser
import HandshakeAnalysis
import HandshakeExpectation
import HandshakePipeline
import HandshakeReport

struct Draw: DocumentedCommand {
    static let helpText = HelpText(
        body: """
            Two lifelines, an arrow a segment: flags, sequence numbers relative and absolute, options and times; the \
            sums x+1 and y+1 written out; lost segments as arrows that end where the evidence puts the loss; findings \
            at their arrow.
            """,
        examples: [
            .init("synscope draw capture.pcap --attempt 1", "the attempt with the id 1"),
            .init("synscope draw capture.pcap --frame 17", "the attempt of frame 17"),
            .init("synscope draw capture.pcap -Y hs.failed --first 3", "the first three that failed"),
        ],
        writesText: true,
        exitStatus: [
            .fine, .init("2", "wrong usage, or no such attempt"), .unreadable,
        ],
        seeAlso: ["pcap-filter(7)"])

    static let configuration = CommandConfiguration(
        commandName: "draw",
        abstract: "Draw ladder diagrams of attempts.",
        discussion: helpText.discussion)

    @OptionGroup(title: "Input") var input: InputOptions
    @OptionGroup var selection: SelectionOptions
    @OptionGroup(title: "Text") var text: StyleOptions
    @OptionGroup(title: "Text") var times: ZoneOptions

    @Option(
        name: .long, parsing: .unconditionalSingleValue,
        help: """
            The attempt's id, as analyze prints it, or the number of any of its frames; may be repeated. Not needed \
            where there is one attempt only.
            """)
    var attempt: [UInt64] = []

    @Option(
        name: .long, parsing: .unconditionalSingleValue,
        help: ArgumentHelp("The attempts that have this frame; may be repeated.", valueName: "number"))
    var frame: [UInt64] = []

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("Draw so many of what -Y chooses (default: \(Draw.usualMaximum)).", valueName: "count"),
        transform: Expected.number(1...Int.max))
    var first: Int?
    private static let usualMaximum = 10

    func validate() throws { try input.requireFile() }

    func run() throws {
        let style = text.style(in: times.zone)
        let predicate = try selection.predicate()
        var analysis = try Analysis(input)
        let isAnyWanted = attempt.isEmpty && frame.isEmpty && predicate == nil
        let usualMaximum = predicate != nil ? Draw.usualMaximum : isAnyWanted ? 1 : .max
        var chosen = Chosen(
            attempts: attempt, frames: frame, predicate: predicate, maximum: first ?? usualMaximum)
        _ = analysis.run(&chosen)
        if isAnyWanted, chosen.count > 1, first == nil {
            analysis.tellFailures()
            throw CommandFailure(
                status: .wrongUsage,
                message: "there are several attempts: choose with --attempt (\(chosen.someIDs)), --frame, -Y or --first"
            )
        }
        var output = StandardOutput(isLineBuffered: false)
        for (position, record) in chosen.drawn.enumerated() {
            if position > 0 { output.buffer.line("") }
            Ladder(record, style: style).draw(to: &output.buffer)
        }
        try output.flush()
        if let problem = chosen.problem {
            analysis.tellFailures()
            throw CommandFailure(status: .wrongUsage, message: problem)
        }
        if chosen.leftOut > 0 {
            StandardError.write(
                "\(Format.count(chosen.leftOut, "more attempt")) chosen and not drawn: --first draws more")
        }
        try analysis.reportFailures()
        analysis.tellFailures()
    }
}

/// The attempts to draw: those of an id or a frame that was named, or else those that an expression chooses.
private struct Chosen: AttemptTaker {
    /// Ids, or numbers of frames.
    private let attempts: [UInt64]
    private let frames: [UInt64]
    private let predicate: Predicate?
    private let maximum: Int
    private var found: [AttemptRecord] = []
    /// Attempts of the capture, and ids of the first ones.
    private var total = 0
    private var firstIDs: [UInt64] = []
    /// Attempts that were chosen.
    private(set) var count = 0
    private static let listedIDs = 8

    init(attempts: [UInt64], frames: [UInt64], predicate: Predicate?, maximum: Int) {
        (self.attempts, self.frames) = (attempts, frames)
        (self.predicate, self.maximum) = (predicate, maximum)
    }

    mutating func take(_ record: AttemptRecord) {
        total += 1
        // Attempts come as they are decided: the lowest ids are not the first to come.
        Chosen.keep(record.id, in: &firstIDs, maximum: Chosen.listedIDs + 1) { $0 }
        let isNamed = attempts.isEmpty && frames.isEmpty || attempts.contains { record.id == $0 || record.hasFrame($0) }
        guard isNamed || frames.contains(where: record.hasFrame), predicate?(record) ?? .yes == .yes else { return }
        count += 1
        Chosen.keep(record, in: &found, maximum: maximum) { $0.id }
    }

    /// Keeps the elements with the lowest ids, in their order.
    private static func keep<Element>(
        _ element: Element, in list: inout [Element], maximum: Int, id: (Element) -> UInt64
    ) {
        let place = list.lastIndex { id($0) <= id(element) }.map { $0 + 1 } ?? 0
        guard place < maximum else { return }
        list.insert(element, at: place)
        if list.count > maximum { list.removeLast() }
    }

    var drawn: [AttemptRecord] { found }
    var leftOut: Int { count - found.count }

    /// `1, 4, 7, ...`.
    var someIDs: String {
        firstIDs.prefix(Chosen.listedIDs).map(String.init).joined(separator: ", ")
            + (total > Chosen.listedIDs ? ", ..." : "")
    }

    /// Why something that was asked for is not drawn; nil if all is.
    var problem: String? {
        if total == 0 { return "the capture holds no attempt to draw" }
        let known = "there are the attempts \(someIDs)"
        if let number = attempts.first(where: { id in !found.contains { $0.id == id || $0.hasFrame(id) } }) {
            return "no attempt\(chosenOnes) has the id or the frame \(number): \(known)"
        }
        if let number = frames.first(where: { frame in !found.contains { $0.hasFrame(frame) } }) {
            return "no attempt\(chosenOnes) has the frame \(number): \(known)"
        }
        return found.isEmpty ? "-Y chooses no attempt: \(known)" : nil
    }

    private var chosenOnes: String { predicate == nil ? "" : " that -Y chooses" }
}

extension AttemptRecord {
    /// Whether a frame is one of its segments.
    fileprivate func hasFrame(_ number: UInt64) -> Bool { segments.contains { $0.frame == number } }
}
