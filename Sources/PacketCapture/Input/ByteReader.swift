import Glibc

/// A window over a file or pipe: reads large pieces, keeps what is not consumed. The window grows only as far as data
/// really comes, so a length field that lies costs nothing.
@safe struct ByteReader: ~Copyable {
    let name: String
    private let input: RawInput
    private var base: UnsafeMutableRawPointer
    private var capacity: Int
    private var start = 0
    private var end = 0
    private(set) var failure: CaptureError?
    private var isAtEnd = false
    private var isRecognised = false
    private var compression: Compression?
    private var decompressed: DecompressedInput?
    /// Mapping of a large file that is not compressed, once its first octets were read: the window lies in it.
    private var file: FileMapping?
    private var ahead: AheadInput?
    /// Whether the window has octets that the file has not.
    private var wasTorn = false
    /// Whether it may be read ahead.
    private let isWorthAhead: Bool
    /// Whether offsets are those of the decompressed data.
    var isDecompressed: Bool { decompressed != nil }
    /// The command that decompresses the input; nil where it is not compressed.
    var decompressor: String? { decompressed == nil ? nil : compression.map { "\($0.rawValue) -dc" } }
    /// The input's end is only its end so far.
    let follows: Bool
    /// Whether a read may wait for a pipe's writer.
    var mayWait = true
    /// The last read would have had to wait, and was not allowed to.
    private(set) var isStarved = false
    /// Whether the user has asked to stop; asked when a signal interrupts a read.
    private let isInterrupted: @Sendable () -> Bool
    /// Whether nobody wants what is read ahead any more; nil where it is waited for as long as it takes.
    var isUnwanted: (@Sendable () -> Bool)?
    /// Whether it was not waited for: the end of the window is not the input's.
    private(set) var hasGivenUp = false
    /// Octets from the start of the input to the window.
    private(set) var offset: UInt64 = 0

    /// Octets that are asked of the system at a time.
    private let pieceSize: Int

    /// - Parameters:
    ///   - follows: whether a file's end is only its end so far.
    ///   - isOneOfMany: many files are open at a time: each has a small window.
    init(
        path: String, follows: Bool, isOneOfMany: Bool, isInterrupted: @escaping @Sendable () -> Bool
    ) throws(CaptureError) {
        name = path
        self.follows = follows
        self.isInterrupted = isInterrupted
        input = try RawInput(path: path, follows: follows, isInterrupted: isInterrupted)
        pieceSize = isOneOfMany ? 1 << 16 : 1 << 20
        isWorthAhead = !isOneOfMany && !follows && input.isRegular && (input.size ?? 0) > 4 << 20
        capacity = pieceSize * 2
        unsafe base = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit {
        if file == nil { unsafe base.deallocate() }
        decompressed?.stop()
    }

    /// Whether a thread reads ahead of this.
    var isReadAhead: Bool { ahead != nil }

    /// Octets of the input that were read, and that it has; nil where that cannot be known.
    var progress: (done: Int64, all: Int64)? {
        // To ask for a descriptor's position would wait for the thread that reads from it.
        guard let all = input.size, let done = ahead == nil ? input.position : Int64(clamping: offset) else {
            return nil
        }
        return (done, all)
    }

    /// Octets in the window.
    @inline(__always) var available: Int { end - start }

    /// Whether `count` octets are in the window, after reading as much as that needs.
    @inline(__always)
    mutating func has(_ count: Int) -> Bool { available >= count || fill(count) }

    @inline(never)
    private mutating func fill(_ count: Int) -> Bool {
        isStarved = false
        while available < count, !isAtEnd {
            if !mayWait, input.mayWait, !(decompressed.map(\.hasPending) ?? input.hasInput()) {
                isStarved = true
                return false
            }
            if ahead != nil {
                takeAhead()
                continue
            }
            if start > 0 {
                unsafe memmove(base, base + start, available)
                end -= start
                start = 0
            }
            if capacity - end < pieceSize / 2 {
                let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity * 2, alignment: 16)
                unsafe memcpy(larger, base, end)
                unsafe base.deallocate()
                unsafe base = larger
                capacity *= 2
            }
            let got = pull()
            if got > 0 {
                end += got
                recognise()
            } else if got == 0 {
                isAtEnd = true
            } else if errno == EINTR {
                isAtEnd = isInterrupted()
            } else {
                failure = CaptureError(
                    .unreadable, name, at: offset + UInt64(available), "cannot read on: \(systemMessage(errno))")
                isAtEnd = true
            }
        }
        return available >= count
    }

    /// From here on the window is in the mapping of the file, if there can be one.
    private mutating func goAhead() {
        guard let position = input.position.map(Int.init), let file = input.mapping(), position < file.byteCount,
            let ahead = AheadInput(position..<file.byteCount, provide: file.provide, leave: file.leave)
        else { return }
        unsafe base.deallocate()
        unsafe base = UnsafeMutableRawPointer(mutating: file.address)
        (start, end) = (position - available, position)
        self.file = file
        self.ahead = ahead
    }

    /// Has more of the mapped file in the window.
    private mutating func takeAhead() {
        guard let ahead else { return }
        if let there = ahead.take(unless: isUnwanted) {
            end = there
        } else if ahead.hasGivenUp {
            hasGivenUp = true
            isAtEnd = true
        } else {
            leaveMapping()
        }
    }

    /// What was written to the file meanwhile, and what is wrong where it could not be mapped, comes as of any other.
    private mutating func leaveMapping() {
        let left = available
        capacity = max(pieceSize * 2, left + pieceSize)
        let own = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
        unsafe memcpy(own, base + start, left)
        input.seek(to: end)
        wasTorn = isCut(before: left)
        unsafe base = own
        (start, end) = (0, left)
        (file, ahead) = (nil, nil)
    }

    /// Whether octets of the window were missing where they were read.
    @inline(__always) var isTorn: Bool { wasTorn || file?.isTorn ?? false }

    /// Whether the file ends before the window's octet of that number. Of the page that it ends in now the rest is 0,
    /// and not missing.
    func isCut(before count: Int) -> Bool { isTorn || file != nil && input.size.map { $0 < start + count } ?? false }

    /// Reads, decompressed where the input is compressed. 0 at the end, negative where reading failed.
    private mutating func pull() -> Int {
        let (free, room) = unsafe (base + end, capacity - end)
        guard let decompressed else { return unsafe input.read(into: free, room) }
        let count = unsafe decompressed.read(into: free, room)
        if count == 0, let end = decompressed.end { failure = describe(end) }
        return count
    }

    private func describe(_ end: DecompressedInput.End) -> CaptureError? {
        let place = offset + UInt64(available)
        let name = compression?.rawValue ?? ""
        var failure: CaptureError
        switch end {
        case .complete: return nil
        case .cutShort:
            failure = CaptureError(
                .cutShort, self.name, at: place, "the \(name) data end in the middle",
                advice: "What came before was read")
        case .damaged(let words):
            failure = CaptureError(
                .corrupt, self.name, at: place, "the \(name) data are damaged: \(words)",
                advice: "What came before was read")
        case .unreadable(let code):
            failure = CaptureError(.unreadable, self.name, at: place, "cannot read on: \(systemMessage(code))")
        }
        failure.isDecompressed = true
        return failure
    }

    /// Compressed input is recognised by its first octets, once they are there.
    private mutating func recognise() {
        guard !isRecognised, available >= 4 else { return }
        isRecognised = true
        guard let compression = Compression(magic: FileOrder(isBig: true).u32(bytes, 0)) else {
            if isWorthAhead { goAhead() }
            return
        }
        self.compression = compression
        let head = unsafe UnsafeRawBufferPointer(start: base + start, count: available)
        // Pieces that stay in a core's cache on their way from one thread to the other.
        decompressed = unsafe DecompressedInput(compression, input, head: head, pieceSize: min(pieceSize, 1 << 18))
        start = 0
        end = 0
        if decompressed == nil {
            failure = CaptureError(
                .unreadable, name, "cannot be decompressed: \(systemMessage(errno))", advice: RawInput.descriptorAdvice)
            isAtEnd = true
        }
    }

    /// The window.
    var bytes: RawSpan {
        @_lifetime(borrow self)
        @inline(__always)
        get {
            let span = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(base + start), byteCount: end - start)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// The window's address, for libpcap's filter machine.
    var address: UnsafeRawPointer { unsafe UnsafeRawPointer(base + start) }

    @inline(__always)
    mutating func consume(_ count: Int) {
        precondition(count >= 0 && count <= available)
        start += count
        offset += UInt64(count)
    }
}

extension ByteReader {
    /// Passes over octets without holding them all at once; false where the input ends before.
    mutating func skip(_ count: Int) -> Bool {
        var left = count
        while left > 0 {
            guard has(1) else { return false }
            let piece = min(left, available)
            consume(piece)
            left -= piece
        }
        return true
    }
}

func systemMessage(_ code: Int32) -> String {
    unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
}

/// Integers in the byte order of a file.
struct FileOrder: Sendable {
    let isBig: Bool

    @inline(__always)
    func u16(_ bytes: RawSpan, _ offset: Int) -> UInt16 {
        let value = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self)
        return isBig ? value.bigEndian : value.littleEndian
    }

    @inline(__always)
    func u32(_ bytes: RawSpan, _ offset: Int) -> UInt32 {
        let value = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self)
        return isBig ? value.bigEndian : value.littleEndian
    }

    @inline(__always)
    func u64(_ bytes: RawSpan, _ offset: Int) -> UInt64 {
        let value = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
        return isBig ? value.bigEndian : value.littleEndian
    }
}
