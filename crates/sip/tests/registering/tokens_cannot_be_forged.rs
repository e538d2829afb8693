use hearthline_sip::gruu::{Gruu, Gruus};
use hearthline_sip::outbound::{Direction, FlowId, FlowTokens, FlowTransport, Sealed, Side};
use hearthline_sip::target::Transport;
use proptest::prelude::*;
use std::net::SocketAddr;

use crate::office::sip;

fn transports() -> impl Strategy<Value = FlowTransport> {
    prop::sample::select(FlowTransport::ALL.to_vec())
}

fn sides() -> impl Strategy<Value = Side> {
    let addressed = prop::sample::select(vec![Transport::Udp, Transport::Tcp, Transport::Tls]);
    prop_oneof![
        (1..u64::MAX, transports()).prop_map(|(id, t)| Side::Flow(FlowId(id), t)),
        (addressed, any::<SocketAddr>()).prop_map(|(t, remote)| {
            // Flow label and scope are of one machine, and do not travel.
            Side::Address(t, SocketAddr::new(remote.ip(), remote.port()))
        }),
    ]
}

proptest! {
    #[test]
    fn a_path_token_opens_to_its_flow_and_no_other_text_does(
        id in 1..u64::MAX, transport in transports(), at in 0..40_usize, other in any::<u8>()
    ) {
        let tokens = FlowTokens::new(&[1; 32]);
        let token = tokens.path(FlowId(id), transport);
        prop_assert_eq!(token.len(), 40);
        prop_assert_eq!(tokens.open_path(&token), Ok((FlowId(id), transport)));
        prop_assert!(FlowTokens::new(&[2; 32]).open_path(&token).is_err());
        let mut changed = token.clone().into_bytes();
        changed[at] = other;
        prop_assume!(changed != token.as_bytes());
        if let Ok(changed) = String::from_utf8(changed) {
            prop_assert!(tokens.open_path(&changed).is_err());
        }
        prop_assert!(tokens.open_path(&token[..39]).is_err());
        // And it survives the user part of a URI.
        let uri = sip("sip:edge.example").with_user(&token);
        let read = sip(&uri.to_string());
        prop_assert_eq!(read.user(), Some(token.as_str()));
    }

    #[test]
    fn a_dialog_token_knows_its_dialog_and_its_direction(
        caller in sides(), callee in sides(), at in 0..40_usize, other in any::<u8>()
    ) {
        let tokens = FlowTokens::new(&[1; 32]);
        let token = tokens.dialog(caller, callee, "call", "one");
        let sealed = Sealed::Dialog { caller, callee };
        let there = tokens.open_dialog(&token, "call", "one", "two");
        prop_assert_eq!(there, Ok((Direction::ToCallee, sealed)));
        let back = tokens.open_dialog(&token, "call", "two", "one");
        prop_assert_eq!(back, Ok((Direction::ToCaller, sealed)));
        prop_assert_eq!(sealed.side(Direction::ToCallee), callee);
        prop_assert_eq!(sealed.side(Direction::ToCaller), caller);
        prop_assert!(FlowTokens::is_shaped(&token));
        prop_assert!(tokens.open_dialog(&token, "other", "one", "two").is_err());
        prop_assert!(tokens.open_dialog(&token, "call", "three", "two").is_err());
        prop_assert!(tokens.open_path(&token).is_err());
        let mut changed = token.clone().into_bytes();
        changed[at] = other;
        prop_assume!(changed != token.as_bytes());
        if let Ok(changed) = String::from_utf8(changed) {
            prop_assert!(tokens.open_dialog(&changed, "call", "one", "two").is_err());
        }
    }

    #[test]
    fn a_temporary_gruu_reads_as_its_number_and_no_other_text_does(
        id in 1..u64::MAX, nonce in any::<u64>(), at in 0..42_usize, other in any::<u8>()
    ) {
        let gruus = Gruus::new(&[1; 32]);
        let domain = sip("sip:home.example");
        let gruu = gruus.temporary(&domain, id, nonce);
        let read = sip(&gruu.to_string());
        prop_assert_eq!(gruus.read(&read), Ok(Gruu::Temporary { gruu_id: id }));
        prop_assert!(Gruus::new(&[2; 32]).read(&read).is_err());
        let mut changed = gruu.user().unwrap().as_bytes().to_vec();
        changed[at] = other;
        prop_assume!(changed != gruu.user().unwrap().as_bytes());
        if let Ok(user) = String::from_utf8(changed) {
            let forged = sip("sip:home.example").with_user(&user).with_param("gr", None);
            prop_assert!(gruus.read(&forged).is_err());
        }
    }

    #[test]
    fn a_public_gruu_reads_as_its_user_and_device(
        user in "[a-z%+. ]{1,12}", instance in "[a-zA-Z0-9:;=@-]{1,40}"
    ) {
        let gruus = Gruus::new(&[1; 32]);
        let aor = sip("sip:home.example").with_user(&user);
        let gruu = sip(&Gruus::public(&aor, &instance).to_string());
        let public = Gruu::Public { aor, instance_id: instance };
        prop_assert_eq!(gruus.read(&gruu), Ok(public));
    }
}
