//! Whatever comes: no panic, the call-taker and the LoST server stay usable.

use crate::drill::Drill;
use hearthline_emergency::timestamp::Timestamp;
use hearthline_psap::{Behaviour, Boundaries, CallState, LostAnswer, LostServer};
use hearthline_sip::endpoint::Input;
use hearthline_sip::target::Transport;
use proptest::prelude::*;

/// Puts bytes into a part of a sound INVITE and into its headers.
fn spoiled(part: usize, bytes: &[u8], header: &str) -> Drill {
    let mut drill = Drill::new(vec![Behaviour::default()]);
    drill.place(|invite| {
        // The session stays, so that the call can be answered.
        let index = 1 + part % (invite.parts.len() - 1);
        invite.parts[index].bytes = bytes.to_vec();
        let index = part % invite.headers.len();
        if !["To", "From", "Contact"].contains(&invite.headers[index].0) {
            invite.headers[index].1 = header.to_owned();
        }
    });
    drill.run_ms(300);
    drill
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn any_body_and_header_of_a_call_are_judged_and_the_call_answered(
        part in 0usize..40,
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
        header in "[ -~]{0,60}",
    ) {
        let drill = spoiled(part, &bytes, &header);
        // Refused by the SIP core (Require and its kin are not among these headers) or answered.
        if let Some(report) = drill.psap.reports().first() {
            prop_assert_eq!(report.state, CallState::Confirmed);
        }
    }

    #[test]
    fn any_datagrams_leave_the_call_taker_ready(
        datagrams in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 0..20),
    ) {
        let mut drill = Drill::new(vec![Behaviour::default()]);
        for (index, bytes) in datagrams.iter().enumerate() {
            let transport = if index % 2 == 0 { Transport::Udp } else { Transport::Tcp };
            drill.psap.handle_sip(Input::Received {
                transport,
                local: crate::drill::address(crate::drill::PSAP),
                remote: crate::drill::address("127.0.0.1:5999"),
                bytes,
            }, drill.now);
            drill.psap.handle_media(41_000 + (index % 3) as u16, crate::drill::address("127.0.0.1:9"), bytes, drill.now);
        }
        drill.drain();
        drill.place(|_| {});
        drill.run_ms(300);
        prop_assert_eq!(drill.report().state, CallState::Confirmed);
    }

    #[test]
    fn any_lost_request_is_answered(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let everywhere = Boundaries::everywhere("lost.drill.test", "sip:psap@127.0.0.1", "911");
        let answer = LostServer::new(everywhere).answer(&bytes, Timestamp::from_unix_ms(0));
        let is_document = matches!(answer, LostAnswer::Document { .. });
        prop_assert!(is_document);
    }

    #[test]
    fn any_boundary_file_is_read_or_refused(text in "[ -~\n]{0,300}") {
        let _ = Boundaries::parse(&text);
    }
}
