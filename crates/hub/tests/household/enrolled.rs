//! Many devices with certificates, made in no time.
use hearthline_hub::authority::Authority;
use hearthline_hub::certificate_request::CertificateRequest;
use hearthline_hub::device::{DeviceFields, DeviceKind, NewDevice};
use hearthline_hub::id::DeviceId;
use hearthline_hub::invitation::{Code, InvitationKey, NewInvitation};
use hearthline_hub::join::{Membership, make_request};
use hearthline_hub::text::Name;
use rcgen::KeyPair;

use super::Household;

impl Household {
    /// Devices with certificates, without the slow derivation of their codes.
    pub async fn enrolled(&self, count: usize) -> Vec<Membership> {
        let now = self.clock.now();
        let store = self.hub.store();
        let authority = Authority::open(self.folder.path(), false, now).unwrap();
        let key = InvitationKey::derive(&Code::random().unwrap(), &self.hub.ca_fingerprint());
        let mut members = Vec::new();
        for n in 0..count {
            let fields = DeviceFields {
                name: Name::new(&format!("Speaker {n}")).unwrap(),
                room: None,
                person: None,
            };
            let new = NewInvitation {
                key: key.clone(),
                kind: DeviceKind::Speaker,
                fields: fields.clone(),
                expires_at: now.plus_ms(600_000),
            };
            let invitation = store.invite(&new, now).await.unwrap();
            let pair = KeyPair::generate().unwrap();
            let request = CertificateRequest::from_der(&make_request(&pair).unwrap().0).unwrap();
            let id = DeviceId::random().unwrap();
            let (certificate, issued) = authority.issue_device(id, &request, now).unwrap();
            let device = NewDevice {
                id,
                kind: DeviceKind::Speaker,
                fields: fields.clone(),
                key_fingerprint: request.key_fingerprint(),
                certificate: issued,
            };
            store
                .accept_invitation(invitation.id, &device, now)
                .await
                .unwrap();
            members.push(Membership {
                device: id,
                kind: DeviceKind::Speaker,
                fields,
                key_pem: pair.serialize_pem(),
                certificate_pem: pem(&certificate),
                ca_pem: self.ca_pem.clone(),
                not_after: issued.not_after,
            });
        }
        members
    }
}

fn pem(der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
}
