import CLinux
import PacketWire

/// One frame's place in a capture file: its octets are the first `capturedLength` of the reader's window.
struct FrameHeader {
    var linkType: LinkType
    /// Nanoseconds since the epoch.
    var time: Int64
    var capturedLength: Int
    /// Octets on the wire.
    var wireLength: Int
    /// Octets that follow the frame in the file and belong to its record.
    var trailer: Int
    /// The position of its interface among those of its section.
    var interface = 0
    /// Whether its record has a valid time. If not, it has the time of the frame before it, or as the first frame the
    /// second that its record names.
    var isTimed = true
}

/// Reads pcap and pcapng savefiles frame by frame.
struct Savefile: ~Copyable {
    private enum Format {
        case pcap(ClassicFormat)
        case pcapng
    }

    private var reader: ByteReader
    /// The time of the frame before the next.
    private var lastTime: Int64?
    private var format: Format
    private var sections = PcapngState()
    /// The next frame, already found.
    private(set) var next: FrameHeader?
    /// It was delivered: the one after it is looked for when it is needed, since that may mean to wait.
    var isDelivered = false
    /// Why reading ended, if not by the end of the file.
    private(set) var failure: CaptureError?
    private(set) var description: SavefileDescription
    /// Where the frames of a batch lie in the window.
    private var places = [FramePlace](repeating: FramePlace(), count: FrameBatch.capacity)

    /// No record may claim more octets than this; the largest snaplen in use is 256 KiB.
    static let largestFrame = 16 << 20

    private init(_ reader: consuming ByteReader, _ format: Format, _ description: SavefileDescription) {
        self.reader = reader
        self.format = format
        self.description = description
    }

    /// Opens a file and finds its first frame.
    /// - Parameters:
    ///   - follows: whether a file's end is only its end so far.
    ///   - isOneOfMany: many files are open at a time: each gets little memory.
    ///   - linkType: of all frames, whatever the file says; nil where the file is believed.
    static func open(
        _ path: String, follows: Bool = false, isOneOfMany: Bool = false, linkType: LinkType? = nil,
        isInterrupted: @escaping @Sendable () -> Bool
    ) throws(CaptureError) -> Savefile {
        var reader = try ByteReader(
            path: path, follows: follows, isOneOfMany: isOneOfMany, isInterrupted: isInterrupted)
        let format = try recognise(&reader, linkType)
        // The first interface of a pcapng file is read with its first frame.
        var description = SavefileDescription(
            name: path, format: "pcapng", linkType: LinkType(rawValue: .max), snaplen: 0, timeResolution: 1000)
        if case .pcap(let classic) = format { description = classic.description(path) }
        var file = Savefile(reader, format, description)
        file.sections.assumedLinkType = linkType
        _ = file.advance()
        if let first = file.sections.first {
            file.description.linkType = first.linkType
            file.description.snaplen = first.snaplen
            file.description.timeResolution = first.resolution
            file.description.interfaces = file.sections.notes
            file.description.interfacesOmitted = file.sections.notesOmitted
            file.description.section = file.sections.note
        } else if case .pcapng = format, let failure = file.failure {
            // Broken before its first interface, it has nothing to report; one that has frames does.
            throw failure
        }
        return file
    }

    private static func recognise(_ reader: inout ByteReader, _ linkType: LinkType?) throws(CaptureError) -> Format {
        guard reader.has(4) else {
            if let failure = reader.failure { throw failure }
            throw CaptureError(
                .cutShort, reader.name,
                reader.available == 0 ? "is empty" : "is too short for a capture file (\(reader.available) octets)",
                advice: "A capture without frames still has a file header")
        }
        let magic = FileOrder(isBig: true).u32(reader.bytes, 0)
        if magic == 0x0a0d_0d0a { return .pcapng }
        if var classic = try ClassicFormat(magic, &reader) {
            if let linkType { classic.linkType = linkType }
            return .pcap(classic)
        }
        throw ForeignFormat.error(&reader)
    }

    /// The current frame's octets.
    var frame: RawSpan {
        @_lifetime(borrow self)
        @inline(__always)
        get { reader.bytes.extracting(first: next?.capturedLength ?? 0) }
    }

    /// Faults of a file that was read all the same.
    var complaint: CaptureError? {
        var complaint = sections.complaint
        complaint?.isDecompressed = reader.isDecompressed
        return complaint
    }

    /// Nanoseconds of a unit of a pcapng file's coarsest times so far; 0 for other files.
    var coarsestResolution: Int64 { sections.coarsestResolution }

    /// Drops that a pcapng file tells of.
    var losses: SavefileLosses { sections.losses }

    /// Whether a thread reads its octets ahead.
    var isReadAhead: Bool { reader.isReadAhead }

    /// Has it end where storage does not answer and nobody wants more.
    mutating func givesUp(_ isUnwanted: @escaping @Sendable () -> Bool) { reader.isUnwanted = isUnwanted }

    /// Octets of the file that were read, and that it has; nil where that cannot be known.
    var progress: (done: Int64, all: Int64)? { reader.progress }

    /// Makes the next frame ready; `next` is nil at the end.
    /// - Parameter mayWait: whether it may wait for a pipe's writer.
    /// - Returns: false if it would have to wait.
    @inline(__always)
    mutating func makeReady(mayWait: Bool) -> Bool {
        guard isDelivered else { return true }
        guard advance(mayWait: mayWait) else { return false }
        isDelivered = false
        return true
    }

    /// Decodes frames into a batch, until it is full or another file's turn comes: the loop that everything offline
    /// goes through.
    /// - Parameters:
    ///   - rank: the file's place among those whose frames have the same time.
    ///   - other: time and rank of the first frame that is another file's.
    /// - Returns: false if it would have to wait for a pipe's writer, and has something to hand on.
    mutating func deliver(
        into batch: inout FrameBatch, _ delivery: inout FrameDelivery, rank: Int, before other: (time: Int64, rank: Int)
    ) -> Bool {
        while !batch.isFull, !delivery.isLimitReached {
            if deliverRun(into: &batch, &delivery, rank: rank, before: other) { continue }
            guard makeReady(mayWait: batch.count == 0) else { return false }
            guard let header = next, (header.time, rank) < other else { return true }
            delivery.frameNumber += 1
            isDelivered = true
            if let filter = delivery.filter, unsafe !filter.passes(header, reader.address) {
                delivery.filteredOut += 1
                continue
            }
            if header.linkType != delivery.decoder.linkType { delivery.changeLinkType(header.linkType) }
            batch.append(
                frame, wireLength: header.wireLength, number: delivery.frameNumber, time: header.time,
                decoder: delivery.decoder,
                origin: FrameOrigin(interface: header.interface, isTimed: header.isTimed))
            if !header.isTimed { delivery.untimed += 1 }
            if sections.hasComment, let comment = sections.comment {
                delivery.comments.add(comment, of: delivery.frameNumber, isCut: sections.isCommentCut)
            }
            delivery.delivered += 1
        }
        return true
    }

    /// Decodes the frames of plain records that lie in the window one behind the other, after the frame that was
    /// delivered: the fast part of `deliver`, which does the same one at a time.
    /// - Returns: whether there were any.
    private mutating func deliverRun(
        into batch: inout FrameBatch, _ delivery: inout FrameDelivery, rank: Int, before other: (time: Int64, rank: Int)
    ) -> Bool {
        guard isDelivered, let done = next, delivery.filter == nil, done.linkType == delivery.decoder.linkType else {
            return false
        }
        let room = min(FrameBatch.capacity - batch.count, Int(clamping: delivery.limit - delivery.delivered))
        let start = done.capturedLength + done.trailer
        let count: Int
        let isClassic: Bool
        switch format {
        case .pcap(let classic):
            isClassic = true
            count = classic.places(&places, in: reader.bytes, from: start, maximum: room, rank: rank, before: other)
        case .pcapng:
            isClassic = false
            count = sections.places(
                &places, in: reader.bytes, from: start, of: done.linkType, maximum: room, rank: rank, before: other)
        }
        guard count > 0, !reader.isTorn else { return false }
        let last = places[count - 1]
        let before = batch.mark
        prefetch(after: places.span.extracting(first: count), header: isClassic ? 16 : 28)
        batch.append(
            places.span.extracting(first: count), in: reader.bytes, first: delivery.frameNumber + 1,
            decoder: delivery.decoder)
        // Decoded first: what is cut off only then is not believed either.
        if reader.isTorn || isCut(before: last.offset + last.length) {
            batch.takeBack(to: before)
            return false
        }
        delivery.frameNumber += UInt64(count)
        delivery.delivered += UInt64(count)
        reader.consume(last.offset)
        next = FrameHeader(
            linkType: done.linkType, time: last.time, capturedLength: last.length, wireLength: last.wireLength,
            trailer: isClassic ? 0 : PcapngState.trailer(of: last.length))
        return true
    }

    /// Asks for the heads of the frames that are as far behind these as the next batch's would be, were they as long:
    /// they come while these are decoded. The processor does not see that by itself: heads of bulk are far apart, and
    /// those of short frames are looked for faster than memory is.
    /// - Parameter header: octets of a record before its frame.
    @inline(__always)
    private func prefetch(after places: Span<FramePlace>, header: UInt) {
        let span = places[places.count - 1].offset - places[0].offset
        // Record, link, IP and TCP headers. An address beyond the window is that of what comes next, or of nothing: no
        // harm.
        let start = unsafe UInt(bitPattern: reader.address)
        let ahead = UInt(bitPattern: span / max(1, places.count - 1) * FrameBatch.capacity)
        for place in places.indices {
            let frame = start &+ ahead &+ UInt(bitPattern: places[place].offset)
            unsafe clinux_prefetch_read(UnsafeRawPointer(bitPattern: frame &- header))
            unsafe clinux_prefetch_read(UnsafeRawPointer(bitPattern: frame))
            unsafe clinux_prefetch_read(UnsafeRawPointer(bitPattern: frame &+ 64))
        }
    }

    /// Whether the file was cut before the window's octet of that number: then that reads as 0, and so does what is
    /// behind it. The system is asked where nothing there says otherwise.
    private func isCut(before count: Int) -> Bool {
        let bytes = reader.bytes
        if count > 0 {
            if unsafe bytes.unsafeLoadUnaligned(fromByteOffset: count - 1, as: UInt8.self) != 0 { return false }
            if bytes.byteCount - count >= 8,
                unsafe bytes.unsafeLoadUnaligned(fromByteOffset: count, as: UInt64.self) != 0
            {
                return false
            }
        }
        return reader.isCut(before: count)
    }

    /// Goes to the next frame; `next` is nil at the end.
    /// - Parameter mayWait: whether it may wait for a pipe's writer.
    /// - Returns: false if it would have to wait; nothing is lost, and it can be called again.
    @inline(__always)
    mutating func advance(mayWait: Bool = true) -> Bool {
        if let done = next {
            lastTime = done.time
            reader.consume(done.capturedLength + done.trailer)
        }
        reader.mayWait = mayWait
        let place = reader.offset
        do throws(CaptureError) {
            switch format {
            case .pcap(let classic): next = try classic.next(&reader, after: lastTime)
            case .pcapng: next = try sections.next(&reader)
            }
            if next == nil { failure = reader.failure }
        } catch {
            next = nil
            failure = reader.failure ?? error
            failure?.isDecompressed = reader.isDecompressed
            // It is not the file that ends there.
            if reader.hasGivenUp { failure = nil }
        }
        if reader.isTorn || !reader.hasGivenUp && isCut(before: next?.capturedLength ?? reader.available) {
            next = nil
            failure = CaptureError(
                .cutShort, reader.name, at: place, "the file was cut, or its storage failed, while it was read",
                advice: "What came before was read")
        }
        guard next == nil, !mayWait, reader.isStarved else { return true }
        failure = nil
        return false
    }
}
