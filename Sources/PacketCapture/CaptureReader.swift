package import PacketWire

/// Reads one or several savefiles as one capture, in the order of time, into batches of decoded frames.
package final class CaptureReader {
    // A non-copyable file in a class, so that there can be several.
    private final class Source {
        var file: Savefile
        /// Its current frame was delivered: the next is looked for when it is needed, since that may mean to wait.
        var isDelivered = false
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
    ///   - isInterrupted: whether the user has asked to stop; asked when a signal interrupts a read.
    /// - Throws: `CaptureError` if no file can be read at all, or for the filter. A file that cannot be read beside
    ///   others that can is one of `failures`.
    package init(
        paths: [String], filter expression: String?, limit: UInt64?, verifiesChecksums: Bool,
        isInterrupted: @escaping @Sendable () -> Bool = { false }
    ) throws(CaptureError) {
        var sources: [Source] = []
        var failures: [CaptureError] = []
        for path in paths {
            do throws(CaptureError) {
                sources.append(Source(try Savefile.open(path, isInterrupted: isInterrupted)))
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

    /// Fills a batch; it stays empty at the end. A batch is handed on short of full rather than wait for a pipe's writer.
    package func fill(_ batch: inout FrameBatch) {
        batch.count = 0
        while !batch.isFull, delivered < limit {
            guard advance(mayWait: batch.count == 0) else { return }
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
            source.isDelivered = true
        }
    }

    /// Makes each file's next frame ready; false where one of them would have to be waited for.
    private func advance(mayWait: Bool) -> Bool {
        for source in sources where source.isDelivered {
            guard source.file.advance(mayWait: mayWait) else { return false }
            source.isDelivered = false
        }
        return true
    }

    /// Copies frames as they were captured, to the end of the files or of the numbers.
    /// - Parameters:
    ///   - numbers: of the frames, in order.
    ///   - writer: writes pcapng, its header taken or not; an interface is added for each link type.
    ///   - comment: what the copy says of the frame with a number.
    package func copyFrames(
        _ numbers: some Sequence<UInt64>, to writer: inout SavefileWriter, comment: (UInt64) -> String
    ) {
        var linkTypes: [LinkType] = []
        var wanted = numbers.makeIterator()
        var number = wanted.next()
        while let target = number, advance(mayWait: true) {
            guard let source = earliest(), let header = source.file.next else { return finish() }
            frameNumber += 1
            if frameNumber == target {
                let interface: Int
                if let position = linkTypes.firstIndex(of: header.linkType) {
                    interface = position
                } else {
                    interface = linkTypes.count
                    linkTypes.append(header.linkType)
                    writer.add(.init(linkType: header.linkType, snaplen: 262_144))
                }
                let octets = unsafe source.file.frame.withUnsafeBytes { unsafe Array($0) }
                writer.write(
                    octets, wireLength: header.wireLength, time: header.time, interface: interface,
                    comment: comment(target))
                number = wanted.next()
            }
            source.isDelivered = true
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
