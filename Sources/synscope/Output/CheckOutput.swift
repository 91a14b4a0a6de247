import HandshakeExpectation
import HandshakeReport

/// Where a report goes: `junit=handshakes.xml`, or standard output.
struct CheckOutput {
    private let format: CheckFormat
    private let file: OutputFile?

    /// - Parameter taken: files that must not be overwritten.
    static func open(_ reports: [String], _ taken: inout Set<FileIdentity>) throws(CommandFailure) -> [CheckOutput] {
        var outputs: [CheckOutput] = []
        for report in reports.isEmpty ? ["text"] : reports {
            let parts = report.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard let format = CheckFormat(rawValue: parts[0]) else {
                let names = CheckFormat.allCases.map(\.rawValue)
                throw CommandFailure(
                    status: .wrongUsage,
                    message: "--report \(report): there is no format '\(parts[0])'"
                        + (NearestName.of(parts[0], among: names).map { ": did you mean '\($0)'?" }
                            ?? ": there are \(names.joined(separator: ", "))"))
            }
            if parts.count == 2, parts[1].isEmpty {
                throw CommandFailure(status: .wrongUsage, message: "--report \(report): name the file after '='")
            }
            outputs.append(
                CheckOutput(format: format, file: parts.count == 2 ? try OutputFile(parts[1], taken: &taken) : nil))
            // A step's summary is a file that the runner names.
            if format == .github, parts.count == 1, let path = Terminal.environment("GITHUB_STEP_SUMMARY"),
                !path.isEmpty
            {
                outputs.append(CheckOutput(format: .markdown, file: try OutputFile(path, appends: true)))
            }
        }
        return outputs
    }

    func write(_ report: CheckReport) throws {
        guard let file else {
            var output = StandardOutput(isLineBuffered: false)
            report.write(format, to: &output.buffer)
            return try output.flush()
        }
        var buffer = OutputBuffer()
        report.write(format, to: &buffer)
        try file.write(buffer.bytes)
    }
}
