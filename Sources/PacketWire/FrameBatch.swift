/// Frames decoded together, so that the memory they lead to can be fetched ahead. Used again for each batch.
package struct FrameBatch: ~Copyable {
    package static let capacity = 32
    package var frames = [DecodedFrame](repeating: DecodedFrame(), count: capacity)
    /// Frame numbers, from 1 in the order of the capture.
    package var numbers = [UInt64](repeating: 0, count: capacity)
    /// Nanoseconds since the epoch.
    package var times = [Int64](repeating: 0, count: capacity)
    package var count = 0

    package init() {}

    @inline(__always) package var isFull: Bool { count == FrameBatch.capacity }
    @inline(__always) package func kind(_ position: Int) -> DecodedFrame.Kind { frames[position].kind }

    /// Decodes a frame into the next place.
    @inline(__always)
    package mutating func append(
        _ bytes: RawSpan, wireLength: Int, number: UInt64, time: Int64, decoder: FrameDecoder
    ) {
        decoder.decode(bytes, wireLength: wireLength, into: &frames[count])
        numbers[count] = number
        times[count] = time
        count += 1
    }
}
