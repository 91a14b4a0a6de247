package import PacketWire

/// Reads one or several savefiles as one capture, in the order of time, into batches of decoded frames.
package final class CaptureReader {
    // A non-copyable file in a class, so that there can be several.
    private final class Source {
        var file: Savefile
        /// Its place among files whose frames have the same time.
        let rank: Int
        /// Its place in `descriptions`.
        let number: Int
        /// Frames that were taken from it.
        var frames: UInt64 = 0

        init(_ file: consuming Savefile, rank: Int, number: Int) {
            self.file = file
            self.rank = rank
            self.number = number
        }
    }

    /// A file that is opened again when its first frame's time comes.
    private struct Later {
        var path: String
        var rank: Int
        var number: Int
        var start: Int64
        var size: Int64
    }

    /// How files are read.
    package struct Options: Sendable {
        /// An expression of pcap-filter(7).
        package var filter: String?
        /// The most frames to deliver.
        package var limit: UInt64?
        package var verifiesChecksums = true
        /// The link type of all frames, whatever the files say; nil where they are believed.
        package var linkType: LinkType?
        /// UDP ports that carry a tunnel beside the known ones.
        package var tunnelRules = TunnelRules()
        /// Whether the end of a file is only its end so far, and what takes its name is read next.
        package var follows = false
        /// Whether the user has asked to stop; asked when a signal interrupts a read, and while a file is followed.
        package var isInterrupted: @Sendable () -> Bool = { false }

        package init(filter: String? = nil, limit: UInt64? = nil, verifiesChecksums: Bool = true) {
            self.filter = filter
            self.limit = limit
            self.verifiesChecksums = verifiesChecksums
        }
    }

    private let options: Options
    /// Open files, each with a next frame.
    private var sources: [Source] = []
    /// Files to come, the next one last.
    private var later: [Later] = []
    /// The file that frames are taken from, until one of another is earlier.
    private var current: Source?
    /// The earliest frame of any other file.
    private var others = (time: Int64.max, rank: Int.max)
    package let descriptions: [SavefileDescription]
    /// Nanoseconds since the epoch of the first frame; nil where there is none.
    package private(set) var started: Int64?
    /// The rules for their frames.
    private var delivery: FrameDelivery
    package var filterExpression: String? { delivery.filter?.expression }
    /// Frames taken from the files so far, those that the filter stopped included.
    package var frameNumber: UInt64 { delivery.frameNumber }
    /// Frames that the filter stopped.
    package var filteredOut: UInt64 { delivery.filteredOut }
    /// Frames of which their file does not say when they came.
    package var untimed: UInt64 { delivery.untimed }
    /// Comments on single frames.
    package let comments = FrameComments()
    /// Where frames are, if there are several files.
    package let places: FramePlaces?
    /// The error of each file that broke off.
    package private(set) var failures: [CaptureError]
    private var endedLosses = SavefileLosses()
    /// Octets of files that were read to their end.
    private var endedSize: Int64 = 0

    /// Files that are open at a time though their frames are not due.
    private static let maximumOpen = 8

    /// - Parameters:
    ///   - paths: files; `-` is standard input.
    ///   - filter: the filter of the options, where it was compiled before.
    /// - Throws: `CaptureError` if no file can be read at all, or for the filter. A file that cannot be read beside
    ///   others that can is one of `failures`.
    package init(
        paths: [String], _ options: Options = Options(), filter: PacketFilter? = nil
    ) throws(CaptureError) {
        var failures: [CaptureError] = []
        var opened: [Source] = []
        var (descriptions, later): ([SavefileDescription], [Later]) = ([], [])
        var start = Int64.max
        let ranks = CaptureReader.ranks(paths)
        for (path, rank) in zip(paths, ranks) {
            do throws(CaptureError) {
                let source: Source
                if options.follows {
                    guard let file = try CaptureReader.openFollowed(path, options) else { continue }
                    source = Source(file, rank: rank, number: descriptions.count)
                } else {
                    source = Source(
                        try Savefile.open(
                            path, isOneOfMany: paths.count > CaptureReader.maximumOpen, linkType: options.linkType,
                            isInterrupted: options.isInterrupted), rank: rank, number: descriptions.count)
                }
                descriptions.append(source.file.description)
                if let first = source.file.next, first.isTimed { start = min(start, first.time) }
                if paths.count > CaptureReader.maximumOpen, let first = source.file.next,
                    let size = source.file.progress?.all
                {
                    later.append(
                        Later(path: path, rank: rank, number: source.number, start: first.time, size: size))
                } else {
                    opened.append(source)
                }
            } catch {
                failures.append(error)
            }
        }
        if descriptions.isEmpty, let failure = failures.first { throw failure }
        self.options = options
        self.failures = failures
        self.descriptions = descriptions
        places = descriptions.count > 1 ? FramePlaces(descriptions.map(\.name)) : nil
        self.later = later.sorted { ($1.start, $1.rank) < ($0.start, $0.rank) }
        started = start == .max ? nil : start
        let linkType = descriptions.first?.linkType ?? .ethernet
        delivery = FrameDelivery(
            FrameDecoder(
                linkType, verifiesChecksums: options.verifiesChecksums, tunnelRules: options.tunnelRules),
            limit: options.limit ?? .max, comments: comments)
        if let filter = filter ?? options.filter.map({ PacketFilter($0) }) {
            try filter.require(linkType.rawValue == .max ? .ethernet : linkType)
            delivery.filter = filter
        }
        for source in opened { admit(source) }
    }

    /// Each file's place where times do not decide: by name, numbers in it by value, so that a rotated set (`trace`,
    /// `trace1`, ..., `trace10`) is in order.
    private static func ranks(_ paths: [String]) -> [Int] {
        let names = paths.map(NaturalOrder.init)
        let order = paths.indices.sorted { names[$0] == names[$1] ? $0 < $1 : names[$0] < names[$1] }
        var ranks = [Int](repeating: 0, count: paths.count)
        for (rank, position) in order.enumerated() { ranks[position] = rank }
        return ranks
    }

    /// Fills a batch; it stays empty at the end. A batch is handed on short of full rather than wait for a pipe's
    /// writer.
    package func fill(_ batch: inout FrameBatch) {
        batch.removeAll()
        while !batch.isFull {
            guard !delivery.isLimitReached else { return batch.endFragments() }
            guard let source = underway ?? next(mayWait: batch.count == 0) else {
                if isEnded { batch.endFragments() }
                return
            }
            if started == nil, let first = source.file.next, first.isTimed { started = first.time }
            let first = delivery.frameNumber + 1
            let goesOn = source.file.deliver(into: &batch, &delivery, rank: source.rank, before: others)
            places?.begin(first, own: source.frames + 1, of: source.number)
            source.frames += delivery.frameNumber + 1 - first
            batch.declare(tick: source.file.coarsestResolution)
            guard goesOn else { return }
        }
    }

    /// Whether frames are those of one file that a thread reads ahead of this reader: then nobody waits for the reader
    /// for long.
    package var isReadAhead: Bool {
        sources.count == 1 && descriptions.count == 1 && !options.follows && sources[0].file.isReadAhead
    }

    /// Has the one file that is read ahead end where storage does not answer and nobody wants more.
    func givesUp(_ isUnwanted: @escaping @Sendable () -> Bool) { sources[0].file.givesUp(isUnwanted) }

    private var isEnded: Bool { sources.isEmpty && later.isEmpty || options.isInterrupted() }

    /// The file whose frame came last: the next is most often its own, and is found with those behind it.
    private var underway: Source? { current?.file.isDelivered == true ? current : nil }

    /// The file with the next frame, ready; nil where it would have to be waited for, and at the end.
    private func next(mayWait: Bool) -> Source? {
        if let current {
            guard current.file.makeReady(mayWait: mayWait) else { return nil }
            if let header = current.file.next, (header.time, current.rank) < others { return current }
        }
        return choose(mayWait: mayWait)
    }

    /// Makes the file with the earliest frame the current one.
    private func choose(mayWait: Bool) -> Source? {
        if let current, current.file.next == nil {
            guard mayWait || !options.follows else { return nil }
            retire(current)
        }
        current = nil
        while true {
            var best: Source?
            others = (.max, .max)
            for source in sources {
                guard let time = source.file.next?.time else { continue }
                if let champion = best, let least = champion.file.next?.time {
                    if (time, source.rank) < (least, champion.rank) {
                        others = (least, champion.rank)
                        best = source
                    } else if (time, source.rank) < others {
                        others = (time, source.rank)
                    }
                } else {
                    best = source
                }
            }
            if let due = later.last {
                if let best, let time = best.file.next?.time, (time, best.rank) < (due.start, due.rank) {
                    if (due.start, due.rank) < others { others = (due.start, due.rank) }
                } else {
                    later.removeLast()
                    reopen(due)
                    continue
                }
            }
            current = best
            return best
        }
    }

    private func reopen(_ file: Later) {
        do throws(CaptureError) {
            admit(
                Source(
                    try Savefile.open(
                        file.path, isOneOfMany: true, linkType: options.linkType, isInterrupted: options.isInterrupted),
                    rank: file.rank, number: file.number))
        } catch {
            failures.append(error)
        }
    }

    /// A file is open; one without a frame is at its end.
    private func admit(_ source: Source) {
        sources.append(source)
        if source.file.next == nil { retire(source) }
    }

    /// A file is at its end, or broke off.
    private func retire(_ source: Source) {
        sources.removeAll { $0 === source }
        endedLosses.add(source.file.losses)
        endedSize += source.file.progress?.all ?? 0
        if let complaint = source.file.complaint { failures.append(complaint) }
        // With --follow, the last record may be half written when the user ends the run.
        let isUnfinished = options.follows && options.isInterrupted() && source.file.failure?.kind == .cutShort
        if let failure = source.file.failure, !isUnfinished { failures.append(failure) }
        guard options.follows, source.file.failure?.kind != .corrupt, !options.isInterrupted() else { return }
        // Another file has taken the name, or will.
        do throws(CaptureError) {
            if let file = try CaptureReader.openFollowed(source.file.description.name, options) {
                sources.append(Source(file, rank: source.rank, number: source.number))
            }
        } catch {
            failures.append(error)
        }
    }

    /// Opens a file that is followed once it has a frame: what was empty, or had none, and was replaced is passed over.
    /// - Returns: nil where the user has had enough.
    private static func openFollowed(_ path: String, _ options: Options) throws(CaptureError) -> Savefile? {
        while !options.isInterrupted() {
            do throws(CaptureError) {
                let file = try Savefile.open(
                    path, follows: true, linkType: options.linkType, isInterrupted: options.isInterrupted)
                if file.next != nil { return file }
                if let failure = file.failure, failure.kind != .cutShort { throw failure }
            } catch {
                guard error.kind == .cutShort || options.isInterrupted() else { throw error }
            }
        }
        return nil
    }

    /// Drops that pcapng files tell of.
    package var losses: SavefileLosses {
        sources.reduce(into: endedLosses) { $0.add($1.file.losses) }
    }

    /// Octets of the files that were read, and that they have; nil where that cannot be known.
    package var progress: (done: Int64, all: Int64)? {
        var (done, all) = (endedSize, endedSize + later.reduce(0) { $0 + $1.size })
        for source in sources {
            guard let progress = source.file.progress else { return nil }
            done += progress.done
            all += progress.all
        }
        return (done, all)
    }

    /// A frame as it was captured.
    package struct WholeFrame: Sendable {
        /// From 1.
        package var number: UInt64
        package var octets: [UInt8]
        /// Octets that it had.
        package var wireLength: Int
        /// Nanoseconds since the epoch.
        package var time: Int64
        package var linkType: LinkType
    }

    /// The next frame of the files, undecoded and not asked of the filter; nil at their end. Not beside `fill`.
    package func nextFrame() -> WholeFrame? {
        guard let source = next(mayWait: true), let header = source.file.next else { return nil }
        delivery.frameNumber += 1
        let octets = unsafe source.file.frame.withUnsafeBytes { unsafe Array($0) }
        source.file.isDelivered = true
        return WholeFrame(
            number: delivery.frameNumber, octets: octets, wireLength: header.wireLength, time: header.time,
            linkType: header.linkType)
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
        while let target = number, let frame = nextFrame() {
            guard frame.number == target else { continue }
            let interface: Int
            if let position = linkTypes.firstIndex(of: frame.linkType) {
                interface = position
            } else {
                interface = linkTypes.count
                linkTypes.append(frame.linkType)
                writer.add(.init(linkType: frame.linkType, snaplen: 262_144))
            }
            writer.write(
                frame.octets, wireLength: frame.wireLength, time: frame.time, interface: interface,
                comments: [comment(target)])
            number = wanted.next()
        }
    }
}
