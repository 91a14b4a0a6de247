import ArgumentParser
import Glibc
import HandshakeAnalysis
import HandshakeExpectation
import HandshakePipeline
import HandshakeRecord
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
            .init("synscope draw capture.pcap --attempt 1 -T svg -o 1.svg", "a picture of it"),
            .init("synscope draw capture.pcap --all-failed -T svg -o ladders", "a picture of each, in a folder"),
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

    @Flag(help: "Draw all attempts that failed.")
    var allFailed = false

    @Option(name: .customShort("T"), help: "text, or svg: a picture of 640 pixels width, at most 20 KB.")
    var format = Drawing.text
    enum Drawing: String, ExpressibleByArgument, CaseIterable { case text, svg }

    @Option(
        name: .customShort("o"),
        help: ArgumentHelp(
            "With -T svg: a file for one picture, or a folder, in which each has its attempt's id as its name.",
            valueName: "path"),
        completion: .file())
    var output: String?

    func validate() throws {
        try input.requireFile()
        if output != nil, format != .svg { throw ValidationError("-o takes pictures: -T svg.") }
        if allFailed, !attempt.isEmpty || !frame.isEmpty || !selection.expressions.isEmpty {
            throw ValidationError("--all-failed chooses by itself: not beside --attempt, --frame or -Y.")
        }
    }

    func run() throws {
        let style = text.style(in: times.zone)
        let predicate = allFailed ? try Predicate("hs.failed") : try selection.predicate()
        let pictures =
            format == .svg ? try Pictures(output, wantsFolder: allFailed, try input.resolve().paths) : nil
        var analysis = try Analysis(input, writing: pictures?.folder)
        let isAnyWanted = attempt.isEmpty && frame.isEmpty && predicate == nil
        let usualMaximum = allFailed ? .max : predicate != nil ? Draw.usualMaximum : isAnyWanted ? 1 : .max
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
        if let pictures {
            try pictures.write(chosen.drawn, times.zone)
        } else {
            var output = StandardOutput(isLineBuffered: false)
            for (position, record) in chosen.drawn.enumerated() {
                if position > 0 { output.buffer.line("") }
                Ladder(record, style: style).draw(to: &output.buffer)
            }
            try output.flush()
        }
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

/// Where pictures go: to a file, into a folder, or to standard output.
private struct Pictures {
    let folder: String?
    private let file: OutputFile?

    /// - Parameters:
    ///   - output: nil or - for standard output.
    ///   - wantsFolder: whether it names a folder, though there is none yet.
    ///   - inputs: files that must not be overwritten.
    init(_ output: String?, wantsFolder: Bool, _ inputs: [String]) throws(CommandFailure) {
        guard let output, output != "-" else {
            (folder, file) = (nil, nil)
            return
        }
        var place = stat()
        let isThere = unsafe stat(output, &place) == 0
        if isThere && place.st_mode & S_IFMT == S_IFDIR || !isThere && (wantsFolder || output.hasSuffix("/")) {
            if !isThere, unsafe mkdir(output, 0o777) != 0 {
                throw CommandFailure(
                    status: .unreadable,
                    message: "\(output): cannot be made: \(unsafe String(cString: strerror(errno)))")
            }
            (folder, file) = (output, nil)
        } else {
            var taken = Set(inputs.compactMap(FileIdentity.init))
            (folder, file) = (nil, try OutputFile(output, keeps: true, taken: &taken))
        }
    }

    func write(_ records: [AttemptRecord], _ zone: Zone) throws {
        if folder == nil, records.count > 1 {
            throw CommandFailure(
                status: .wrongUsage,
                message: "\(records.count) pictures need a folder: -o FOLDER/ (or one attempt: --attempt, --first 1)")
        }
        for record in records {
            let document = LadderSVG(record, zone: zone).document()
            if let folder {
                try OutputFile("\(folder)/attempt-\(record.id).svg").write(document)
            } else if let file {
                try file.write(document)
            } else {
                try StandardOutput.check(StandardOutput.write(document))
            }
        }
        if let folder { print("\(folder.cleaned(for: .text)): \(Format.count(records.count, "picture"))") }
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
