//! A configuration that comes while the house runs: what has not changed stays connected, what is new is there, what is
//! gone is let go.
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hearthline_speaker::skill::{Asked, By, Reply};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

use crate::household::{Running, english};
use crate::mosquitto::{Broker, programs, sections};
use crate::stand_in::{Visitor, house};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_what_has_changed_is_connected_anew() {
    let (Some(program), Some(_)) = (programs(), english()) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let broker = Broker::start(program, folder.path(), None);
    let lamp = json!({"name": "Reading Lamp", "unique_id": "lamp", "state_topic": "lamp/state", "command_topic": "lamp/set"});
    broker.publish("homeassistant/light/lamp/config", &lamp.to_string());
    broker.publish("lamp/state", "OFF");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let token = folder.path().join("token");
    std::fs::write(&token, "a-token-of-the-test\n").unwrap();
    let home_assistant = format!(
        "[home_assistant]\naddress = \"127.0.0.1:{port}\"\ntoken_file = \"{}\"\n",
        token.display()
    );
    let with_broker = format!("{home_assistant}{}", sections(folder.path(), broker.port));
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    let (closed, is_closed) = oneshot::channel();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        count.fetch_add(1, Ordering::Relaxed);
        let mut visitor = Visitor::greet(Box::new(stream)).await;
        visitor.settle(&house()).await;
        let others = tokio::spawn(async move {
            while listener.accept().await.is_ok() {
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        while let Some(asked) = visitor.hear().await {
            let followed = visitor.followed();
            let change = json!({"c": {"light.counter": {"+": {"s": "on"}}}});
            let event = json!({"id": followed, "type": "event", "event": change});
            visitor.send(&event).await;
            let done = json!({"id": asked["id"], "type": "result", "success": true, "result": {}});
            visitor.send(&done).await;
        }
        others.abort();
        let _ = closed.send(());
    });
    // Nothing at all: a sentence about lights is nobody's.
    let mut running = Running::new("Kitchen", "");
    let said = "turn on the lights";
    let meant = running.understood(said).unwrap();
    let asked = Asked {
        meant: &meant,
        said,
        by: By::Person,
        wall_ms: 0,
    };
    assert_eq!(running.skill.take(&asked, Duration::ZERO), Reply::Other);
    running.reload(&home_assistant);
    running.shows("Counter", "off").await;
    running.reload(&with_broker);
    running.shows("Reading Lamp", "off").await;
    // By the connection that there was.
    let last = Instant::now() + Duration::from_secs(60);
    loop {
        let (reply, _) = running.say("turn on the counter").await;
        if matches!(reply, Reply::Response(_)) {
            break;
        }
        // A machine that stood still for a moment was too late.
        assert!(Instant::now() < last, "{reply:?}");
    }
    running.shows("Counter", "on").await;
    // The broker is gone from the file, and with it what it had; the room is another one.
    running.reload(&format!("{home_assistant}[house]\nroom = \"Bedroom\"\n"));
    let gone = |running: &mut Running, _: Option<&Reply>| {
        let things = running.shown["things"].as_array();
        let mut things = things.into_iter().flatten();
        !things.any(|thing| thing["name"] == "Reading Lamp")
    };
    running.until("the lamp is gone", gone).await;
    running.shows("Counter", "on").await;
    assert_eq!(connections.load(Ordering::Relaxed), 1);
    // And nothing again.
    running.reload("");
    is_closed.await.unwrap();
    let empty = |running: &mut Running, _: Option<&Reply>| running.shown["things"] == json!([]);
    running.until("nothing is left", empty).await;
    assert_eq!(connections.load(Ordering::Relaxed), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_used_leaves_what_there_was() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "a-token-of-the-test\n").unwrap();
    let text = format!(
        "[home_assistant]\naddress = \"127.0.0.1:{port}\"\ntoken_file = \"{}\"\n",
        token.display()
    );
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut visitor = Visitor::greet(Box::new(stream)).await;
        visitor.settle(&house()).await;
        while visitor.hear().await.is_some() {}
    });
    let mut running = Running::new("Kitchen", &text);
    running.shows("Counter", "off").await;
    let missing = text.replace("/token", "/no-such-token");
    let household = crate::household::household("Kitchen", &missing);
    let reloaded = running.control.reload(&household, Box::new(|| true), None);
    assert!(reloaded.keeps_home_assistant);
    let [why] = &reloaded.notices[..] else {
        panic!("{:?}", reloaded.notices)
    };
    assert!(
        why.starts_with("[home_assistant] ") && why.ends_with("It stays as it was"),
        "{why}"
    );
    running.shows("Counter", "off").await;
    let things = running.shown["things"].as_array().unwrap();
    assert!(things.iter().all(|thing| thing["reachable"] == true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_token_in_the_same_file_connects_anew_and_one_that_cannot_be_used_does_not() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    let write = |text: &str, mode: u32| {
        std::fs::write(&token, text).unwrap();
        std::fs::set_permissions(&token, Permissions::from_mode(mode)).unwrap();
    };
    write("a-token-of-the-test\n", 0o600);
    let text = format!(
        "[home_assistant]\naddress = \"127.0.0.1:{port}\"\ntoken_file = \"{}\"\n",
        token.display()
    );
    let (tell, mut connected) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        for token in ["a-token-of-the-test", "another-token"] {
            let (stream, _) = listener.accept().await.unwrap();
            let mut visitor = Visitor::greet(Box::new(stream)).await;
            visitor.settle_by(token, &house()).await;
            tell.send(token).unwrap();
            while visitor.hear().await.is_some() {}
        }
    });
    let mut running = Running::new("Kitchen", &text);
    running.shows("Counter", "off").await;
    assert_eq!(connected.recv().await, Some("a-token-of-the-test"));
    let household = crate::household::household("Kitchen", &text);
    let reload = |running: &mut Running| {
        let comes = running.control.comes_anew(&household);
        let reloaded = running.control.reload(&household, Box::new(|| true), None);
        assert_eq!(
            reloaded.keeps_home_assistant,
            !reloaded.notices.is_empty() && !comes
        );
        (comes, reloaded.notices)
    };
    assert_eq!(reload(&mut running), (false, Vec::new()));
    for (text, mode, why) in [
        ("", 0o600, "one line"),
        ("two\nlines\n", 0o600, "one line"),
        ("another-token\n", 0o644, "chmod 600"),
    ] {
        write(text, mode);
        let (comes, told) = reload(&mut running);
        assert!(!comes && told[0].contains(why), "{told:?}");
        assert!(told[0].ends_with("It stays as it was") && !told[0].contains("another-token"));
    }
    std::fs::remove_file(&token).unwrap();
    let (comes, told) = reload(&mut running);
    assert!(!comes && told[0].contains("token: "), "{told:?}");
    // All the while the first connection stood.
    running.shows("Counter", "off").await;
    assert!(connected.try_recv().is_err());
    assert_eq!(running.shown["systems"][0]["answers"], true);
    write("another-token\n", 0o600);
    let (comes, told) = reload(&mut running);
    assert!(comes, "{told:?}");
    assert_eq!(
        told,
        ["[home_assistant] is connected anew: its files hold another secret"]
    );
    assert_eq!(connected.recv().await, Some("another-token"));
    running.shows("Counter", "off").await;
    assert_eq!(reload(&mut running), (false, Vec::new()));
}
