//! Sessions: cookies and the token against forged requests, log-in limits, ends that take effect at once.

use crate::household::{Client, Household, PASSWORD, generous};
use hearthline_hub::Limits;
use hearthline_hub::device::DeviceKind;
use hearthline_hub::person::Role;
use hearthline_hub::rate::Rate;
use serde_json::{Value, json};

/// Logs in as a browser does; the client then carries the cookie.
async fn browser(home: &Household) -> (Client, String, String) {
    let mut client = home.anonymous();
    let wish = json!({"login": "olive", "password": PASSWORD, "kind": "browser"});
    let (status, headers, body) = client
        .send_bytes("POST", "/api/v1/sessions", wish.to_string().into_bytes())
        .await;
    assert_eq!(status, 201);
    let cookie = headers["set-cookie"].to_str().unwrap().to_owned();
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert!(
        body.get("token").is_none(),
        "a browser's script never sees the token"
    );
    client.header("cookie", cookie.split(';').next().unwrap());
    (
        client,
        cookie,
        body["csrf_token"].as_str().unwrap().to_owned(),
    )
}

#[tokio::test]
async fn a_change_needs_the_token_that_a_foreign_page_cannot_read() {
    let home = Household::new().await;
    let (mut client, cookie, csrf) = browser(&home).await;
    for attribute in [
        "__Host-hearth=",
        "; Path=/",
        "; Secure",
        "; HttpOnly",
        "; SameSite=Strict",
    ] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    let room = json!({"name": "Kitchen"});
    assert_eq!(
        client.get("/api/v1/rooms").await.0,
        200,
        "reading needs none"
    );
    assert_eq!(client.post("/api/v1/rooms", &room).await.0, 403);
    client.header("x-csrf-token", "AAAA");
    assert_eq!(client.post("/api/v1/rooms", &room).await.0, 403);
    client.header("x-csrf-token", &csrf);
    client.header("origin", "https://evil.example");
    assert_eq!(
        client.post("/api/v1/rooms", &room).await.0,
        403,
        "another site's page"
    );
    client.header("origin", &format!("https://{}", home.address()));
    assert_eq!(client.post("/api/v1/rooms", &room).await.0, 201);
    // The token of another session is not this one's.
    let (_, _, other) = browser(&home).await;
    client.header("x-csrf-token", &other);
    assert_eq!(
        client
            .post("/api/v1/rooms", &json!({"name": "Hall"}))
            .await
            .0,
        403
    );
    assert_eq!(client.get("/api/v1/me").await.1["csrf_token"], csrf);
    // A form of a foreign page cannot send JSON.
    client.header("x-csrf-token", &csrf);
    client.header("content-type", "text/plain");
    assert_eq!(
        client
            .post("/api/v1/rooms", &json!({"name": "Hall"}))
            .await
            .0,
        415
    );
}

#[tokio::test]
async fn a_browsers_token_is_no_bearer_and_an_apps_token_is_no_cookie() {
    let home = Household::new().await;
    let (client, cookie, _) = browser(&home).await;
    let token = cookie.split(';').next().unwrap().split_once('=').unwrap().1;
    let mut bearer = client.clone().without("cookie");
    bearer.header("authorization", &format!("Bearer {token}"));
    assert_eq!(bearer.get("/api/v1/me").await.0, 401);
    let app = home.login(Role::Owner).await;
    let token = app.headers[0].1.trim_start_matches("Bearer ").to_owned();
    let mut with_cookie = home.anonymous();
    with_cookie.header("cookie", &format!("__Host-hearth={token}"));
    assert_eq!(with_cookie.get("/api/v1/me").await.0, 401);
    for nonsense in ["Bearer", "Bearer ", "Basic b2xpdmU6eA==", "Bearer AAAA"] {
        let mut client = home.anonymous();
        client.header("authorization", nonsense);
        assert_eq!(client.get("/api/v1/me").await.0, 401, "{nonsense}");
    }
}

#[tokio::test]
async fn logging_out_ends_the_session_and_its_stream() {
    let home = Household::new().await;
    let client = home.login(Role::Adult).await;
    let other = home.login(Role::Adult).await;
    let mut stream = client.events(None).await;
    let id = client.get("/api/v1/me").await.1["session"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let child = home.login(Role::Child).await;
    assert_eq!(
        child.delete(&format!("/api/v1/sessions/{id}")).await.0,
        404,
        "not theirs"
    );
    assert_eq!(
        other
            .get("/api/v1/sessions")
            .await
            .1
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(other.delete(&format!("/api/v1/sessions/{id}")).await.0, 204);
    assert_eq!(stream.next().await, None);
    assert_eq!(client.get("/api/v1/me").await.0, 401);
    assert_eq!(other.get("/api/v1/me").await.0, 200);
    home.clock.advance_ms(366 * 24 * 3_600_000);
    // The hub's own certificate is judged by the client's clock, which did not move.
    assert_eq!(other.get("/api/v1/me").await.0, 401, "sessions end");
}

#[tokio::test]
async fn a_new_password_needs_the_present_one_and_ends_every_session() {
    let home = Household::new().await;
    let adult = home.login(Role::Adult).await;
    let own = format!("/api/v1/people/{}/password", home.person(Role::Adult).id);
    let owners = format!("/api/v1/people/{}/password", home.person(Role::Owner).id);
    let new = "another long password";
    let (status, problem) = adult.put(&own, &json!({"password": new})).await;
    assert_eq!((status, problem["field"].as_str()), (400, Some("current")));
    assert_eq!(
        adult
            .put(&owners, &json!({"password": new, "current": PASSWORD}))
            .await
            .0,
        403
    );
    let (status, problem) = adult
        .put(&own, &json!({"password": "short", "current": PASSWORD}))
        .await;
    assert_eq!((status, problem["field"].as_str()), (400, Some("password")));
    assert_eq!(
        adult
            .put(&own, &json!({"password": new, "current": PASSWORD}))
            .await
            .0,
        204
    );
    assert_eq!(adult.get("/api/v1/me").await.0, 401);
    let old = json!({"login": "adam", "password": PASSWORD, "kind": "app"});
    assert_eq!(home.anonymous().post("/api/v1/sessions", &old).await.0, 403);
    let fresh = json!({"login": "ADAM ", "password": new, "kind": "app"});
    assert_eq!(
        home.anonymous().post("/api/v1/sessions", &fresh).await.0,
        201
    );
}

#[tokio::test]
async fn guessing_is_slowed_for_one_account_without_locking_the_others() {
    let limits = Limits {
        tries_by_account: Rate {
            burst: 3,
            every_ms: 60_000,
        },
        ..generous()
    };
    let home = Household::with(limits).await;
    let try_as = async |login: &str, password: &str| {
        let wish = json!({"login": login, "password": password, "kind": "app"});
        home.anonymous().post("/api/v1/sessions", &wish).await
    };
    for _ in 0..3 {
        assert_eq!(try_as("olive", "wrong password").await.0, 403);
    }
    let (status, problem) = try_as("olive", PASSWORD).await;
    assert_eq!(status, 429, "{problem}");
    assert_eq!(try_as("adam", PASSWORD).await.0, 201);
    // Nobody can tell a login that exists from one that does not.
    assert_eq!(
        try_as("nobody", "wrong password").await,
        try_as("chris", "wrong password").await
    );
    home.clock.advance_ms(60_000);
    assert_eq!(try_as("olive", PASSWORD).await.0, 201);
}

#[tokio::test]
async fn whoever_knows_a_login_locks_nobody_out() {
    let limits = Limits {
        tries_by_account: Rate {
            burst: 3,
            every_ms: 3_600_000,
        },
        tries_by_account_anywhere: Rate {
            burst: 8,
            every_ms: 3_600_000,
        },
        ..generous()
    };
    let home = Household::with(limits).await;
    let adam = home.person(Role::Adult);
    let phone = home
        .device(DeviceKind::Phone, "Adam's phone", Some(adam))
        .await;
    let adult = home.login(Role::Adult).await;
    let wish = |password: &str| json!({"login": "adam", "password": password, "kind": "app"});
    let mut status = 0;
    for _ in 0..20 {
        let wrong = wish("wrong password");
        status = home.anonymous().post("/api/v1/sessions", &wrong).await.0;
    }
    assert_eq!(status, 429, "the guesser is slowed");
    let phone = home.as_device(&phone);
    assert_eq!(phone.post("/api/v1/sessions", &wish(PASSWORD)).await.0, 201);
    let own = format!("/api/v1/people/{}/password", adam.id);
    let new = json!({"password": "another long password", "current": PASSWORD});
    assert_eq!(adult.put(&own, &new).await.0, 204);
    // From everywhere together it is still bounded.
    let mut last = 0;
    for n in 0..4 {
        let name = format!("Phone {n}");
        let other = home.device(DeviceKind::Phone, &name, None).await;
        for _ in 0..3 {
            let tried = home.as_device(&other);
            last = tried
                .post("/api/v1/sessions", &wish("wrong password"))
                .await
                .0;
        }
    }
    assert_eq!(last, 429);
}

#[tokio::test]
async fn a_source_that_nobody_is_known_behind_is_slowed() {
    let limits = Limits {
        anonymous: Rate {
            burst: 10,
            every_ms: 3_600_000,
        },
        ..generous()
    };
    let home = Household::with(limits).await;
    let device = home
        .device(hearthline_hub::device::DeviceKind::Speaker, "Kitchen", None)
        .await;
    let mut slowed = None;
    for _ in 0..12 {
        let (status, headers, _) = home
            .anonymous()
            .send_bytes("GET", "/api/v1/me", Vec::new())
            .await;
        if status == 429 {
            slowed = headers.get("retry-after").cloned();
        }
    }
    assert_eq!(slowed.unwrap(), "3600");
    assert_eq!(
        home.as_device(&device).get("/api/v1/me").await.0,
        200,
        "devices are not slowed by others"
    );
}
