//! Our network changed: other addresses of ours, other connections to the same peers.

use core::time::Duration;
use std::net::SocketAddr;

use super::Endpoint;
use super::build::host_of;
use crate::target::Transport;
use crate::{NameAddr, SipUri, Uri};

impl Endpoint {
    /// We are at these addresses from now on, in the order of those before. What we call ourselves in calls that stand
    /// and in registrations follows, where it was one of those: the next request there tells the other side (RFC 3261
    /// section 12.2.1.1).
    pub fn moved(&mut self, local: Vec<(Transport, SocketAddr)>) {
        let before = core::mem::replace(&mut self.config.local, local);
        let pairs: Vec<(SocketAddr, SocketAddr)> = before
            .iter()
            .zip(&self.config.local)
            .map(|((_, before), (_, after))| (*before, *after))
            .collect();
        for call in self.calls.values_mut() {
            if let Some(moved) = at_new_address(&call.contact, &pairs) {
                call.contact = moved;
            }
        }
        for registered in self.registrations.values_mut() {
            let contact = registered.request.contact.as_ref();
            if let Some(moved) = contact.and_then(|contact| at_new_address(contact, &pairs)) {
                registered.request.contact = Some(moved);
            }
        }
    }

    /// Another connection to this peer took the place of the one that was. Half a message of that one is forgotten; what
    /// nobody has answered goes out again, and what is answered, such as a call that rings there, waits on.
    pub fn stream_replaced(&mut self, transport: Transport, remote: SocketAddr, now: Duration) {
        self.streams.close(transport, remote);
        self.transactions.handle_stream_replaced(transport, remote);
        self.settle(now);
    }
}

fn at_new_address(contact: &NameAddr, pairs: &[(SocketAddr, SocketAddr)]) -> Option<NameAddr> {
    let uri: &SipUri = contact.uri.as_sip()?;
    let was = SocketAddr::new(uri.host().ip()?, uri.port()?);
    let (_, is) = pairs.iter().find(|(before, _)| *before == was)?;
    let mut moved = contact.clone();
    let uri = uri.clone().with_host(host_of(*is)).with_port(is.port());
    moved.uri = Uri::from(uri);
    Some(moved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_named_our_old_address_names_the_new_one() {
        let address = |text: &str| -> SocketAddr { text.parse().unwrap() };
        let pairs = [
            (address("127.1.0.2:5060"), address("127.1.0.12:5070")),
            (address("127.1.0.2:5062"), address("127.1.0.12:5072")),
        ];
        let moved = |text: &str| {
            let contact = NameAddr::parse(text).unwrap();
            at_new_address(&contact, &pairs).map(|contact| contact.to_string())
        };
        assert_eq!(
            moved("<sip:speaker@127.1.0.2:5062;transport=tls>;reg-id=1").unwrap(),
            "<sip:speaker@127.1.0.12:5072;transport=tls>;reg-id=1"
        );
        for kept in [
            "<sip:kitchen@home.test;gr=urn:uuid:1>",
            "<sip:speaker@127.1.0.2:5061>",
            "<sip:speaker@127.1.0.3:5060>",
            "<tel:+12025550123>",
        ] {
            assert_eq!(moved(kept), None, "{kept}");
        }
    }
}
