import CZlib

/// Decompresses gzip (RFC 1952), several members one after the other, as it is read.
@safe final class Inflater {
    enum Failure: Error {
        /// The input ends before the data do.
        case cutShort
        /// zlib's words.
        case damaged(String)
    }

    private static let inputSize = 1 << 18
    // zlib keeps a pointer to its stream: it must not move.
    private let stream: UnsafeMutablePointer<z_stream>
    private let input: UnsafeMutableRawPointer
    private var isBetweenMembers = false

    /// - Parameter head: what was read of the input already.
    init?(head: UnsafeRawBufferPointer) {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        unsafe input = UnsafeMutableRawPointer.allocate(byteCount: max(Inflater.inputSize, head.count), alignment: 16)
        if let base = head.baseAddress { unsafe input.copyMemory(from: base, byteCount: head.count) }
        unsafe stream.pointee.next_in = input.assumingMemoryBound(to: UInt8.self)
        unsafe stream.pointee.avail_in = UInt32(head.count)
        // 15 bits of window; 16 more ask for gzip's header and check.
        guard unsafe inflateInit2_(stream, 31, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            return nil
        }
    }

    deinit {
        unsafe inflateEnd(stream)
        unsafe stream.deallocate()
        unsafe input.deallocate()
    }

    /// Whether it can go on without reading.
    var hasPending: Bool { unsafe stream.pointee.avail_in > 0 }

    /// Decompresses into a buffer.
    /// - Parameter refill: reads more of the input; 0 at its end, negative where reading failed.
    /// - Returns: octets; 0 at the end of the data, negative where reading failed.
    func read(
        into buffer: UnsafeMutableRawPointer, _ capacity: Int, refill: (UnsafeMutableRawPointer, Int) -> Int
    ) throws(Failure) -> Int {
        unsafe stream.pointee.next_out = buffer.assumingMemoryBound(to: UInt8.self)
        unsafe stream.pointee.avail_out = UInt32(min(capacity, Int(UInt32.max)))
        let room = unsafe stream.pointee.avail_out
        while true {
            if unsafe stream.pointee.avail_in == 0 {
                let count = unsafe refill(input, Inflater.inputSize)
                if count < 0 { return count }
                if count == 0 {
                    if isBetweenMembers { return 0 }
                    throw .cutShort
                }
                unsafe stream.pointee.next_in = input.assumingMemoryBound(to: UInt8.self)
                unsafe stream.pointee.avail_in = UInt32(count)
            }
            if isBetweenMembers {
                unsafe inflateReset(stream)
                isBetweenMembers = false
            }
            let status = unsafe inflate(stream, Z_NO_FLUSH)
            if status == Z_STREAM_END { isBetweenMembers = true }
            let produced = unsafe Int(room - stream.pointee.avail_out)
            if produced > 0 { return produced }
            guard status == Z_OK || status == Z_BUF_ERROR || status == Z_STREAM_END else {
                throw .damaged(unsafe stream.pointee.msg.map { unsafe String(cString: $0) } ?? "error \(status)")
            }
        }
    }
}
