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

    /// Octets from `offset` on.
    @inline(__always)
    @_lifetime(copy self)
    func stretch(_ offset: Int, _ length: Int) -> RawSpan {
        // Negative ones are greater than any.
        precondition(
            UInt(bitPattern: offset) <= UInt(bitPattern: byteCount)
                && UInt(bitPattern: length) <= UInt(bitPattern: byteCount &- offset))
        return unsafe extracting(unchecked: Range(uncheckedBounds: (offset, offset &+ length)))
    }

    /// In this machine's order.
    @inline(__always)
    func native32(_ offset: Int) -> UInt32 { unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self) }

    @inline(__always)
    func native64(_ offset: Int) -> UInt64 { unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self) }

    /// The Internet checksum's sum (RFC 1071) of the octets of a range, of words in this machine's order: of a good
    /// checksum it is a multiple of 0xffff, in any order of octets and at any width (RFC 1071 section 2).
    @inline(__always)
    func nativeSum(from start: Int, to end: Int) -> UInt64 {
        precondition(start >= 0 && start <= end && end <= byteCount)
        var sum: UInt64 = 0
        var offset = start
        while offset &+ 8 <= end {
            sum = sumWithCarry(sum, unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self))
            offset &+= 8
        }
        #if _endian(little)
            // How many octets are left is not to be predicted. Where eight were there, the last eight are, and those
            // that are left come to their place in them by a shift.
            if offset > start {
                let last = unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: end &- 8, as: UInt64.self)
                return sumWithCarry(sum, (last &>> 1) &>> UInt64(truncatingIfNeeded: 63 &- (end &- offset) &* 8))
            }
        #endif
        if offset &+ 4 <= end {
            sum = sumWithCarry(sum, UInt64(native32(offset)))
            offset &+= 4
        }
        if offset &+ 2 <= end {
            sum = sumWithCarry(
                sum, UInt64(unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt16.self)))
            offset &+= 2
        }
        return offset < end ? sumWithCarry(sum, UInt64((UInt16(u8(offset)) << 8).bigEndian)) : sum
    }

    /// The Internet checksum's sum (RFC 1071) of a range, folded: in network order, as sums of other fields are.
    @inline(__always)
    func checksumSum(from start: Int, count: Int) -> UInt64 {
        UInt64(UInt16(bigEndian: foldChecksum(nativeSum(from: start, to: start + count))))
    }
}

/// Adds to a `nativeSum`.
@inline(__always)
func sumWithCarry(_ sum: UInt64, _ word: UInt64) -> UInt64 {
    let (partial, overflow) = sum.addingReportingOverflow(word)
    return partial &+ (overflow ? 1 : 0)
}

/// Whether a `nativeSum` over data and its checksum says that the checksum is good. Not one of zeros alone: that folds
/// to 0.
@inline(__always)
func isGoodSum(_ sum: UInt64) -> Bool {
    // Folded twice, with what is carried, in the upper half.
    let half = UInt32(truncatingIfNeeded: (sum &+ (sum >> 32 | sum << 32)) >> 32)
    return half &+ (half >> 16 | half << 16) >= 0xffff_0000
}

/// Folds a sum to sixteen bits (RFC 1071 section 1).
@inline(__always)
func foldChecksum(_ sum: UInt64) -> UInt16 {
    var sum = sum
    while sum >> 16 != 0 { sum = (sum & 0xffff) &+ (sum >> 16) }
    return UInt16(truncatingIfNeeded: sum)
}
