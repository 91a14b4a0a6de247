@_exported public import HandshakeAnalysis
@_exported public import HandshakeDiagnosis
import Glibc
import HandshakePipeline
import HandshakeReport
import PacketCapture
@_exported public import PacketWire

/// The connection attempts of a capture.
///
/// ```swift
/// let handshakes = try Handshakes(files: ["incident.pcap"])
/// for attempt in handshakes.attempts where attempt.outcome.isFailure {
///     print(attempt.server, attempt.outcome, attempt.failedBecause ?? "")
/// }
/// for situation in handshakes.situations { print(situation.code, situation.scope) }
/// ```
///
/// All attempts are in memory. `read(files:filter:_:)` hands them out one by one instead, and `LiveHandshakes` those of
/// an interface.
public struct Handshakes: Sendable {
    /// In the order of their first frames.
    public let attempts: [AttemptRecord]
    /// Totals over all of them, and what the capture itself is.
    public let summary: HandshakeSummary
    /// The files, or the interface, that they come from.
    public let source: String
    /// Frames that the kernel or the interface dropped while this was captured; 0 of files.
    public let dropped: UInt64

    /// Analyses capture files: pcap and pcapng, also compressed by gzip, zstd or LZ4.
    /// - Parameters:
    ///   - paths: several are one capture, read in the order of time.
    ///   - filter: an expression of pcap-filter(7).
    /// - Throws: `HandshakesError` where a file cannot be read to its end, or for the filter.
    public init(files paths: String..., filter: String? = nil) throws { try self.init(files: paths, filter: filter) }

    /// The same, of files in an array.
    public init(files paths: [String], filter: String? = nil) throws {
        var attempts: [AttemptRecord] = []
        let summary = try Handshakes.read(files: paths, filter: filter) { attempts.append($0) }
        self.init(attempts, summary, paths.joined(separator: ", "), dropped: 0)
    }

    init(_ attempts: [AttemptRecord], _ summary: HandshakeSummary, _ source: String, dropped: UInt64) {
        self.attempts = attempts.sorted { $0.id < $1.id }
        self.summary = summary
        self.source = source
        self.dropped = dropped
    }

    /// Hands out the attempts of capture files as they are decided, in memory that does not grow with the files.
    /// - Parameters:
    ///   - paths: several are one capture, read in the order of time.
    ///   - filter: an expression of pcap-filter(7).
    ///   - take: takes an attempt, on the thread that called.
    /// - Returns: the totals.
    /// - Throws: `HandshakesError` where a file cannot be opened, for the filter, and where a file breaks off, once
    ///   everything that could be read was handed out; and what `take` throws.
    @discardableResult
    public static func read(
        files paths: [String], filter: String? = nil, _ take: (AttemptRecord) throws -> Void
    ) throws -> HandshakeSummary {
        let reader: CaptureReader
        do throws(CaptureError) {
            reader = try CaptureReader(paths: paths, .init(filter: filter))
        } catch {
            throw HandshakesError(error.description)
        }
        var pipeline = FilePipeline(
            reader, HandshakeTracker.Configuration(), workers: Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        let summary = try withoutActuallyEscaping(take) { take in
            var taker = ClosureTaker(body: take)
            return try pipeline.run(&taker)
        }
        if let failure = reader.failures.first { throw HandshakesError(failure.description) }
        return summary
    }

    /// Captures on an interface while a body runs; what is open at its end is decided then.
    ///
    /// It needs the right to capture (CAP_NET_RAW, or root).
    /// - Parameters:
    ///   - interface: its name, as `lo`; `any` stands for all.
    ///   - filter: an expression of pcap-filter(7). Others connect too: name the port.
    ///   - body: what is done meanwhile.
    /// - Returns: the attempts, and what the body returned.
    /// - Throws: `HandshakesError` where capturing is not possible, and what the body throws.
    public static func captured<Result: Sendable>(
        on interface: String, filter: String? = nil, _ body: () async throws -> Result
    ) async throws -> (handshakes: Handshakes, result: Result) {
        let session = try LiveSession(interface, filter)
        let result: Result
        do {
            result = try await body()
        } catch {
            _ = await session.end()
            throw error
        }
        return (await session.end(), result)
    }

    /// Situations of the attempts, the worst first, as `synscope diagnose` finds it (docs/diagnosis.md).
    public var situations: [Situation] { Diagnosis(attempts).situations }

    /// The ladder diagram of an attempt, 100 columns of UTF-8.
    public func ladder(of attempt: AttemptRecord) -> String {
        var out = OutputBuffer()
        Ladder(attempt, style: TextStyle(usesColor: false, usesUnicode: true, width: 100)).draw(to: &out)
        return String(decoding: out.bytes, as: UTF8.self)
    }
}

/// Hands attempts to a closure.
private struct ClosureTaker: AttemptTaker {
    let body: (AttemptRecord) throws -> Void

    func take(_ record: AttemptRecord) throws { try body(record) }
}
