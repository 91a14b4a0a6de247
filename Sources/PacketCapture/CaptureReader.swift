package import PacketWire

/// Reads one or several savefiles as one capture, in the order of time, into batches of decoded frames.
package final class CaptureReader {
    // A non-copyable file in a class, so that there can be several.
    private final class Source {
        var file: Savefile
        init(_ file: consuming Savefile) { self.file = file }
    }

    private var sources: [Source]
    package let descriptions: [SavefileDescription]
    /// Nanoseconds since the epoch of the first frame; nil where there is none.
    package let started: Int64?
    private let filter: PacketFilter?
    package var filterExpression: String? { filter?.expression }
    private let limit: UInt64
    private var decoder: FrameDecoder
    /// Frames taken from the files so far, those that the filter stopped included.
    package private(set) var frameNumber: UInt64 = 0
    /// Frames that the filter stopped.
    package private(set) var filteredOut: UInt64 = 0
    private var delivered: UInt64 = 0
    /// What broke off, with each file that did.
    package private(set) var failures: [CaptureError]

    /// - Parameters:
    ///   - paths: files; `-` is standard input.
    ///   - filter: an expression of pcap-filter(7).
    ///   - limit: the most frames to deliver.
    /// - Throws: `CaptureError` if no file can be read at all, or for the filter. A file that cannot be read beside
    ///   others that can is one of `failures`.
    package init(paths: [String], filter expression: String?, limit: UInt64?, verifiesChecksums: Bool)
        throws(CaptureError)
    {
        var sources: [Source] = []
        var failures: [CaptureError] = []
        for path in paths {
            do throws(CaptureError) {
                sources.append(Source(try Savefile.open(path)))
            } catch {
                failures.append(error)
            }
        }
        if sources.isEmpty, let failure = failures.first { throw failure }
        self.sources = sources
        self.failures = failures
        self.limit = limit ?? .max
        descriptions = sources.map { $0.file.description }
        started = sources.compactMap { $0.file.next?.time }.min()
        let linkType = descriptions.first?.linkType ?? .ethernet
        if let expression {
            filter = try PacketFilter(expression, for: linkType.rawValue == .max ? .ethernet : linkType)
        } else {
            filter = nil
        }
        decoder = FrameDecoder(linkType)
        decoder.verifiesChecksums = verifiesChecksums
    }

    /// Fills a batch; it stays empty at the end.
    package func fill(_ batch: inout FrameBatch) {
        batch.count = 0
        while !batch.isFull, delivered < limit {
            guard let source = sources.count == 1 ? sources[0] : earliest(), let header = source.file.next else {
                return finish()
            }
            frameNumber += 1
            if let filter, unsafe !filter.passes(header, source.file.frameAddress) {
                filteredOut += 1
            } else {
                if header.linkType != decoder.linkType {
                    let verifies = decoder.verifiesChecksums
                    decoder = FrameDecoder(header.linkType)
                    decoder.verifiesChecksums = verifies
                }
                batch.append(
                    source.file.frame, wireLength: header.wireLength, number: frameNumber, time: header.time,
                    decoder: decoder)
                delivered += 1
            }
            source.file.advance()
        }
    }

    /// The file whose next frame is the earliest; of equals the first named.
    private func earliest() -> Source? {
        sources.filter { $0.file.next != nil }.min { ($0.file.next?.time ?? .max) < ($1.file.next?.time ?? .max) }
    }

    private func finish() {
        failures += sources.compactMap { $0.file.failure }
        sources = []
    }
}
