//! Adapter: drill call-taker and LoST server.
