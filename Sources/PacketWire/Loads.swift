// The only loads that decoders use. RawSpan checks the bounds of each (an offset outside traps), so `unsafe` here is
// about the type alone, and every bit pattern is a valid integer.
extension RawSpan {
    @inline(__always)
    func u8(_ offset: Int) -> UInt8 { unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt8.self) }

    @inline(__always)
    func u16(_ offset: Int) -> UInt16 {
        unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self).bigEndian
    }

    @inline(__always)
    func u32(_ offset: Int) -> UInt32 {
        unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self).bigEndian
    }

    @inline(__always)
    func u64(_ offset: Int) -> UInt64 {
        unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self).bigEndian
    }

    /// The Internet checksum's sum (RFC 1071) of a range, not yet folded, of words in this machine's order: the complement of the
    /// sum is then in that order too, and 0xffff is 0xffff in any.
    @inline(__always)
    func nativeSum(_ start: Int, _ count: Int) -> UInt64 {
        var sum: UInt64 = 0
        var offset = start
        let end = start + count
        while offset + 8 <= end {
            let word = unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
            sum &+= (word & 0xffff_ffff) &+ word >> 32
            offset += 8
        }
        if offset + 4 <= end {
            sum &+= UInt64(unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
            offset += 4
        }
        if offset + 2 <= end {
            sum &+= UInt64(unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self))
            offset += 2
        }
        if offset < end { sum &+= UInt64((UInt16(u8(offset)) << 8).bigEndian) }
        return sum
    }

    /// The Internet checksum's sum (RFC 1071) of a range, not yet folded.
    @inline(__always)
    func sum16(from start: Int, count: Int) -> UInt64 {
        var sum: UInt64 = 0
        var offset = start
        let end = start + count
        while offset + 4 <= end {
            sum &+= UInt64(u32(offset))
            offset += 4
        }
        if offset + 2 <= end {
            sum &+= UInt64(u16(offset))
            offset += 2
        }
        if offset < end { sum &+= UInt64(u8(offset)) << 8 }
        return sum
    }
}

/// Folds a sum to sixteen bits (RFC 1071 section 1).
@inline(__always)
func foldChecksum(_ sum: UInt64) -> UInt16 {
    var sum = sum
    while sum >> 16 != 0 { sum = (sum & 0xffff) &+ (sum >> 16) }
    return UInt16(truncatingIfNeeded: sum)
}
