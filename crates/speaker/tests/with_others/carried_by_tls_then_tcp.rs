//! A call goes over TLS where the home's own authority vouches for the line, and over TCP where it does not: a certificate
//! costs the encryption, never the call (RFC 6881 ED-58).

use std::time::Duration;

use crate::peer::HOME;
use crate::peer::speaker::Speaker;
use hearthline_emergency::call::Line;
use hearthline_emergency::target::SipUri;
use hearthline_psap::{Behaviour, HomeCa, Print, PsapConfig, Running, start_with_identity};
use hearthline_sip::endpoint::Transport;

async fn psap(home: &HomeCa) -> Running {
    let config = PsapConfig {
        sip_port: 0,
        tls_port: Some(0),
        http_port: 0,
        calls_max: 2,
        print: Print::Nothing,
        behaviours: vec![Behaviour {
            hang_up_after_ms: Some(700),
            ..Behaviour::default()
        }],
        ..PsapConfig::default()
    };
    start_with_identity(config, Some(home.identity.clone()))
        .await
        .unwrap()
}

/// The line as `hearth demo` has it: one URI, every transport.
fn line_to(psap: &Running) -> Line {
    use hearthline_emergency::call::Transport as By;
    let (_, udp) = psap
        .sip
        .iter()
        .find(|(own, _)| *own == Transport::Udp)
        .unwrap();
    let target = SipUri::parse(&format!("sip:{udp}")).unwrap();
    Line::new("drill", target, vec![By::Tls, By::Tcp, By::Udp])
}

/// Calls; what the timeline, the call-taker and the record name as the transport.
async fn call(psap: &Running, roots_pem: Vec<u8>) -> (String, String, String) {
    let mut speaker = Speaker::start_trusting(vec![line_to(psap)], Some(roots_pem)).await;
    speaker.hears("call 911");
    speaker
        .run_until("the call ends", |seen| seen.outcome().is_some())
        .await;
    speaker.run_for(Duration::from_millis(100)).await;
    assert_eq!(
        speaker.seen.outcome(),
        Some("answered"),
        "{:#?}",
        speaker.seen.steps
    );
    let carried = speaker
        .seen
        .steps
        .iter()
        .map(|step| format!("{step:?}"))
        .find(|step| step.starts_with("Carried"))
        .unwrap();
    let report = psap.handle().reports().await.unwrap().pop().unwrap();
    assert!(report.is_sound(), "{:#?}", report.facts);
    let record = String::from_utf8_lossy(&speaker.record).into_owned();
    let answered = record
        .lines()
        .find(|line| line.contains("\"answered\"") && line.contains("over "))
        .unwrap_or_else(|| panic!("{record}"));
    (carried, report.transport, answered.to_owned())
}

#[tokio::test]
async fn tls_where_the_homes_own_authority_vouches_and_tcp_where_it_does_not() {
    let (home, other) = (HomeCa::make(HOME).unwrap(), HomeCa::make(HOME).unwrap());
    for (roots, over) in [(home.root_pem.clone(), "TLS"), (other.root_pem, "TCP")] {
        let psap = psap(&home).await;
        let (carried, seen_by_psap, record) = call(&psap, roots).await;
        assert_eq!(carried, format!("Carried {{ over: \"{over}\" }}"));
        assert_eq!(seen_by_psap.to_uppercase(), over);
        assert!(record.contains(&format!("over {over}")), "{record}");
        psap.stop().await;
    }
}
