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

    /// The Internet checksum's sum (RFC 1071) of all octets, of words in this machine's order, to 64 bits with the carries put back:
    /// of a good checksum it is a multiple of 0xffff, in any order of octets and at any width (RFC 1071 section 2).
    @inline(__always)
    func nativeSum(_ start: UInt64 = 0) -> UInt64 {
        var sum = start
        var rest = self
        @inline(__always)
        func add(_ word: UInt64) {
            let (partial, carry) = sum.addingReportingOverflow(word)
            sum = partial &+ (carry ? 1 : 0)
        }
        while rest.byteCount >= 8 {
            add(unsafe rest.unsafeLoadUnaligned(fromUncheckedByteOffset: 0, as: UInt64.self))
            rest = unsafe rest.extracting(unchecked: 8..<rest.byteCount)
        }
        if rest.byteCount & 4 != 0 {
            add(UInt64(unsafe rest.unsafeLoadUnaligned(fromUncheckedByteOffset: 0, as: UInt32.self)))
            rest = unsafe rest.extracting(unchecked: 4..<rest.byteCount)
        }
        if rest.byteCount & 2 != 0 {
            add(UInt64(unsafe rest.unsafeLoadUnaligned(fromUncheckedByteOffset: 0, as: UInt16.self)))
            rest = unsafe rest.extracting(unchecked: 2..<rest.byteCount)
        }
        if rest.byteCount == 1 { add(UInt64((UInt16(rest.u8(0)) << 8).bigEndian)) }
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

/// Whether a `nativeSum` over data and its checksum says that the checksum is good. Not one of zeros alone: that folds to 0.
@inline(__always)
func isGoodSum(_ sum: UInt64) -> Bool { sum % 0xffff == 0 && sum != 0 }

/// Folds a sum to sixteen bits (RFC 1071 section 1).
@inline(__always)
func foldChecksum(_ sum: UInt64) -> UInt16 {
    var sum = sum
    while sum >> 16 != 0 { sum = (sum & 0xffff) &+ (sum >> 16) }
    return UInt16(truncatingIfNeeded: sum)
}
