//! The emergency INVITE, every header field and every part of it.

use crate::support::{line, permit, profile, sip, wall};
use hearthline_emergency::invite::{Content, EmergencyInvite, InviteRequest};

fn build(content: Content) -> EmergencyInvite {
    let (permit, profile) = (permit(), profile());
    let (line, route) = (line("line0", 5070), sip("sip:psap@127.0.0.1:5090"));
    InviteRequest {
        permit: &permit,
        profile: &profile,
        line: &line,
        next_hop: &line.target,
        route: Some(&route),
        call_token: "c0ffee00c0ffee00",
        content,
        sdp: Some(b"v=0\r\n"),
        wall: wall(),
    }
    .build()
}

fn text(invite: &EmergencyInvite) -> String {
    let mut out = format!(
        "INVITE {} (sent to {})\n",
        invite.request_uri, invite.next_hop
    );
    for (name, value) in &invite.headers {
        out.push_str(&format!("{name}: {value}\n"));
    }
    for part in &invite.parts {
        out.push_str("\n----\n");
        for (name, value) in part.headers() {
            out.push_str(&format!("{name}: {value}\n"));
        }
        out.push('\n');
        out.push_str(
            &String::from_utf8(part.bytes.clone())
                .unwrap()
                .replace('\r', ""),
        );
    }
    out
}

#[test]
fn it_reads_like_this() {
    insta::assert_snapshot!("invite_full", text(&build(Content::Full)));
}

#[test]
fn it_is_the_same_every_time() {
    assert_eq!(build(Content::Full), build(Content::Full));
}

#[test]
fn every_cid_names_exactly_one_part() {
    for content in [
        Content::Full,
        Content::OneLocation,
        Content::NoLocation,
        Content::SessionOnly,
    ] {
        let invite = build(content);
        let mut named = 0;
        for (name, value) in &invite.headers {
            if let Some((_, rest)) = value.split_once("<cid:") {
                let id = rest.split('>').next().unwrap();
                let parts = invite
                    .parts
                    .iter()
                    .filter(|part| part.content_id.as_deref() == Some(id));
                assert_eq!(parts.count(), 1, "{name}: {value}");
                named += 1;
            }
        }
        let with_id = invite
            .parts
            .iter()
            .filter(|part| part.content_id.is_some())
            .count();
        assert_eq!(named, with_id);
    }
}

#[test]
fn every_drill_says_so_however_little_it_carries() {
    for content in [
        Content::Full,
        Content::OneLocation,
        Content::NoLocation,
        Content::SessionOnly,
    ] {
        let invite = build(content);
        assert!(invite.header("Subject").unwrap().starts_with("DRILL"));
        assert_eq!(invite.header("Emergency-Drill"), Some("yes"));
        if content != Content::SessionOnly {
            let comment = invite
                .parts
                .iter()
                .find(|part| part.content_type.contains("Comment"))
                .unwrap();
            assert!(String::from_utf8_lossy(&comment.bytes).contains("DRILL"));
        }
    }
}

#[test]
fn geolocation_routing_is_yes_exactly_when_a_location_is_sent() {
    for content in [
        Content::Full,
        Content::OneLocation,
        Content::NoLocation,
        Content::SessionOnly,
    ] {
        let invite = build(content);
        let has_location = matches!(content, Content::Full | Content::OneLocation);
        assert_eq!(invite.header("Geolocation").is_some(), has_location);
        assert_eq!(
            invite.header("Geolocation-Routing"),
            has_location.then_some("yes")
        );
    }
}

#[test]
fn a_name_cannot_break_out_of_its_header() {
    let mut profile = profile();
    profile.display_name = "a\"\r\nRoute: <sip:example.com>\r\n\\".to_owned();
    profile.device.name = "\r\nX: y".to_owned();
    let permit = permit();
    let line = line("line0", 5070);
    let invite = InviteRequest {
        permit: &permit,
        profile: &profile,
        line: &line,
        next_hop: &line.target,
        route: None,
        call_token: "c0ffee00c0ffee00",
        content: Content::Full,
        sdp: None,
        wall: wall(),
    }
    .build();
    for (name, value) in &invite.headers {
        assert!(!value.contains(['\r', '\n']), "{name}: {value:?}");
    }
    assert!(invite.header("Route").is_none());
}
