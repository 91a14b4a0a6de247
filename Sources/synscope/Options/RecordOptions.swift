import ArgumentParser
import HandshakeExpectation
import HandshakeRecord
import HandshakeReport
import PacketWire

/// What records hold beside what was captured, and where the totals go.
struct RecordOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            The fields of csv and jsonl, and their order, under their flat names (synscope schema); all for every one.
            """, valueName: "field[,field]..."),
        completion: .list(ChosenColumns.names))
    var fields: String?

    @Option(
        name: .customLong("summary"),
        help: ArgumentHelp(
            "Write the totals to a file as one line of JSON: what jsonl and csv have no place for.", valueName: "file"),
        completion: .file())
    var summaryFile: String?

    @Option(
        help: ArgumentHelp(
            "A name for where the packets were captured: capture.sensor of each record.", valueName: "name"))
    var sensor: String?

    @Option(
        name: .customLong("community-id-seed"), parsing: .unconditional,
        help: ArgumentHelp("The seed of the Community ID (default: \(CommunityID.usualSeed)).", valueName: "number"),
        transform: Expected.number(0...65_535))
    var communitySeed: Int?

    func validate(_ format: OutputFormat) throws {
        if fields != nil, format != .csv, format != .jsonl {
            throw ValidationError("--fields chooses the fields of -T csv and -T jsonl")
        }
    }

    /// The chosen fields; nil for the usual ones.
    func columns() throws(CommandFailure) -> ChosenColumns? { try RecordOptions.columns(fields) }

    static func columns(_ fields: String?) throws(CommandFailure) -> ChosenColumns? {
        guard let fields else { return nil }
        if fields == "all" { return .all }
        let names = fields.split(separator: ",", omittingEmptySubsequences: false).map {
            String($0.filter { $0 != " " })
        }
        do throws(ChosenColumns.UnknownColumn) {
            return try ChosenColumns(names)
        } catch {
            throw CommandFailure(
                status: .wrongUsage,
                message: "--fields: there is no field '\(error.name)'"
                    + NearestName.hint(error.name, among: ChosenColumns.names) + " (synscope schema lists them)")
        }
    }

    func context(_ numbering: DisplayFilter.Numbering, places: FramePlaces? = nil) -> RecordContext {
        var context = RecordContext(numbering, places: places)
        context.sensor = sensor
        if let communitySeed { context.communitySeed = UInt16(communitySeed) }
        return context
    }

    /// - Parameter inputs: files that must not be overwritten.
    func openSummary(_ inputs: [String]) throws(CommandFailure) -> OutputFile? {
        guard let summaryFile else { return nil }
        var taken = Set(inputs.compactMap(FileIdentity.init))
        return try OutputFile(summaryFile, taken: &taken)
    }
}
