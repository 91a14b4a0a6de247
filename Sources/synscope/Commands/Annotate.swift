import ArgumentParser
import HandshakeAnalysis
import HandshakeDiagnosis
import HandshakeExpectation
import HandshakeMonitor
import HandshakePipeline
import HandshakeRecord
import HandshakeReport
import PacketCapture

struct Annotate: DocumentedCommand {
    static let helpText = HelpText(
        body: """
            Writes a pcapng copy of a capture that says in comments what became of each attempt: the outcome at its \
            first frame, each finding at the frames that show it, the summary as the comment of the file. Frames, \
            times, interfaces and comments that are there stay as they are.

            In Wireshark and tshark, frame.comment contains "synscope: syn-lost" chooses the frames of a finding.
            """,
        examples: [
            .init("synscope annotate capture.pcap -w annotated.pcapng", "all frames"),
            .init("synscope annotate capture.pcap -w evidence.pcapng --only-evidence", "what a report needs"),
            .init("tshark -r annotated.pcapng -Y 'frame.comment contains \"synscope: refused\"'", "what was refused"),
        ],
        exitStatus: [.fine, .wrongUsage, .unreadable],
        seeAlso: ["editcap(1)", "wireshark(1)"])

    static let configuration = CommandConfiguration(
        commandName: "annotate",
        abstract: "Copy a capture with comments that say what became of its handshakes.",
        discussion: helpText.discussion)

    @OptionGroup(title: "Input") var input: InputOptions

    @Option(
        name: .customShort("w"),
        help: ArgumentHelp("The pcapng file to write; - is standard output.", valueName: "file"),
        completion: .file(extensions: ["pcapng"]))
    var output: String

    @Flag(
        help: """
            Keep only the frames of attempts that failed or have a warning, with the other fragments of their packets, \
            and the last two of the file.
            """)
    var onlyEvidence = false

    func validate() throws { try input.requireFile() }

    func run() throws {
        let paths = try input.resolve().paths
        guard paths.count == 1, let path = paths.first, path != "-" else {
            throw CommandFailure(
                status: .wrongUsage,
                message: "one capture file is annotated: it is read twice (mergecap makes one of several)")
        }
        guard input.count == nil else {
            throw CommandFailure(status: .wrongUsage, message: "-c does not go with annotate: the copy has all frames")
        }
        var taken = Set([path].compactMap(FileIdentity.init))
        // While there are the rights to make it. A capture that cannot be read leaves it as it was.
        let file = output == "-" ? nil : try OutputFile(output, keeps: true, taken: &taken)
        var analysis = try Analysis(input)
        var notebook = Notebook()
        let (summary, loss) = analysis.run(&notebook)
        var notes = AnnotatedCopy.Notes()
        notes.comments = notebook.annotations.sorted
        notes.section = notebook.summary(summary, loss)
        if onlyEvidence {
            // Silence shows by the time that goes on: the last frames say how long.
            let last = analysis.reader.frameNumber
            notes.kept = Set(analysis.withFragments(notebook.annotations.evidence.sorted()))
                .union([max(1, last) - 1, last]).sorted()
        }
        let copy = try Annotate.write(path, notes, to: file)
        let done =
            "\(output.cleaned(for: .text)): \(Format.count(Int(copy.written), "frame")) of \(copy.frames), "
            + Format.count(copy.commented, "comment")
        if file == nil { StandardError.write(done) } else { print(done) }
        if copy.homeless > 0 {
            StandardError.write(
                "\(Format.count(copy.homeless, "comment")) found no place: simple packet blocks have none")
        }
        try analysis.reportFailures()
    }

    /// - Parameter file: where it goes; nil for standard output.
    private static func write(
        _ path: String, _ notes: AnnotatedCopy.Notes, to file: OutputFile?
    ) throws -> (frames: UInt64, written: UInt64, commented: Int, homeless: Int) {
        var copy: AnnotatedCopy
        do throws(CaptureError) {
            copy = try AnnotatedCopy(path, notes, CaptureReader.Options())
        } catch {
            throw CommandFailure(status: .unreadable, message: error.description)
        }
        while true {
            let octets = copy.next()
            if octets.isEmpty { break }
            if let file {
                try file.write(octets)
            } else {
                try StandardOutput.check(StandardOutput.write(octets))
            }
        }
        return (copy.frames, copy.written, copy.commented, copy.homeless)
    }
}

/// Takes what is written beside frames.
private struct Notebook: AttemptTaker {
    private(set) var annotations = Annotations()
    private var overview = CaptureOverview()
    private var observed = ObservationLog()

    mutating func take(_ plain: PlainAttempt, record: () -> AttemptRecord) {
        annotations.add(plain, record: record)
        overview.add(plain, record: record)
        observed.add(plain)
    }

    mutating func take(_ record: AttemptRecord) {
        annotations.add(record)
        overview.add(record)
        observed.add(record)
    }

    /// The summary that synscope prints of the capture.
    func summary(_ summary: HandshakeSummary, _ loss: CaptureLoss) -> String {
        let style = TextStyle(usesColor: false, usesUnicode: true, width: 100)
        var end = ReportEnd(summary, loss)
        end.isQuiet = true
        end.details = overview.rows(style)
        end.diagnosis = Diagnosis(observed)
        var out = OutputBuffer()
        var report = TextReport(style: style)
        report.end(end, to: &out)
        return String(decoding: out.bytes, as: UTF8.self)
    }
}
