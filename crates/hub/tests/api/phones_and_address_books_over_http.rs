//! SIP accounts and address books over the HTTP API: what owners, adults, children and strangers may.

use crate::household::{Client, Household};
use hearthline_emergency::numbers::Country;
use hearthline_hub::device::DeviceKind;
use hearthline_hub::person::Role;
use hearthline_hub::sip::SipConfig;
use serde_json::{Value, json};

const BOOK: &str = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:a\r\nFN:Anna\r\nN:;Anna;;;\r\nTEL;TYPE=CELL:+1 202 555 0123\r\n\
    X-PET:Rex\r\nEND:VCARD\r\nBEGIN:VCARD\r\nVERSION:4.0\r\nUID:b\r\nFN:Bert\r\nTEL:(202) 555-0124\r\nEND:VCARD\r\n\
    BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Anton\r\nTEL;VALUE=uri:tel:112\r\nEND:VCARD\r\n";

async fn import(client: &Client, book: &str) -> (u16, Value) {
    let mut client = client.clone();
    client.header("content-type", "text/vcard; charset=utf-8");
    let (status, _, body) = client
        .send_bytes("POST", "/api/v1/contacts/vcard", book.into())
        .await;
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

async fn export(client: &Client, query: &str) -> String {
    let path = format!("/api/v1/contacts/vcard{query}");
    let (status, headers, body) = client.send_bytes("GET", &path, Vec::new()).await;
    assert_eq!(status, 200);
    assert_eq!(headers["content-type"], "text/vcard; charset=utf-8");
    String::from_utf8(body).unwrap()
}

#[tokio::test]
async fn an_address_book_comes_in_once_and_goes_out_whole() {
    let home = Household::new().await;
    let adult = home.login(Role::Adult).await;
    let (status, done) = import(&adult, BOOK).await;
    assert_eq!(status, 200, "{done}");
    assert_eq!(
        (
            &done["added"],
            &done["refused_count"],
            &done["numbers_left_out"]
        ),
        (&json!(2), &json!(1), &json!(1))
    );
    assert_eq!(done["refused"][0]["line"], 15);
    let detail = done["refused"][0]["detail"].as_str().unwrap();
    assert!(detail.contains("emergency numbers"), "{detail}");

    // What the home decides about a contact outlives a newer card.
    let (_, contacts) = adult.get("/api/v1/contacts").await;
    let anna = &contacts[0];
    let path = format!("/api/v1/contacts/{}", anna["id"].as_str().unwrap());
    let own = json!({"name": "Anna", "numbers": anna["numbers"], "screening": "screen", "children_may_call": true});
    assert_eq!(adult.put(&path, &own).await.0, 200);
    let newer = BOOK.replace("0123", "0199").replace("FN:Anna", "FN:Anna B");
    let (_, done) = import(&adult, &newer).await;
    assert_eq!(
        (&done["changed"], &done["unchanged"]),
        (&json!(1), &json!(1))
    );
    let (_, anna) = adult.get(&path).await;
    assert_eq!(
        (
            &anna["name"],
            &anna["screening"],
            &anna["numbers"][0]["number"]
        ),
        (&json!("Anna B"), &json!("screen"), &json!("+12025550199"))
    );
    let (_, done) = import(&adult, &newer).await;
    assert_eq!((&done["added"], &done["unchanged"]), (&json!(0), &json!(2)));

    let all = export(&adult, "").await;
    for kept in [
        "VERSION:4.0",
        "X-PET:Rex",
        "(202) 555-0124",
        "+1 202 555 0199",
    ] {
        assert!(all.contains(kept), "{kept}: {all}");
    }
    assert!(export(&adult, "?version=3").await.contains("VERSION:3.0"));
    assert_eq!(adult.get("/api/v1/contacts/vcard?version=2").await.0, 400);
    let childs = export(&home.login(Role::Child).await, "").await;
    assert!(
        childs.contains("Anna B") && !childs.contains("Bert"),
        "{childs}"
    );
    assert_eq!(import(&home.login(Role::Child).await, BOOK).await.0, 403);
    assert_eq!(import(&home.anonymous(), BOOK).await.0, 401);
}

#[tokio::test]
async fn numbers_are_whole_where_the_home_knows_how_they_are_dialled() {
    const HERE: &str = "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Clara\r\nTEL;TYPE=home:(030) 5550 1234\r\nTEL:+12025550123\r\n\
        TEL:5550\r\nEND:VCARD\r\n";
    const WHOLE: &str = "+493055501234";
    let mut sip = SipConfig::new(Country::Germany);
    sip.domain = "home.test".to_owned();
    let home = Household::with_sip(sip).await;
    let adult = home.login(Role::Adult).await;
    let (status, done) = import(&adult, HERE).await;
    assert_eq!(
        (status, &done["numbers_left_out"]),
        (200, &json!(1)),
        "{done}"
    );
    let (_, contacts) = adult.get("/api/v1/contacts").await;
    let numbers: Vec<&Value> = (0..2)
        .map(|at| &contacts[0]["numbers"][at]["number"])
        .collect();
    assert_eq!(numbers, [&json!(WHOLE), &json!("+12025550123")]);
    let out = export(&adult, "").await;
    assert_eq!(
        out.matches("5550").count(),
        3,
        "each once, and what is no number here: {out}"
    );
    let (_, again) = import(&adult, HERE).await;
    assert_eq!(
        (&again["added"], &again["unchanged"]),
        (&json!(0), &json!(1)),
        "{again}"
    );
    // By hand the same.
    let with =
        |number: &str| json!({"name": "Dora", "numbers": [{"label": "home", "number": number}]});
    let (status, dora) = adult
        .post("/api/v1/contacts", &with("030-555-0123-5"))
        .await;
    assert_eq!(
        (status, &dora["numbers"][0]["number"]),
        (201, &json!("+493055501235")),
        "{dora}"
    );
    for number in ["112", "0112", "+112", "5550", "5550123"] {
        let (status, why) = adult.post("/api/v1/contacts", &with(number)).await;
        assert_eq!(status, 400, "{number}: {why}");
        let field = why["field"].as_str().unwrap();
        assert!(field.starts_with("numbers[0]"), "{number}: {why}");
    }
    home.hub.stop().await;
    // A hub that carries no calls knows nothing of that.
    let home = Household::new().await;
    let adult = home.login(Role::Adult).await;
    let (status, why) = adult.post("/api/v1/contacts", &with("03055501234")).await;
    assert_eq!(
        (status, &why["field"]),
        (400, &json!("numbers[0].number")),
        "{why}"
    );
}

#[tokio::test]
async fn bad_files_are_refused_whole_and_change_nothing() {
    let home = Household::new().await;
    let owner = home.login(Role::Owner).await;
    for (book, why) in [
        ("hello", "line 1: outside of a card"),
        (
            "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:A",
            "line 3: the file ends inside",
        ),
        (
            "BEGIN:VCARD\r\nBEGIN:VCARD\r\n",
            "line 2: a card begins inside",
        ),
    ] {
        let (status, problem) = import(&owner, book).await;
        assert_eq!(status, 400, "{problem}");
        assert!(
            problem["detail"].as_str().unwrap().contains(why),
            "{problem}"
        );
    }
    let (status, problem) = owner.post("/api/v1/contacts/vcard", &json!({})).await;
    assert_eq!(status, 415);
    assert!(problem["detail"].as_str().unwrap().contains("text/vcard"));
    let large = format!("BEGIN:VCARD\r\nNOTE:{}\r\n", "x".repeat(9 * 1024 * 1024));
    // The hub answers before it has read all, so the rest may find no reader.
    let mut client = owner.clone();
    client.header("content-type", "text/vcard");
    let answer = client
        .try_send("POST", "/api/v1/contacts/vcard", large.into())
        .await;
    assert!(answer.is_none_or(|answer| answer.status().as_u16() == 413));
    let mut many = String::new();
    for n in 0..10_001 {
        many.push_str(&format!(
            "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Person {n}\r\nEND:VCARD\r\n"
        ));
    }
    let (status, problem) = import(&owner, &many).await;
    assert_eq!(status, 409, "{problem}");
    assert_eq!(home.hub.store().contacts().await.unwrap(), []);
}

#[tokio::test]
async fn phones_get_a_password_once_and_lose_their_account() {
    let mut sip = SipConfig::new(Country::Germany);
    sip.domain = "home.test".to_owned();
    let home = Household::with_sip(sip).await;
    let owner = home.login(Role::Owner).await;
    let adult = home.login(Role::Adult).await;
    let adam = home.person(Role::Adult).id;
    let (status, added) = owner
        .post(
            "/api/v1/sip-accounts",
            &json!({"name": "Desk", "digest": "md5"}),
        )
        .await;
    assert_eq!(status, 201, "{added}");
    assert_eq!(
        (&added["domain"], &added["weak"]),
        (&json!("home.test"), &json!(true))
    );
    assert_eq!(added["servers"].as_array().unwrap().len(), 3);
    let password = added["password"].as_str().unwrap();
    assert_eq!(password.len(), 20);
    let wish = json!({"name": "Adam's", "person": adam});
    assert_eq!(adult.post("/api/v1/sip-accounts", &wish).await.0, 201);
    let shared = json!({"name": "Hall"});
    assert_eq!(adult.post("/api/v1/sip-accounts", &shared).await.0, 403);

    // Who calls by such an account has a name and a place: "the phone in the study".
    let (_, devices) = adult.get("/api/v1/devices").await;
    let desk = devices.as_array().unwrap().iter();
    let desk = desk
        .clone()
        .find(|own| own["id"] == added["device"])
        .unwrap();
    assert_eq!(
        (&desk["name"], &desk["username"]),
        (&json!("Desk"), &added["username"])
    );

    let (_, list) = adult.get("/api/v1/sip-accounts").await;
    assert_eq!(list.as_array().unwrap().len(), 2);
    assert!(!list.to_string().contains(password), "shown once");
    let path = |device: &Value| format!("/api/v1/sip-accounts/{}", device.as_str().unwrap());
    let desk = path(&added["device"]);
    assert_eq!(adult.delete(&desk).await.0, 403, "not theirs");
    assert_eq!(owner.delete(&desk).await.0, 204);
    let (_, list) = owner.get("/api/v1/sip-accounts").await;
    assert_eq!(list.as_array().unwrap().len(), 1);
    assert_eq!(adult.delete(&path(&list[0]["device"])).await.0, 204);

    let silent = Household::new().await;
    let owner = silent.login(Role::Owner).await;
    let (status, problem) = owner.post("/api/v1/sip-accounts", &shared).await;
    assert_eq!(status, 409, "{problem}");
}

#[tokio::test]
async fn a_caller_is_blocked_by_what_a_speaker_knows_of_them() {
    let mut sip = SipConfig::new(Country::Germany);
    sip.domain = "home.test".to_owned();
    let home = Household::with_sip(sip).await;
    let owner = home.login(Role::Owner).await;
    let adult = home.login(Role::Adult).await;
    let adam = home.person(Role::Adult).id;
    let (_, desk) = owner
        .post("/api/v1/sip-accounts", &json!({"name": "Desk"}))
        .await;
    let speaker = DeviceKind::Speaker;
    let kitchen = home.device(speaker, "Kitchen", None).await;
    let kitchen = home.as_device(&kitchen);
    let whose = Some(home.person(Role::Adult));
    let bedside = home.device(speaker, "Bedside", whose).await;
    let bedside = home.as_device(&bedside);
    let block = "/api/v1/me/blocked";
    let by_name = json!({"account": desk["username"]});
    let device = json!({"kind": "device", "id": desk["device"]});
    // A speaker that is nobody's blocks for itself, one of a person's for the person.
    let (status, settings) = kitchen.post(block, &by_name).await;
    assert_eq!(
        (status, &settings["blocked"]),
        (200, &json!([device])),
        "{settings}"
    );
    let number = json!({"number": "+1 202 555 0123"});
    let (_, settings) = kitchen.post(block, &number).await;
    assert_eq!(settings["blocked_numbers"], json!(["+12025550123"]));
    assert_eq!(settings["blocked"], json!([device]), "the rest stays");
    let (_, settings) = bedside.post(block, &by_name).await;
    assert_eq!(settings["blocked"], json!([device]));
    let by_id = json!({"device": desk["device"]});
    let (_, settings) = adult.post(block, &by_id).await;
    assert_eq!(
        settings["blocked"],
        json!([device]),
        "once, on Adam's own list"
    );
    let path = format!("/api/v1/people/{adam}/call-settings");
    assert_eq!(adult.get(&path).await.1, settings);
    for (wish, code) in [
        (json!({"account": "phone-nobody"}), 404),
        (json!({"device": home.person(Role::Owner).id}), 404),
        (json!({"number": "112"}), 400),
        (json!({}), 400),
    ] {
        let (status, problem) = kitchen.post(block, &wish).await;
        assert_eq!(status, code, "{wish} {problem}");
    }
    assert_eq!(
        home.login(Role::Child).await.post(block, &by_id).await.0,
        403
    );
    assert_eq!(home.anonymous().post(block, &by_id).await.0, 401);
}
