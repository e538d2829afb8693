//! Dialogs (RFC 3261 section 12): who talks to whom, where the next request goes, what counts.

use crate::{NameAddr, SipUri, Uri};

/// Longest route set that is followed.
pub const ROUTES_MAX: usize = 32;

/// Where a dialog stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DialogState {
    /// A provisional response with a tag made it.
    Early,
    /// A 2xx made or confirmed it.
    Confirmed,
}

/// What identifies a dialog at one of its ends (RFC 3261 section 12).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DialogId {
    /// Call-ID.
    pub call_id: String,
    /// Our tag.
    pub local_tag: String,
    /// The peer's tag; empty for a peer of RFC 2543 that has none.
    pub remote_tag: String,
}

/// A request's CSeq was not above the last one (section 12.2.2): answer 500.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("CSeq {got} came after {last} in the same dialog")]
pub struct OutOfOrder {
    /// The number in the request.
    pub got: u32,
    /// The highest number seen before.
    pub last: u32,
}

/// The state that both ends keep (section 12.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialog {
    /// Its identity.
    pub id: DialogId,
    /// Early or confirmed.
    pub state: DialogState,
    /// Our address with our tag: From of our requests.
    pub local: NameAddr,
    /// The peer's address with its tag: To of our requests.
    pub remote: NameAddr,
    /// CSeq of our last request.
    pub local_seq: u32,
    /// CSeq of the peer's last request.
    pub remote_seq: Option<u32>,
    /// The peer's Contact.
    pub remote_target: Uri,
    /// The proxies between, nearest first.
    pub route_set: Vec<NameAddr>,
    /// Made over TLS to a `sips` URI.
    pub secure: bool,
}

impl Dialog {
    /// The CSeq for our next request.
    pub fn next_seq(&mut self) -> u32 {
        self.local_seq = self.local_seq.saturating_add(1);
        self.local_seq
    }

    /// Checks the order of a request of the peer. ACK and CANCEL reuse a number and do not come
    /// here.
    pub fn receive_seq(&mut self, seq: u32) -> Result<(), OutOfOrder> {
        if let Some(last) = self.remote_seq
            && seq <= last
        {
            return Err(OutOfOrder { got: seq, last });
        }
        self.remote_seq = Some(seq);
        Ok(())
    }

    /// A target refresh request or its 2xx carried this Contact (section 12.2).
    pub fn refresh_target(&mut self, contact: Uri) {
        self.remote_target = contact;
    }

    /// Request-URI and Route rows of our next request (section 12.2.1.1).
    ///
    /// A first route without `lr` is a strict router of RFC 2543: it becomes the Request-URI, and
    /// the remote target goes to the end of the route.
    pub fn request_line(&self) -> (Uri, Vec<NameAddr>) {
        match self.route_set.split_first() {
            Some((first, rest)) if !is_loose(&first.uri) => {
                let mut routes = rest.to_vec();
                routes.push(NameAddr::new(self.remote_target.clone()));
                (request_uri(&first.uri), routes)
            }
            _ => (request_uri(&self.remote_target), self.route_set.clone()),
        }
    }

    /// The URI whose host gets our next request (section 8.1.2): the first route, loose or strict,
    /// else the remote target.
    pub fn next_hop(&self) -> &Uri {
        self.route_set
            .first()
            .map_or(&self.remote_target, |route| &route.uri)
    }
}

/// Whether a route is a loose router.
pub(crate) fn is_loose(uri: &Uri) -> bool {
    uri.as_sip().is_none_or(SipUri::is_loose_router)
}

/// Request-URI and Route rows for a first request along a preset route set (section 12.2.1.1
/// applies to it as well, section 8.1.1.1).
pub fn preset_route(request_uri_wanted: &Uri, route: &[NameAddr]) -> (Uri, Vec<NameAddr>) {
    match route.split_first() {
        Some((first, rest)) if !is_loose(&first.uri) => {
            let mut routes = rest.to_vec();
            routes.push(NameAddr::new(request_uri_wanted.clone()));
            (request_uri(&first.uri), routes)
        }
        _ => (request_uri(request_uri_wanted), route.to_vec()),
    }
}

/// Without the parts that may not stand in a Request-URI (section 19.1.1).
fn request_uri(uri: &Uri) -> Uri {
    match uri {
        Uri::Sip(uri) => Uri::Sip(uri.for_request_uri()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialog(routes: &[&str]) -> Dialog {
        Dialog {
            id: DialogId {
                call_id: "c".to_owned(),
                local_tag: "l".to_owned(),
                remote_tag: "r".to_owned(),
            },
            state: DialogState::Confirmed,
            local: NameAddr::parse("<sip:us@example.com>;tag=l").unwrap(),
            remote: NameAddr::parse("<sip:them@example.com>;tag=r").unwrap(),
            local_seq: 1,
            remote_seq: None,
            remote_target: Uri::parse("sip:them@192.0.2.9").unwrap(),
            route_set: routes
                .iter()
                .map(|route| NameAddr::parse(route).unwrap())
                .collect(),
            secure: false,
        }
    }

    fn written(dialog: &Dialog) -> (String, Vec<String>) {
        let (uri, routes) = dialog.request_line();
        (
            uri.to_string(),
            routes.iter().map(ToString::to_string).collect(),
        )
    }

    #[test]
    fn a_loose_route_leaves_the_target_in_the_request_line() {
        let dialog = dialog(&["<sip:p1.example.com;lr>", "<sip:p2.example.com;lr>"]);
        let (uri, routes) = written(&dialog);
        assert_eq!(uri, "sip:them@192.0.2.9");
        assert_eq!(
            routes,
            ["<sip:p1.example.com;lr>", "<sip:p2.example.com;lr>"]
        );
        assert_eq!(dialog.next_hop().to_string(), "sip:p1.example.com;lr");
    }

    #[test]
    fn a_strict_router_takes_the_request_line() {
        let dialog = dialog(&["<sip:p1.example.com>", "<sip:p2.example.com;lr>"]);
        let (uri, routes) = written(&dialog);
        assert_eq!(uri, "sip:p1.example.com");
        assert_eq!(routes, ["<sip:p2.example.com;lr>", "<sip:them@192.0.2.9>"]);
        assert_eq!(dialog.next_hop().to_string(), "sip:p1.example.com");
    }

    #[test]
    fn a_number_seen_before_is_out_of_order() {
        let mut dialog = dialog(&[]);
        assert_eq!(dialog.receive_seq(7), Ok(()));
        assert_eq!(dialog.receive_seq(9), Ok(()));
        assert_eq!(dialog.receive_seq(9), Err(OutOfOrder { got: 9, last: 9 }));
        assert_eq!(dialog.receive_seq(8), Err(OutOfOrder { got: 8, last: 9 }));
    }
}
