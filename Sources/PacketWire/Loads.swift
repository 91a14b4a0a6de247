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

    /// The Internet checksum's sum (RFC 1071) of the octets of a range, of words in this machine's order: of a good checksum it is a
    /// multiple of 0xffff, in any order of octets and at any width (RFC 1071 section 2). Of 32-bit words 64 bits hold the sum of 2^32.
    @inline(__always)
    func nativeSum(from start: Int, to end: Int) -> UInt64 {
        precondition(start >= 0 && start <= end && end <= byteCount)
        var sum: UInt64 = 0
        var offset = start
        while offset &+ 16 <= end {
            sum &+= word(offset) &+ word(offset &+ 4) &+ (word(offset &+ 8) &+ word(offset &+ 12))
            offset &+= 16
        }
        #if _endian(little)
            // How many octets are left is not to be predicted. Where 16 were there, the last 16 are, and those that are left come to
            // their place in them by a shift.
            if offset > start {
                let last = unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: end &- 16, as: UInt128.self)
                let rest = (last &>> 1) &>> UInt128(truncatingIfNeeded: 127 &- (end &- offset) &* 8)
                let (low, high) = (UInt64(truncatingIfNeeded: rest), UInt64(truncatingIfNeeded: rest &>> 64))
                return sum &+ (low & 0xffff_ffff) &+ low >> 32 &+ (high & 0xffff_ffff) &+ high >> 32
            }
        #endif
        while offset &+ 4 <= end {
            sum &+= word(offset)
            offset &+= 4
        }
        if offset &+ 2 <= end {
            sum &+= UInt64(unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt16.self))
            offset &+= 2
        }
        if offset < end { sum &+= UInt64((UInt16(u8(offset)) << 8).bigEndian) }
        return sum
    }

    /// Of `nativeSum`, which has checked the bounds.
    @inline(__always)
    private func word(_ offset: Int) -> UInt64 {
        UInt64(unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt32.self))
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
