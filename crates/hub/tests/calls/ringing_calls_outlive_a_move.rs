//! A call rings, and the network of one of the two changes: the device registers by another connection, and the hub leads
//! there what it led to the old one. Nobody hears anything of it.

use crate::telephone::{DOMAIN, Home, Phone};
use hearthline_hub::join::Membership;
use hearthline_sip::StatusCode;
use hearthline_sip::endpoint::{CallHandle, Event};
use hearthline_sip::target::Transport;

const HERE: &str = "urn:uuid:00000000-0000-8000-8000-000000000001";
const THERE: &str = "urn:uuid:00000000-0000-8000-8000-000000000002";

struct Ringing {
    home: Home,
    own: [Membership; 2],
    here: Phone,
    there: Phone,
    out: CallHandle,
    incoming: CallHandle,
}

async fn ringing() -> Ringing {
    let home = Home::new().await;
    let own = [
        home.enrol("Kitchen", None).await,
        home.enrol("Study", None).await,
    ];
    let mut here = Phone::certified(&home, &own[0]).await.unwrap();
    let mut there = Phone::certified(&home, &own[1]).await.unwrap();
    here.register_by_flow(HERE).await;
    there.register_by_flow(THERE).await;
    let out = here.call(&format!("sip:{}@{DOMAIN}", there.user)).await;
    let incoming = there.rings().await;
    here.progress(out).await;
    Ringing {
        home,
        own,
        here,
        there,
        out,
        incoming,
    }
}

async fn moves(phone: &mut Phone, own: &Membership, instance: &str) {
    let before = phone.local;
    phone.moves_to_another_network(own).await;
    assert_ne!(phone.local, before);
    phone.register_by_flow(instance).await;
}

#[tokio::test]
async fn the_answer_finds_a_caller_that_has_moved() {
    let mut call = ringing().await;
    moves(&mut call.here, &call.own[0], HERE).await;
    call.there.accept(call.incoming).await;
    call.here.answered(call.out).await;
    call.there.confirmed(call.incoming).await;
    call.there.bye(call.incoming).await;
    call.here.ended(call.out).await;
    call.home.hub.stop().await;
}

#[tokio::test]
async fn who_is_called_answers_after_a_move() {
    let mut call = ringing().await;
    moves(&mut call.there, &call.own[1], THERE).await;
    call.there.accept(call.incoming).await;
    call.here.answered(call.out).await;
    call.there.confirmed(call.incoming).await;
    call.here.bye(call.out).await;
    call.there.ended(call.incoming).await;
    call.home.hub.stop().await;
}

#[tokio::test]
async fn a_caller_gives_up_after_a_move_and_who_is_called_has_moved_too() {
    let mut call = ringing().await;
    moves(&mut call.here, &call.own[0], HERE).await;
    moves(&mut call.there, &call.own[1], THERE).await;
    call.here.bye(call.out).await;
    assert_eq!(call.here.failure(call.out).await, None, "cancelled");
    call.there.ended(call.incoming).await;
    call.home.hub.stop().await;
}

#[tokio::test]
async fn who_only_reads_the_dialog_cannot_take_it_over() {
    let mut call = ringing().await;
    // Another device with the same instance is another device: its address of record is its own.
    let thief = call.home.enrol("Attic", None).await;
    let mut thief = Phone::certified(&call.home, &thief).await.unwrap();
    thief.register_by_flow(HERE).await;
    call.there
        .act({
            let incoming = call.incoming;
            move |endpoint, now| {
                let busy = hearthline_sip::endpoint::Refusal::new(StatusCode::BUSY_HERE);
                endpoint.reject(incoming, busy, now)
            }
        })
        .await
        .unwrap();
    let busy = Some(StatusCode::BUSY_HERE);
    assert_eq!(call.here.failure(call.out).await, busy);
    call.home.hub.stop().await;
}

#[tokio::test]
async fn an_ordinary_telephone_answers_after_a_move_and_hears_the_end() {
    let home = Home::new().await;
    let desk = home.account("Desk", None).await;
    let kitchen = home.enrol("Kitchen", None).await;
    let mut kitchen = home.device(&kitchen).await;
    let mut desk = Phone::plain(&home, &desk, Transport::Udp).await;
    desk.register_as_instance(HERE).await;
    let out = kitchen.call(&format!("sip:desk@{DOMAIN}")).await;
    let incoming = desk.rings().await;
    kitchen.progress(out).await;
    desk.moves_by_udp().await;
    desk.register_as_instance(HERE).await;
    desk.accept(incoming).await;
    kitchen.answered(out).await;
    desk.confirmed(incoming).await;
    // And once more while the call stands.
    desk.moves_by_udp().await;
    desk.register_as_instance(HERE).await;
    kitchen.bye(out).await;
    desk.ended(incoming).await;
    home.hub.stop().await;
}

#[tokio::test]
async fn a_browser_comes_back_to_a_hub_that_was_restarted() {
    let mut home = Home::new().await;
    let (own, speaker) = (
        home.enrol("Browser", None).await,
        home.enrol("Kitchen", None).await,
    );
    let account = home.account("Desk", None).await;
    let mut browser = Phone::web(&home, &own).await.expect("an upgrade");
    browser.register_by_flow(HERE).await;
    let mut kitchen = home.device(&speaker).await;
    let out = browser
        .call(&format!("sip:{}@{DOMAIN}", kitchen.user))
        .await;
    let incoming = kitchen.rings().await;
    kitchen.accept(incoming).await;
    browser.answered(out).await;
    kitchen.confirmed(incoming).await;
    home = home.restart().await;
    browser.returns_by_web(home.hub.addresses()[0], &own).await;
    browser.register_by_flow(HERE).await;
    kitchen.moves_to_another_network(&speaker).await;
    kitchen.register().await.unwrap();
    // The call that stands can be ended, and the next one comes, also from a telephone that knows nothing of it.
    kitchen.bye(incoming).await;
    browser
        .wait(|event| matches!(event, Event::Ended { call, .. } if *call == out).then_some(()))
        .await;
    let mut desk = home.phone(&account, Transport::Udp).await;
    crate::telephone::talk(&mut desk, &mut browser, &format!("sip:browser@{DOMAIN}")).await;
    home.hub.stop().await;
}
