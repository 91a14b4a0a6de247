// Whoever follows connections sees their records.
@_exported public import HandshakeRecord
