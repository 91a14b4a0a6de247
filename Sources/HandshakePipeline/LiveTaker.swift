package import HandshakeRecord
package import PacketCapture

/// Takes what a live run decides, on the capture's thread: nothing in it may wait before the capture is over.
package protocol LiveTaker: AnyObject {
    /// Whether the frames of handshakes are kept. Asked once.
    var keepsFrames: Bool { get }

    /// Takes a frame with SYN, FIN or RST, an ICMP error, a fragment, or what else was evidence.
    func keep(_ slot: CapturedFrames.Slot, of frames: borrowing CapturedFrames, number: UInt64)

    /// All frames of one reading were analysed.
    func endRound()

    /// Takes what was decided since the last call, and how the run stands. Called some times a second.
    /// - Parameters:
    ///   - now: nanoseconds since the epoch.
    ///   - steady: nanoseconds of the steady clock.
    func take(_ records: [AttemptRecord], _ standing: LiveStanding, now: Int64, steady: Int64)

    /// The capture is over: what is still open is decided next. From here on, taking it may wait.
    func endCapture()

    /// An interface went away, or came back.
    func tell(_ event: LiveEvent)
}

/// A change of an interface.
package enum LiveEvent: Sendable {
    /// It went away, and is waited for.
    case awaits(CaptureError)
    /// It went away; others are left.
    case lost(CaptureError)
    /// It is there again.
    case returned(String)
}
