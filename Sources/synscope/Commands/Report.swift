import ArgumentParser
import HandshakeAnalysis
import HandshakeExpectation
import HandshakeRecord
import HandshakeReport
import PacketCapture

struct Report: DocumentedCommand {
    static let helpText = HelpText(
        body: """
            Writes a page of HTML to hand on: one file, which needs no network and no other program than a browser. \
            Situations come first: they say what is wrong. Then come the capture's quality, the counts, attempts, \
            round trips and losses over time, servers, clients, and the attempts with their ladders.

            Figures are of all attempts, or of those that -Y chooses. At most 5000 attempts are listed, failures \
            first; the page says how many it leaves out.
            """,
        examples: [
            .init("synscope report capture.pcap -o report.html", "a page of a capture"),
            .init("synscope report *.pcapng -Y 'tcp.dstport == 443' -o report.html", "of some of its attempts"),
            .init("synscope report capture.pcap --pseudonyms -o report.html", "without addresses"),
            .init(
                "synscope report --saved attempts.jsonl --summary s.json -o report.html", "of an earlier run's output"),
        ],
        exitStatus: [.fine, .wrongUsage, .unreadable],
        seeAlso: ["pcap-filter(7)"])

    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Write a page of HTML to hand on: what is wrong, figures, attempts with their ladders.",
        discussion: helpText.discussion)

    @OptionGroup(title: "Input") var input: InputOptions
    @OptionGroup var selection: SelectionOptions
    @OptionGroup(title: "Page") var page: PageOptions
    @OptionGroup(title: "Page") var times: ZoneOptions

    @Option(
        name: .customShort("o"),
        help: ArgumentHelp("The file to write; - is standard output.", valueName: "file"),
        completion: .file(extensions: ["html"]))
    var output: String

    @OptionGroup(title: "Input") var saved: SavedOptions

    func validate() throws { try saved.validate(beside: input) }

    func run() throws {
        let predicate = try selection.predicate()
        let files = [saved.attempts, saved.summary].compactMap(\.self)
        let inputs = try files.isEmpty ? input.resolve().paths : files
        var taken = Set(inputs.compactMap(FileIdentity.init))
        let zone = times.zone
        // While there are the rights to make it. What cannot be read leaves it as it was.
        let file = output == "-" ? nil : try OutputFile(output, keeps: true, taken: &taken)
        func sink(_ context: RecordContext) -> AttemptSink {
            AttemptSink(
                format: .html, quiet: false,
                style: TextStyle(usesColor: false, usesUnicode: true, width: 100, zone: zone),
                output: file.map { StandardOutput($0) } ?? StandardOutput(isLineBuffered: false), selection: predicate,
                context: context, isLive: false, hidesAddresses: page.pseudonyms)
        }
        if let saved = saved.attempts {
            var sink = sink(RecordContext(.noFile))
            return try report(ofSaved: saved, to: &sink)
        }
        var analysis = try Analysis(input)
        var sink = sink(RecordContext(.init(fileCount: analysis.capture.files.count), places: analysis.reader.places))
        try sink.begin(analysis.capture)
        let (totals, loss) = try analysis.run(&sink)
        try sink.end(totals, loss)
        try analysis.reportFailures()
    }

    /// Reports attempts that were saved.
    private func report(ofSaved path: String, to sink: inout AttemptSink) throws {
        let totals = try saved.summary.map { path throws(CommandFailure) in try SavedSummary.read(path) }
        var sums = SavedAttemptTotals()
        var capture = CaptureDescription(
            files: [.init(name: TextFile.name(path), format: "jsonl", linkType: "", snaplen: 0, timeResolution: 1)],
            filter: nil, started: nil)
        if let totals, !totals.capture.files.isEmpty { capture = totals.capture }
        try sink.begin(capture)
        var reader = SavedRecords()
        func hand(_ records: [AttemptRecord]) throws(OutputEnded) {
            for record in records {
                sums.add(record)
                try sink.take(record)
            }
        }
        try TextFile.readPieces(of: path) { piece throws(CommandFailure) in
            let records: [AttemptRecord]
            do throws(JSONLinesError) { records = try reader.take(piece) } catch { throw CommandFailure(path, error) }
            do throws(OutputEnded) {
                try hand(records)
            } catch {
                throw CommandFailure(status: .unreadable, message: error.message)
            }
        }
        let last: [AttemptRecord]
        do throws(JSONLinesError) { last = try reader.end() } catch { throw CommandFailure(path, error) }
        try hand(last)
        if sums.isEmpty {
            throw CommandFailure(status: .unreadable, message: "\(TextFile.name(path)): there is no attempt in it")
        }
        try sink.end(sums.summary(totals), CaptureLoss())
    }
}

/// Totals over attempts that were saved. What is no sum over them comes from the totals that were saved beside them.
private struct SavedAttemptTotals {
    private var counts = SummaryCounts()
    private var span: ClosedRange<Int64>?

    var isEmpty: Bool { span == nil }

    mutating func add(_ record: AttemptRecord) {
        counts.add(record)
        let time = record.firstTime
        span = min(span?.lowerBound ?? time, time)...max(span?.upperBound ?? time, time)
    }

    func summary(_ totals: SavedSummary?) -> HandshakeSummary {
        HandshakeSummary(of: counts.summary, span: span, frames: totals?.frames, quality: totals?.quality ?? [])
    }
}
