//! What one message may cost.

/// Upper bounds for one message. The defaults admit every message of RFC 4475 and an emergency
/// call with a large location, and keep what one hostile peer can make us hold small.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the start line, without its line end.
    pub start_line_bytes_max: usize,
    /// Bytes of the Request-URI.
    pub uri_bytes_max: usize,
    /// Header rows.
    pub header_count_max: usize,
    /// Bytes of one header row, folded lines included.
    pub header_line_bytes_max: usize,
    /// Bytes of the whole header section.
    pub header_bytes_max: usize,
    /// Bytes of the body.
    pub body_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            start_line_bytes_max: 4096,
            uri_bytes_max: 2048,
            header_count_max: 256,
            header_line_bytes_max: 8192,
            header_bytes_max: 32 * 1024,
            body_bytes_max: 256 * 1024,
        }
    }
}
