//! DESIGN invariant 2 on the hub: no dialled spelling of an emergency number, of any country, reaches a device of the
//! home, whatever devices and rooms are called. It is answered at once, so that the caller takes its own line.

use std::time::Duration;

use crate::telephone::{DOMAIN, Home, Phone};
use hearthline_emergency::numbers::Country;
use hearthline_hub::call::{CallState, Direction};
use hearthline_sip::endpoint::{Event, FailureCause};
use hearthline_sip::target::Transport;
use hearthline_sip::{HeaderName, NameAddr};

#[tokio::test]
async fn every_countrys_numbers_in_every_spelling_are_answered_503() {
    let mut asked = 0;
    for &country in Country::ALL {
        let home = Home::of(country).await;
        let mut caller = None;
        let mut ears = Vec::new();
        for (index, string) in country.dial_strings().iter().enumerate() {
            // The worst household: rooms and phones that are called like the numbers.
            let room = home.room(string.digits).await;
            let account = home.account(string.digits, Some(room)).await;
            ears.push(home.phone(&account, Transport::Udp).await);
            if index == 0 {
                let account = home.account("sos", None).await;
                caller = Some(home.phone(&account, Transport::Udp).await);
            }
        }
        let mut caller = caller.unwrap();
        let mut uris = vec![
            "urn:service:sos".to_owned(),
            "urn:service:sos.fire".to_owned(),
        ];
        for string in country.dial_strings() {
            let digits = string.digits;
            let spaced: Vec<String> = digits.chars().map(String::from).collect();
            for user in [digits.to_owned(), spaced.join("-"), spaced.join("%20")] {
                uris.push(format!("sip:{user}@{DOMAIN}"));
                uris.push(format!("sip:{user}@127.0.0.1;user=phone"));
            }
            uris.push(format!("sips:{digits}@{DOMAIN}"));
            uris.push(format!("tel:{digits};phone-context={DOMAIN}"));
        }
        for uri in &uris {
            let status = caller.refused(uri).await;
            assert_eq!(status.code(), 503, "{} {uri}", country.name());
            asked += 1;
        }
        // Spellings with a prefix are no emergency numbers, and no names either.
        for string in country.dial_strings() {
            for digits in [format!("0{}", string.digits), format!("9{}", string.digits)] {
                let status = caller.refused(&format!("sip:{digits}@{DOMAIN}")).await;
                assert!([404, 503].contains(&status.code()), "{digits}");
                asked += 1;
            }
        }
        for ear in &mut ears {
            assert!(
                ear.hears_nothing(Duration::ZERO).await,
                "{}",
                country.name()
            );
        }
        assert!(caller.hears_nothing(Duration::ZERO).await);
        home.hub.stop().await;
    }
    println!(
        "{asked} emergency calls in {} countries, none rang",
        Country::ALL.len()
    );
}

#[tokio::test]
async fn it_is_answered_before_anything_is_asked_and_recorded() {
    let home = Home::of(Country::Germany).await;
    let account = home.account("Desk", None).await;
    let mut desk = home.phone(&account, Transport::Udp).await;
    let call = desk.call("urn:service:sos").await;
    let warning = desk
        .wait(|event| match event {
            Event::Failed {
                call: failed,
                cause: FailureCause::Response(response),
            } if *failed == call => {
                assert_eq!(response.status.code(), 503);
                let text = response.headers.get_str(&HeaderName::Warning);
                Some(text.unwrap().to_owned())
            }
            _ => None,
        })
        .await;
    assert!(warning.contains("no emergency line"), "{warning}");
    let row = home.call_row(|_| true).await;
    assert_eq!(row.device, Some(account.device));
    assert_eq!(
        (row.direction, row.state),
        (Direction::Outgoing, CallState::Missed)
    );
    assert!(row.number.is_none() && row.ended_at_ms.is_some());
    // Also for somebody whom the hub does not know, or who was blocked for wrong passwords.
    let mut wrong = Phone::plain(&home, &account, Transport::Udp).await;
    assert_eq!(
        wrong.refused(&format!("sip:112@{DOMAIN}")).await.code(),
        503
    );
    let mut nobody = Phone::with(&home, "nobody", Vec::new(), Transport::Tcp).await;
    assert_eq!(nobody.refused("sip:110@127.0.0.1").await.code(), 503);
    // Another country's number is no emergency number here, and says what is.
    let foreign = desk.refused(&format!("sip:911@{DOMAIN}")).await;
    assert_eq!(foreign.code(), 404);
    home.hub.stop().await;
}

#[tokio::test]
async fn strangers_and_liars_are_refused() {
    let home = Home::new().await;
    let own = home.account("Desk", None).await;
    let other = home.account("Hall", None).await;
    let mut desk = home.phone(&own, Transport::Udp).await;
    let mut hall = home.phone(&other, Transport::Udp).await;
    let other = NameAddr::parse(&format!("<sip:{}@{DOMAIN}>", hall.user)).unwrap();
    // Somebody else's registration, and somebody else's name.
    assert_eq!(desk.register_as(&other).await.unwrap_err().code(), 403);
    let uri = format!("sip:hall@{DOMAIN}");
    assert_eq!(desk.refused_from(&uri, other).await.code(), 403);
    let outside = NameAddr::parse("<sip:bank@bank.example>").unwrap();
    assert_eq!(desk.refused_from(&uri, outside).await.code(), 403);
    // Nobody at all.
    let mut nobody = Phone::with(&home, &own.username, Vec::new(), Transport::Udp).await;
    assert_eq!(nobody.refused(&uri).await.code(), 407);
    assert_eq!(nobody.register().await.unwrap_err().code(), 401);
    assert!(hall.hears_nothing(Duration::from_millis(50)).await);
    home.hub.stop().await;
}

#[tokio::test]
async fn wrong_passwords_are_limited() {
    let home = Home::new().await;
    let mut own = home.account("Desk", None).await;
    let right = own.password.clone();
    own.password = "wrong".to_owned();
    let mut last = 0;
    let mut tries = 0;
    while last != 403 {
        let mut phone = Phone::plain(&home, &own, Transport::Udp).await;
        last = phone.register().await.unwrap_err().code();
        assert!(last == 401 || last == 403, "{last}");
        tries += 1;
        assert!(tries < 20, "never limited");
    }
    println!("blocked after {tries} registrations with a wrong password");
    // The right password does not help from there now, but help can be called.
    own.password = right;
    let mut phone = Phone::plain(&home, &own, Transport::Udp).await;
    assert_eq!(phone.register().await.unwrap_err().code(), 403);
    assert_eq!(
        phone.refused(&format!("sip:112@{DOMAIN}")).await.code(),
        503
    );
    // Who has a certificate needs no password.
    let kitchen = home.enrol("Kitchen", None).await;
    home.device(&kitchen).await;
    home.hub.stop().await;
}
