//! A browser's sound on our side.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod a_bridge_carries_sound_over;
mod a_browser_speaks_and_hears;
mod a_real_chromium_speaks_and_hears;
mod what_is_no_offer_is_refused;

mod browser;
#[path = "../../../hub/tests/site/browser.rs"]
mod person;
