//! Pure: SIP messages, transactions, dialogs and user agent (RFC 3261 and its family).
