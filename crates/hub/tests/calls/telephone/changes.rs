//! What the two of a standing call change in it.
use hearthline_sip::endpoint::{Body, CallHandle, Event, RegisterRequest};
use hearthline_sip::registration::RegistrationConfig;
use hearthline_sip::target::Target;
use hearthline_sip::{Host, NameAddr, Request, SipUri, StatusCode};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

use super::wire::{Wire, datagrams};
use super::{DOMAIN, Phone, SDP};

impl Phone {
    /// Where the hub is.
    pub fn hub(&self) -> Target {
        self.hub.clone()
    }

    /// A re-INVITE comes, and is taken as it is.
    pub async fn is_offered(&mut self, wanted: CallHandle) -> Request {
        let request = self
            .wait(|event| match event {
                Event::Reinvite { call, request } if *call == wanted => Some((**request).clone()),
                _ => None,
            })
            .await;
        self.act(move |endpoint, now| endpoint.answer_reinvite(wanted, Some(Body::sdp(SDP)), now))
            .await
            .unwrap();
        request
    }

    /// A re-INVITE of one's own was taken.
    pub async fn reinvited(&mut self, wanted: CallHandle) {
        let status = self
            .wait(|event| match event {
                Event::ReinviteAnswered { call, response } if *call == wanted => {
                    Some(response.status)
                }
                _ => None,
            })
            .await;
        assert_eq!(status, StatusCode::OK);
    }

    /// Everything that has come so far.
    pub fn hears(&mut self, mut shown: impl FnMut(&Event)) {
        while let Ok(event) = self.events.try_recv() {
            shown(&event);
        }
    }

    /// An ordinary telephone has another address on the network; calls and what it knows stay.
    pub async fn moves_by_udp(&mut self) {
        let socket = UdpSocket::bind("127.0.0.9:0").await.unwrap();
        self.local = socket.local_addr().unwrap();
        let (to_hub, outgoing) = mpsc::unbounded_channel();
        let (arriving, incoming) = mpsc::unbounded_channel();
        let hub = self.hub.remote;
        let wire = Wire {
            outgoing,
            arriving,
            hub,
        };
        tokio::spawn(datagrams(socket, wire, ""));
        self.rewire.send((to_hub, incoming)).unwrap();
    }

    /// Registers as a telephone does that says which one it is, and knows nothing of flows.
    pub async fn register_as_instance(&mut self, instance: &str) {
        let own = SipUri::new(Host::from(self.local.ip()))
            .with_user(&self.user)
            .with_port(self.local.port());
        let mut contact = NameAddr::new(own);
        let quoted = format!("<{instance}>");
        contact.params.set_quoted("+sip.instance", &quoted);
        let request = RegisterRequest {
            registrar: format!("sip:{DOMAIN}").parse().unwrap(),
            address_of_record: self.address(),
            contact: Some(contact),
            target: self.hub.clone(),
            route: Vec::new(),
            credentials: self.credentials.clone(),
            config: RegistrationConfig::default(),
        };
        self.act(move |endpoint, now| endpoint.register(request, now))
            .await
            .unwrap();
        self.wait(|event| matches!(event, Event::Registered { .. }).then_some(()))
            .await;
    }
}
