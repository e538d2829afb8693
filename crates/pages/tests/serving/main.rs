//! What a browser meets.

mod events_come_block_by_block;
mod files_are_kept_and_asked_about;
mod wire;
