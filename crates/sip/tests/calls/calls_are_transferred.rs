//! REFER, its reports, and INVITE with Replaces (RFC 3515, RFC 3891, RFC 3892, RFC 4488), with peers that behave and others.

use std::net::SocketAddr;
use std::time::Duration;

use hearthline_sip::endpoint::{
    CallHandle, CommandError, Event, FailureCause, ReferHandle, Refusal, TransferProgress,
    TransferRequest, Transport,
};
use hearthline_sip::refer::ReferTo;
use hearthline_sip::{HeaderName, Message, Method, Request, StatusCode};

use crate::network::{
    Faults, Network, address, answered, confirmed, ended, incoming, invite, name, sdp, stand,
    target, uri,
};

/// Three endpoints that transfer calls: 0 has a call with 1, and 2 is whom it goes to.
fn three(seed: u8) -> Network {
    let mut network = Network::new(seed);
    for _ in 0..3 {
        network.add(|config| config.transfers = true);
    }
    network
}

fn third() -> TransferRequest {
    let mut wanted = TransferRequest::new(uri("sip:192.0.2.3"));
    wanted.referred_by = Some(name("<sip:kitchen@example.com>"));
    wanted
}

fn referred(event: &Event) -> Option<(ReferHandle, ReferTo, Box<Request>)> {
    match event {
        Event::Referred {
            refer, to, request, ..
        } => Some((*refer, (**to).clone(), request.clone())),
        _ => None,
    }
}

fn progress(event: &Event) -> Option<TransferProgress> {
    match event {
        Event::Transfer { progress, .. } => Some(progress.clone()),
        _ => None,
    }
}

/// End 1 does what a REFER asks: calls end 2, and reports.
fn follow(network: &mut Network) -> (ReferHandle, CallHandle) {
    let (refer, to, request) = network.until(1, referred);
    network.with(1, |end, now| end.accept_refer(refer, now).unwrap());
    let mut wanted = invite(target(2, Transport::Udp));
    wanted.request_uri = to.uri.clone();
    for name in [HeaderName::ReferredBy] {
        if let Some(row) = request.headers.get(&name) {
            wanted.headers.push((name, row.to_vec()));
        }
    }
    if let Some(replaces) = &to.replaces {
        let row = replaces.to_string().into_bytes();
        wanted.headers.push((HeaderName::Replaces, row));
    }
    let call = network.with(1, |end, now| end.invite(wanted, now).unwrap());
    (refer, call)
}

fn report(network: &mut Network, refer: ReferHandle, status: StatusCode) {
    network.with(1, |end, now| end.report(refer, status, now).unwrap());
}

#[test]
fn a_call_is_transferred_and_how_it_goes_is_told() {
    let mut network = three(1);
    let (ours, _) = stand(&mut network);
    network.with(0, |end, now| end.refer(ours, third(), now).unwrap());
    let again = network.with(0, |end, now| end.refer(ours, third(), now));
    assert!(matches!(again, Err(CommandError::WrongState { .. })));
    let (refer, _) = follow(&mut network);
    assert_eq!(network.until(0, progress), TransferProgress::Accepted);
    let told = TransferProgress::Told;
    assert_eq!(network.until(0, progress), told(StatusCode::TRYING));
    let rings = network.until(2, |event| match event {
        Event::Incoming { call, request, .. } => {
            let by = request.headers.referred_by().unwrap().unwrap();
            Some((*call, by.uri.to_string()))
        }
        _ => None,
    });
    assert_eq!(rings.1, "sip:kitchen@example.com");
    report(&mut network, refer, StatusCode::RINGING);
    assert_eq!(network.until(0, progress), told(StatusCode::RINGING));
    network.with(2, |end, now| end.accept(rings.0, Some(sdp()), now).unwrap());
    network.until(1, answered);
    report(&mut network, refer, StatusCode::OK);
    let last = TransferProgress::Ended(Some(StatusCode::OK));
    assert_eq!(network.until(0, progress), last);
    let late = network.with(1, |end, now| end.report(refer, StatusCode::OK, now));
    assert_eq!(late, Err(CommandError::UnknownCall));
    network.with(0, |end, now| end.bye(ours, None, now).unwrap());
    network.until(1, ended);
    assert_eq!(network.ends[1].call_count(), 1);
    let text: Vec<String> = network
        .wire
        .iter()
        .filter(|seen| {
            let cseq = seen.message.headers().cseq().unwrap();
            matches!(cseq.method, Method::Refer | Method::Notify)
        })
        .map(|seen| String::from_utf8(seen.message.to_bytes()).unwrap())
        .collect();
    insta::assert_snapshot!(text.join("\n--------\n").replace('\r', ""));
    let second = network.requests("INVITE").pop().unwrap().clone();
    insta::assert_snapshot!(
        "the_invite_that_follows",
        String::from_utf8(Message::from(second).to_bytes())
            .unwrap()
            .replace('\r', "")
    );
}

#[test]
fn an_attended_transfer_takes_the_place_of_a_call() {
    let mut network = three(2);
    let (with_one, _) = stand(&mut network);
    let with_two = network.call(|request| {
        request.targets = vec![target(2, Transport::Udp)];
        request.request_uri = uri("sip:192.0.2.3");
    });
    let old = network.until(2, incoming);
    network.with(2, |end, now| end.accept(old, Some(sdp()), now).unwrap());
    network.until(0, answered);
    network.until(2, confirmed);
    let (target_uri, replaces) = network.ends[0].replaces(with_two).unwrap();
    let mut wanted = TransferRequest::new(target_uri);
    wanted.refer_to.replaces = Some(replaces);
    network.with(0, |end, now| end.refer(with_one, wanted, now).unwrap());
    let (refer, _) = follow(&mut network);
    let new = network.until(2, incoming);
    assert_eq!(network.ends[2].replaced_by(new), Some(old));
    network.with(2, |end, now| {
        end.accept(new, Some(sdp()), now).unwrap();
        // Whoever accepts it ends the other: nothing does so by itself.
        assert_eq!(end.call_count(), 2);
        end.bye(old, None, now).unwrap();
    });
    network.until(1, answered);
    report(&mut network, refer, StatusCode::OK);
    network.until(0, ended);
    network.with(0, |end, now| end.bye(with_one, None, now).unwrap());
    network.until(1, ended);
    assert_eq!(network.ends[0].call_count(), 0);
    assert_eq!(network.ends[1].call_count(), 1);
    assert_eq!(network.ends[2].call_count(), 1);
    assert_eq!(network.ends[2].replaced_by(new), None);
    let second = network.requests("INVITE").pop().unwrap().clone();
    let row = second.headers.replaces().unwrap().unwrap().to_string();
    insta::assert_snapshot!(row);
}

#[test]
fn without_a_subscription_nothing_more_is_told() {
    let mut network = three(3);
    let (ours, _) = stand(&mut network);
    let mut wanted = third();
    wanted.reports = false;
    network.with(0, |end, now| end.refer(ours, wanted, now).unwrap());
    let (refer, _) = follow(&mut network);
    assert_eq!(network.until(0, progress), TransferProgress::Untold);
    let told = network.with(1, |end, now| end.report(refer, StatusCode::OK, now));
    assert_eq!(told, Err(CommandError::UnknownCall));
    network.run(Duration::from_secs(1));
    assert_eq!(network.count("NOTIFY"), 0);
    assert_eq!(network.count("202"), 0);
}

#[test]
fn a_refusal_is_told_and_the_call_goes_on() {
    let mut network = three(4);
    let (ours, theirs) = stand(&mut network);
    for status in [StatusCode::FORBIDDEN, StatusCode::DECLINE] {
        network.with(0, |end, now| end.refer(ours, third(), now).unwrap());
        let (refer, ..) = network.until(1, referred);
        network.with(1, |end, now| {
            end.reject_refer(refer, Refusal::new(status), now).unwrap();
            assert_eq!(end.accept_refer(refer, now), Err(CommandError::UnknownCall));
        });
        let TransferProgress::Refused(cause) = network.until(0, progress) else {
            panic!("not refused");
        };
        assert_eq!(cause.status(), Some(status));
    }
    network.with(1, |end, now| end.bye(theirs, None, now).unwrap());
    network.until(0, ended);
    network.until_quiet();
}

#[test]
fn who_transfers_no_calls_says_so() {
    let mut network = Network::new(5);
    network.add(|config| config.transfers = true);
    network.add(|_| {});
    let (ours, theirs) = stand(&mut network);
    network.with(0, |end, now| end.refer(ours, third(), now).unwrap());
    let TransferProgress::Refused(FailureCause::Response(response)) = network.until(0, progress)
    else {
        panic!("not refused");
    };
    assert_eq!(response.status, StatusCode::METHOD_NOT_ALLOWED);
    let own = network.with(1, |end, now| end.refer(theirs, third(), now));
    assert!(matches!(own, Err(CommandError::Invalid(_))));
    assert_eq!(network.ends[0].call_count(), 1);
}

/// A peer that the test plays calls end 0; gives the addresses, and rows that stand in each of its requests.
fn played(network: &mut Network) -> (SocketAddr, SocketAddr, CallHandle, String) {
    let (peer, us) = (network.play(9), address(0, Transport::Udp));
    let text = format!(
        "INVITE sip:us@example.com SIP/2.0\r\nVia: SIP/2.0/UDP {peer};branch=z9hG4bKfirst\r\nMax-Forwards: 70\r\n\
         From: <sip:peer@example.com>;tag=p\r\nTo: <sip:us@example.com>\r\nCall-ID: played\r\nCSeq: 1 INVITE\r\n\
         Contact: <sip:{peer}>\r\nContent-Length: 0\r\n\r\n"
    );
    network.inject(peer, us, text);
    let call = network.until(0, incoming);
    network.with(0, |end, now| end.accept(call, Some(sdp()), now).unwrap());
    network.run(Duration::from_millis(5));
    let (.., answer) = network.mailbox.pop_back().unwrap();
    let tag = answer.headers().to().unwrap().tag().unwrap().to_owned();
    let rows = format!(
        "Max-Forwards: 70\r\nFrom: <sip:peer@example.com>;tag=p\r\nTo: <sip:us@example.com>;tag={tag}\r\n\
         Call-ID: played\r\nContact: <sip:{peer}>\r\n"
    );
    let ack = format!(
        "ACK sip:us@{us} SIP/2.0\r\nVia: SIP/2.0/UDP {peer};branch=z9hG4bKack\r\nCSeq: 1 ACK\r\n{rows}\
         Content-Length: 0\r\n\r\n"
    );
    network.inject(peer, us, ack);
    network.until(0, confirmed);
    network.mailbox.clear();
    (peer, us, call, rows)
}

/// The status that a request of the played peer gets.
fn status_of(
    network: &mut Network,
    (peer, us): (SocketAddr, SocketAddr),
    seq: u32,
    method: &str,
    rows: &str,
    body: &str,
) -> u16 {
    let length = body.len();
    let text = format!(
        "{method} sip:us@{us} SIP/2.0\r\nVia: SIP/2.0/UDP {peer};branch=z9hG4bK{seq}{method}\r\nCSeq: {seq} {method}\r\n{rows}\
         Content-Length: {length}\r\n\r\n{body}"
    );
    network.inject(peer, us, text);
    for _ in 0..60 {
        network.run(Duration::from_secs(1));
        let found = network.mailbox.iter().rev().find_map(|(.., message)| {
            let response = message.as_response()?;
            let own = response.headers.cseq().ok()?;
            (own.seq == seq && response.status.is_final()).then_some(response.status.code())
        });
        if let Some(status) = found {
            return status;
        }
    }
    panic!("no answer to {method}: {}", network.ladder());
}

#[test]
fn what_a_refer_may_not_ask_is_refused_before_anybody_sees_it() {
    let mut network = three(6);
    let (peer, us, _, rows) = played(&mut network);
    for (seq, (refer_to, status)) in [
        ("", 400),
        ("Refer-To: <sip:a@b.example", 400),
        (
            "Refer-To: <sip:a@b.example>\r\nRefer-To: <sip:a@b.example>",
            400,
        ),
        ("Refer-To: <sip:a@b.example?Replaces=nothing>", 400),
        ("Refer-To: <sip:a@b.example;method=BYE>", 501),
        ("Refer-To: <mailto:a@b.example>", 416),
        ("Refer-To: <urn:service:sos>", 403),
        ("r: <urn:service:sos.fire>", 403),
        ("Refer-To: <sip:a@b.example>\r\nRequire: explicitsub", 420),
    ]
    .into_iter()
    .enumerate()
    {
        let seq = u32::try_from(seq).unwrap() + 2;
        let own = match refer_to {
            "" => rows.clone(),
            row => format!("{rows}{row}\r\n"),
        };
        let got = status_of(&mut network, (peer, us), seq, "REFER", &own, "");
        assert_eq!(got, status, "{refer_to}");
    }
    let seen = network.events[0].iter().find_map(referred);
    assert!(seen.is_none());
    // Nobody above answers: its sender is not left waiting, and a second one meanwhile must wait.
    let own = format!("{rows}Refer-To: <sip:a@b.example>\r\n");
    let text = format!(
        "REFER sip:us@{us} SIP/2.0\r\nVia: SIP/2.0/UDP {peer};branch=z9hG4bKwaits\r\nCSeq: 40 REFER\r\n{own}\
         Content-Length: 0\r\n\r\n"
    );
    network.inject(peer, us, text);
    let got = status_of(&mut network, (peer, us), 41, "REFER", &own, "");
    assert_eq!(got, 491);
    network.run(Duration::from_secs(31));
    let waited = network.mailbox.iter().any(|(.., message)| {
        let cseq = message.headers().cseq().unwrap();
        let status = message.as_response().map(|response| response.status);
        cseq.seq == 40 && status == Some(StatusCode::TEMPORARILY_UNAVAILABLE)
    });
    assert!(waited, "{}", network.ladder());
}

#[test]
fn reports_that_nobody_asked_for_or_that_do_not_read_change_nothing() {
    let mut network = three(7);
    let (peer, us, call, rows) = played(&mut network);
    let notify = |network: &mut Network, seq: u32, more: &str, body: &str| {
        let own = format!("{rows}{more}");
        status_of(network, (peer, us), seq, "NOTIFY", &own, body)
    };
    let refer = "Event: refer\r\nSubscription-State: active;expires=60\r\n";
    let frag = format!("{refer}Content-Type: message/sipfrag\r\n");
    assert_eq!(notify(&mut network, 2, refer, ""), 481);
    network.with(0, |end, now| end.refer(call, third(), now).unwrap());
    for (seq, more, body, status) in [
        (3, "Subscription-State: active\r\n".to_owned(), "", 489),
        (
            4,
            "Event: presence\r\nSubscription-State: active\r\n".to_owned(),
            "",
            489,
        ),
        (5, "Event: refer\r\n".to_owned(), "", 400),
        (
            6,
            format!("{refer}Content-Type: text/plain\r\n"),
            "hello",
            415,
        ),
        (7, frag.clone(), "hello", 400),
        (8, frag.clone(), "SIP/2.0 99 Nothing\r\n", 400),
        (9, frag.clone(), "SIP/2.0 180 Ringing\r\n", 200),
        (10, frag.clone(), "SIP/2.0 200 OK\r\n", 200),
        // It is over; a peer that tells it twice is only acknowledged.
        (11, frag.clone(), "SIP/2.0 486 Busy Here\r\n", 200),
        (
            12,
            "Event: refer\r\nSubscription-State: terminated\r\n".to_owned(),
            "",
            200,
        ),
        (13, frag, "SIP/2.0 200 OK\r\n", 481),
    ] {
        assert_eq!(notify(&mut network, seq, &more, body), status, "{seq}");
    }
    let told: Vec<_> = network.events[0].iter().filter_map(progress).collect();
    assert_eq!(
        told,
        [
            TransferProgress::Told(StatusCode::RINGING),
            TransferProgress::Ended(Some(StatusCode::OK)),
        ]
    );
}

#[test]
fn a_peer_that_never_reports_is_not_waited_for_for_ever() {
    let mut network = three(8);
    let (ours, _) = stand(&mut network);
    network.with(0, |end, now| end.refer(ours, third(), now).unwrap());
    let (refer, ..) = network.until(1, referred);
    network.with(1, |end, now| end.accept_refer(refer, now).unwrap());
    assert_eq!(network.until(0, progress), TransferProgress::Accepted);
    network.until(0, progress);
    // End 1 forgets what it was asked; its own bound says so to the other side.
    let last = network.until(0, progress);
    assert!(matches!(last, TransferProgress::Ended(_)), "{last:?}");
    assert!(network.now < Duration::from_secs(300));
    assert_eq!(network.ends[0].call_count(), 1);
    // And now the peer itself is gone.
    network.silent.insert(address(1, Transport::Udp));
    network.with(0, |end, now| end.refer(ours, third(), now).unwrap());
    let refused = network.until(0, progress);
    assert_eq!(refused, TransferProgress::Refused(FailureCause::Timeout));
}

#[test]
fn a_call_that_ends_answers_its_refer_and_reports_go_on_without_it() {
    let mut network = three(9);
    let (ours, _) = stand(&mut network);
    network.with(0, |end, now| end.refer(ours, third(), now).unwrap());
    let (refer, ..) = network.until(1, referred);
    network.with(0, |end, now| end.bye(ours, None, now).unwrap());
    network.until(1, ended);
    network.run(Duration::from_millis(10));
    assert_eq!(network.count("487"), 1, "{}", network.ladder());
    network.with(1, |end, now| {
        assert_eq!(end.accept_refer(refer, now), Err(CommandError::UnknownCall));
    });
    // Who transfers and hangs up at once hears nothing more; who was transferred goes on.
    let (ours, _) = stand(&mut network);
    network.with(0, |end, now| end.refer(ours, third(), now).unwrap());
    let (refer, _) = follow(&mut network);
    network.until(0, progress);
    network.with(0, |end, now| end.bye(ours, None, now).unwrap());
    network.until(1, ended);
    let rings = network.until(2, incoming);
    network.with(2, |end, now| end.accept(rings, Some(sdp()), now).unwrap());
    network.until(1, answered);
    // The report of the end meets nobody.
    let _ = network.with(1, |end, now| end.report(refer, StatusCode::OK, now));
    network.with(2, |end, now| end.bye(rings, None, now).unwrap());
    network.until(1, ended);
    network.run(Duration::from_secs(40));
    assert_eq!(network.ends[1].transaction_counts(), (0, 0));
    network.until_quiet();
}

#[test]
fn an_invite_replaces_only_what_stands_here() {
    let mut network = three(10);
    let (peer, us, call, _) = played(&mut network);
    let id = network.ends[0].call_id(call).unwrap().to_owned();
    let (_, replaces) = network.ends[0].replaces(call).unwrap();
    // As we would name the dialog to the peer, tags are the other way round for us.
    let (own, theirs) = (replaces.from_tag.clone(), replaces.to_tag.clone());
    let mut seq = 100;
    let mut with = |network: &mut Network, replaces: &str| {
        seq += 1;
        let rows = format!(
            "Max-Forwards: 70\r\nFrom: <sip:other@example.com>;tag=o{seq}\r\nTo: <sip:us@example.com>\r\nCall-ID: new{seq}\r\n\
             Contact: <sip:{peer}>\r\nReplaces: {replaces}\r\n"
        );
        let text = format!(
            "INVITE sip:us@{us} SIP/2.0\r\nVia: SIP/2.0/UDP {peer};branch=z9hG4bK{seq}INVITE\r\nCSeq: {seq} INVITE\r\n{rows}\
             Content-Length: 0\r\n\r\n"
        );
        network.inject(peer, us, text);
        network.run(Duration::from_millis(100));
        network.mailbox.iter().rev().find_map(|(.., message)| {
            let response = message.as_response()?;
            let cseq = response.headers.cseq().ok()?;
            (cseq.seq == seq && response.status.is_final()).then_some(response.status.code())
        })
    };
    for (row, status) in [
        ("nonsense".to_owned(), Some(400)),
        (format!("{id};to-tag={theirs};from-tag={own}"), Some(481)),
        (format!("{id};to-tag={own};from-tag=x"), Some(481)),
        (format!("x;to-tag={own};from-tag={theirs}"), Some(481)),
        (
            format!("{id};to-tag={own};from-tag={theirs};early-only"),
            Some(486),
        ),
        (format!("{id};to-tag={own};from-tag={theirs}"), None),
    ] {
        assert_eq!(with(&mut network, &row), status, "{row}");
    }
    let new = network.until(0, incoming);
    assert_eq!(network.ends[0].replaced_by(new), Some(call));
    network.with(0, |end, now| end.bye(call, None, now).unwrap());
    assert_eq!(network.ends[0].replaced_by(new), None);
}

#[test]
fn refers_have_a_limit() {
    let mut network = Network::new(11);
    network.add(|config| config.transfers = true);
    network.add(|config| {
        config.transfers = true;
        config.limits.referrals_max = 2;
    });
    let calls: Vec<_> = (0..3).map(|_| stand(&mut network).0).collect();
    for call in &calls {
        network.with(0, |end, now| end.refer(*call, third(), now).unwrap());
    }
    let TransferProgress::Refused(cause) = network.until(0, progress) else {
        panic!("not refused");
    };
    assert_eq!(cause.status(), Some(StatusCode::SERVICE_UNAVAILABLE));
}

#[test]
fn every_transfer_has_one_end_whatever_the_network_loses() {
    for seed in 20..60 {
        let mut network = three(seed);
        let (ours, _) = stand(&mut network);
        network.faults = Faults {
            lost: 250,
            doubled: 150,
            jitter_ms: 400,
        };
        network.with(0, |end, now| end.refer(ours, third(), now).unwrap());
        let (refer, ..) = network.until(1, referred);
        network.with(1, |end, now| end.accept_refer(refer, now).unwrap());
        network.run(Duration::from_millis(300));
        // A report may have found nobody: then its peer has been told by nothing, and its own bound ends it.
        let _ = network.with(1, |end, now| end.report(refer, StatusCode::RINGING, now));
        let _ = network.with(1, |end, now| end.report(refer, StatusCode::OK, now));
        network.run(Duration::from_secs(400));
        let told: Vec<_> = network.events[0].iter().filter_map(progress).collect();
        let ends = told.iter().filter(|told| {
            matches!(
                told,
                TransferProgress::Ended(_) | TransferProgress::Refused(_)
            )
        });
        assert_eq!(ends.count(), 1, "seed {seed}: {told:?}");
        network.faults = Faults::default();
        network.with(0, |end, now| end.bye(ours, None, now).unwrap());
        network.until_quiet();
    }
}
