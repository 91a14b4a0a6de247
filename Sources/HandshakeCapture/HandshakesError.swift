import HandshakeReport

/// Why there are no handshakes to look at.
public struct HandshakesError: Error, Sendable, CustomStringConvertible {
    /// For messages: the file or interface, and why.
    public let description: String

    package init(_ description: String) { self.description = description.cleaned(for: .message) }
}
