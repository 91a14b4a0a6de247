/// Frames of a live capture as they came: octets in one store that is used again, since the kernel wants its own back.
package struct CapturedFrames: ~Copyable {
    /// One frame's place in `octets`.
    package struct Slot: Sendable, BitwiseCopyable {
        /// Nanoseconds since the epoch.
        package var time: Int64
        package var offset: Int
        package var capturedLength: Int
        package var wireLength: Int
        /// The position of its interface among those captured on.
        package var interface: Int
    }

    package private(set) var slots: [Slot] = []
    private var octets: [UInt8] = []

    package init() {}

    package var count: Int { slots.count }
    /// Octets held.
    package var size: Int { octets.count }

    @safe
    mutating func append(_ bytes: UnsafeRawBufferPointer, wireLength: Int, time: Int64, interface: Int) {
        slots.append(
            Slot(
                time: time, offset: octets.count, capturedLength: bytes.count, wireLength: wireLength,
                interface: interface))
        unsafe octets.append(contentsOf: bytes)
    }

    /// A frame that was not captured: a test's.
    package mutating func append(_ bytes: [UInt8], time: Int64, interface: Int = 0) {
        slots.append(
            Slot(
                time: time, offset: octets.count, capturedLength: bytes.count, wireLength: bytes.count,
                interface: interface))
        octets += bytes
    }

    package func octets(of slot: Slot) -> ArraySlice<UInt8> {
        octets[slot.offset..<slot.offset + slot.capturedLength]
    }

    @inline(__always)
    package func withSpan<Result>(of slot: Slot, _ body: (RawSpan) -> Result) -> Result {
        unsafe body(octets.span.bytes.extracting(slot.offset..<slot.offset + slot.capturedLength))
    }

    package mutating func removeAll() {
        slots.removeAll(keepingCapacity: true)
        octets.removeAll(keepingCapacity: true)
    }

    /// Brings the frames into the order of time; those of equal times stay as they came.
    mutating func sortByTime() {
        guard zip(slots, slots.dropFirst()).contains(where: { $1.time < $0.time }) else { return }
        slots.sort { $0.time < $1.time }
    }

    /// Moves the frames before `time` to the end of `other`. The slots must be in the order of time.
    mutating func move(before time: Int64, to other: inout CapturedFrames) {
        let end = slots.firstIndex { $0.time >= time } ?? slots.count
        for slot in slots[..<end] { other.append(self, slot) }
        if end == slots.count { return removeAll() }
        var rest = CapturedFrames()
        for slot in slots[end...] { rest.append(self, slot) }
        self = rest
    }

    private mutating func append(_ source: borrowing CapturedFrames, _ slot: Slot) {
        var moved = slot
        moved.offset = octets.count
        octets += source.octets(of: slot)
        slots.append(moved)
    }
}
