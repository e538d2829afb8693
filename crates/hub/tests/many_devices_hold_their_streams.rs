//! Three hundred devices, each with a certificate of its own and an open stream: all are told of a change, and what
//! they cost is printed. (The aim of 2,000 needs more files than an ordinary shell may open; hub and clients share
//! this process.)
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod household;

use std::time::Instant;

use hearthline_hub::person::Role;
use household::Household;
use serde_json::json;

const DEVICES: usize = 300;

/// Resident memory of this process, in bytes.
fn resident_bytes() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse::<usize>().ok());
    pages.unwrap_or(0) * 4096
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_device_is_told() {
    let home = Household::new().await;
    let began = Instant::now();
    let members = home.enrolled(DEVICES).await;
    println!("{DEVICES} devices enrolled in {:?}", began.elapsed());
    let owner = home.login(Role::Owner).await;
    let before = resident_bytes();
    let began = Instant::now();
    let mut streams = Vec::new();
    for member in &members {
        streams.push(home.as_device(member).events(None).await);
    }
    println!("{DEVICES} streams opened in {:?}", began.elapsed());
    let each = resident_bytes().saturating_sub(before) / DEVICES;
    println!("{} kB per device, hub and client together", each / 1024);
    let began = Instant::now();
    owner
        .post("/api/v1/rooms", &json!({"name": "Kitchen"}))
        .await;
    for stream in &mut streams {
        stream.next_of("rooms").await.unwrap();
    }
    println!("all told in {:?}", began.elapsed());
    for member in &members {
        assert_eq!(home.hub.live().count(member.device), 1);
    }
    // 2,000 devices within 300 MB leave 150 kB for each; here the client's half is in it too.
    assert!(each < 300 * 1024, "{each} bytes per device");
}
