//! A device's calls say by which name it is found from anywhere (RFC 5627): what the hub hands on has it in its Contact, and
//! a telephone that calls it, or puts somebody through to it, reaches that very device.

use crate::telephone::{DOMAIN, Home, Phone};
use hearthline_sip::endpoint::{Event, TransferRequest};
use hearthline_sip::target::Transport;
use hearthline_sip::{Request, Uri};

const SPEAKER: &str = "urn:uuid:00000000-0000-8000-8000-0000000000aa";

fn contact_of(request: &Request) -> Uri {
    let contacts = request.headers.contacts().unwrap();
    contacts.first().unwrap().uri.clone()
}

#[tokio::test]
async fn what_the_hub_hands_on_has_the_name_and_the_name_leads_back() {
    let home = Home::new().await;
    let own = home.enrol("Kitchen", None).await;
    let desk = home.account("Desk", None).await;
    let hall = home.account("Hall", None).await;
    let mut kitchen = Phone::certified(&home, &own).await.unwrap();
    let name = kitchen.register_by_flow(SPEAKER).await;
    assert_eq!(name.params().get("gr"), Some(SPEAKER));
    assert_eq!(name.user(), Some(kitchen.user.as_str()));
    assert_eq!(name.host().to_string(), DOMAIN);
    let mut desk = home.phone(&desk, Transport::Udp).await;
    let mut hall = home.phone(&hall, Transport::Tcp).await;

    // In an INVITE that the hub hands on, and in an answer.
    let out = kitchen.call(&format!("sip:desk@{DOMAIN}")).await;
    let (incoming, invite) = desk
        .wait(|event| match event {
            Event::Incoming { call, request, .. } => Some((*call, request.clone())),
            _ => None,
        })
        .await;
    assert_eq!(contact_of(&invite), Uri::from(name.clone()));
    let supported = invite
        .headers
        .get_all(&hearthline_sip::HeaderName::Supported);
    let supported: Vec<String> = supported
        .map(|row| String::from_utf8_lossy(row).into_owned())
        .collect();
    assert!(supported.join(",").contains("gruu"), "{supported:?}");
    desk.accept(incoming).await;
    kitchen.answered(out).await;
    desk.confirmed(incoming).await;

    let back = hall.call(&format!("sip:{}@{DOMAIN}", kitchen.user)).await;
    let rings = kitchen.rings().await;
    kitchen.accept(rings).await;
    let answered = hall
        .wait(|event| match event {
            Event::Answered { call, response } if *call == back => Some(response.clone()),
            _ => None,
        })
        .await;
    let contacts = answered.headers.contacts().unwrap();
    assert_eq!(contacts.first().unwrap().uri.to_string(), name.to_string());
    hall.bye(back).await;
    kitchen.ended(rings).await;

    // Put through: the desk names the kitchen to the hall by what it was told, and that is where it rings.
    let asked = desk.call(&format!("sip:hall@{DOMAIN}")).await;
    let rings = hall.rings().await;
    hall.accept(rings).await;
    desk.answered(asked).await;
    hall.confirmed(rings).await;
    let (target, replaces) = desk
        .act(move |endpoint, _| endpoint.replaces(incoming))
        .await
        .unwrap();
    assert_eq!(target, Uri::from(name.clone()));
    let mut wanted = TransferRequest::new(target);
    wanted.refer_to.replaces = Some(replaces.clone());
    desk.act(move |endpoint, now| endpoint.refer(asked, wanted, now))
        .await
        .unwrap();
    let to = hall
        .wait(|event| match event {
            Event::Referred { to, .. } => Some(to.clone()),
            _ => None,
        })
        .await;
    assert_eq!(to.uri, Uri::from(name));
    let row = replaces.to_string();
    let taking = hall
        .call_with(&to.uri.to_string(), &[("Replaces", &row)])
        .await;
    let incoming = kitchen
        .wait(|event| match event {
            Event::Incoming { call, .. } => Some(*call),
            _ => None,
        })
        .await;
    let replaced = kitchen
        .act(move |endpoint, _| endpoint.replaced_by(incoming))
        .await;
    assert_eq!(replaced, Some(out), "the kitchen's own call with the desk");
    kitchen.accept(incoming).await;
    hall.answered(taking).await;
    home.hub.stop().await;
}
