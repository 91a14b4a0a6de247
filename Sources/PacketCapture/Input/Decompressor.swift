import CLz4
import CZlib
import CZstd

/// Formats of compressed input: their magic, and their decompressor.
enum Compression: String, CaseIterable {
    case gzip, zstd, lz4

    /// RFC 1952 2.3.1, RFC 8878 3.1.1, and the LZ4 frame format.
    init?(magic: UInt32) {
        switch magic {
        case 0x1f8b_0000...0x1f8b_ffff: self = .gzip
        case 0x28b5_2ffd: self = .zstd
        case 0x0422_4d18: self = .lz4
        default: return nil
        }
    }

    /// - Returns: nil where there is no memory for it.
    func makeDecompressor() -> (any Decompressor)? {
        switch self {
        case .gzip: GzipDecompressor()
        case .zstd: ZstdDecompressor()
        case .lz4: Lz4Decompressor()
        }
    }
}

/// One of the libraries. It takes any pieces of input, and goes on after the end of a member or frame with the next.
protocol Decompressor: AnyObject {
    /// - Returns: octets taken and given. Neither is given where more input is needed.
    func step(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(DamagedData) -> (taken: Int, given: Int)

    /// Whether the input may end here.
    var isBetweenFrames: Bool { get }
}

/// The library's words for what is wrong.
struct DamagedData: Error {
    var words: String
}

@safe private final class GzipDecompressor: Decompressor {
    // zlib keeps a pointer to its stream: it must not move.
    private let stream: UnsafeMutablePointer<z_stream>
    private(set) var isBetweenFrames = false

    init?() {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        // 15 bits of window; 16 more ask for gzip's header and check.
        guard unsafe inflateInit2_(stream, 31, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            return nil
        }
    }

    deinit {
        unsafe inflateEnd(stream)
        unsafe stream.deallocate()
    }

    func step(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(DamagedData) -> (taken: Int, given: Int) {
        if unsafe input.isEmpty { return (0, 0) }
        if isBetweenFrames {
            // Zeros fill up tapes and blocks after the last member, as gzip(1) knows.
            let zeros = unsafe input.prefix { $0 == 0 }.count
            if zeros > 0 { return (zeros, 0) }
            unsafe inflateReset(stream)
            isBetweenFrames = false
        }
        unsafe stream.pointee.next_in = UnsafeMutablePointer(
            mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
        unsafe stream.pointee.avail_in = UInt32(input.count)
        unsafe stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        unsafe stream.pointee.avail_out = UInt32(output.count)
        let status = unsafe inflate(stream, Z_NO_FLUSH)
        isBetweenFrames = status == Z_STREAM_END
        let step = unsafe (input.count - Int(stream.pointee.avail_in), output.count - Int(stream.pointee.avail_out))
        guard status == Z_OK || status == Z_BUF_ERROR || status == Z_STREAM_END || step.1 > 0 else {
            throw DamagedData(words: unsafe stream.pointee.msg.map { unsafe String(cString: $0) } ?? "error \(status)")
        }
        return step
    }
}

@safe private final class ZstdDecompressor: Decompressor {
    private let stream: OpaquePointer
    private(set) var isBetweenFrames = false

    init?() {
        guard let stream = unsafe ZSTD_createDStream() else { return nil }
        unsafe self.stream = stream
    }

    deinit { unsafe ZSTD_freeDStream(stream) }

    func step(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(DamagedData) -> (taken: Int, given: Int) {
        var source = unsafe ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
        var target = unsafe ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
        let code = unsafe ZSTD_decompressStream(stream, &target, &source)
        if ZSTD_isError(code) != 0 { throw DamagedData(words: unsafe String(cString: ZSTD_getErrorName(code))) }
        let step = unsafe (source.pos, target.pos)
        // After a frame's end a call without input asks for the next frame's header.
        if step != (0, 0) { isBetweenFrames = code == 0 }
        return step
    }
}

@safe private final class Lz4Decompressor: Decompressor {
    private let context: OpaquePointer
    private(set) var isBetweenFrames = false

    init?() {
        var context: OpaquePointer?
        let code = unsafe LZ4F_createDecompressionContext(&context, UInt32(LZ4F_VERSION))
        guard LZ4F_isError(code) == 0, let context = unsafe context else { return nil }
        unsafe self.context = context
    }

    deinit { unsafe LZ4F_freeDecompressionContext(context) }

    func step(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(DamagedData) -> (taken: Int, given: Int) {
        var (taken, given) = (input.count, output.count)
        let code = unsafe LZ4F_decompress(context, output.baseAddress, &given, input.baseAddress, &taken, nil)
        if LZ4F_isError(code) != 0 { throw DamagedData(words: unsafe String(cString: LZ4F_getErrorName(code))) }
        if (taken, given) != (0, 0) { isBetweenFrames = code == 0 }
        return (taken, given)
    }
}
