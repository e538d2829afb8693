//! `cargo xtask ci`.
fn main() {}
