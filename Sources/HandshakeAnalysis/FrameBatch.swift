package import PacketWire

/// Frames decoded together, so that the memory they lead to can be fetched ahead. Used again for each batch.
package struct FrameBatch: ~Copyable {
    package static let capacity = 32
    package var frames = [DecodedFrame](repeating: DecodedFrame(), count: capacity)
    package var numbers = [UInt64](repeating: 0, count: capacity)
    package var times = [Int64](repeating: 0, count: capacity)
    package var count = 0

    package init() {}

    @inline(__always) package var isFull: Bool { count == FrameBatch.capacity }
    @inline(__always) func kind(_ position: Int) -> DecodedFrame.Kind { frames[position].kind }
}
