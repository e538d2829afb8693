//! A real Snapcast server with two rooms.
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use hearthline_speaker::config::{MusicSettings, SnapcastSettings, StationSettings};
use serde_json::{Value, json};

use crate::home::Home;
use crate::sounds::have;

struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn ask(address: SocketAddr, method: &str, params: &Value) -> Value {
    use std::io::{BufRead, BufReader, Write};
    let stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let request = json!({"id": 1, "jsonrpc": "2.0", "method": method, "params": params});
    write!(&stream, "{request}\r\n").unwrap();
    for line in BufReader::new(&stream).lines() {
        let value: Value = serde_json::from_str(&line.unwrap()).unwrap();
        if value["id"] == 1 {
            return value;
        }
    }
    panic!("no answer");
}

/// Whether a room is muted, and its stream.
fn room(address: SocketAddr, name: &str) -> (bool, String) {
    let status = ask(address, "Server.GetStatus", &json!({}));
    for group in status["result"]["server"]["groups"].as_array().unwrap() {
        for client in group["clients"].as_array().unwrap() {
            if client["config"]["name"] == name {
                let muted = client["config"]["volume"]["muted"] == true || group["muted"] == true;
                return (muted, group["stream_id"].as_str().unwrap().to_owned());
            }
        }
    }
    panic!("no {name}");
}

#[tokio::test(flavor = "multi_thread")]
async fn music_moves_with_the_real_server() {
    if !have("snapserver") || !have("snapclient") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let port = || {
        TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
    };
    let (control, audio) = (port(), port());
    let at = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(folder.path().join("conf"), "[server]\n").unwrap();
    let server = Command::new("snapserver")
        .args(["-c", &at("conf"), "--server.datadir", &at("")])
        .args(["--http.enabled", "false", "--logging.sink", "null"])
        .args([
            "--tcp.bind_to_address",
            "127.0.0.1",
            "--tcp.port",
            &control.port().to_string(),
        ])
        .args([
            "--stream.bind_to_address",
            "127.0.0.1",
            "--stream.port",
            &audio.port().to_string(),
        ])
        .arg(format!(
            "--stream.source=pipe://{}?name=music&mode=create",
            at("one")
        ))
        .arg(format!(
            "--stream.source=pipe://{}?name=quiet&mode=create",
            at("two")
        ))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _server = Ended(server);
    let end = Instant::now() + Duration::from_secs(10);
    while TcpStream::connect(control).is_err() {
        assert!(Instant::now() < end, "snapserver does not listen");
        std::thread::sleep(Duration::from_millis(50));
    }
    let clients: Vec<Ended> = ["kitchen-box", "bedroom-box"]
        .into_iter()
        .map(|id| {
            let client = Command::new("snapclient")
                .args([
                    "-h",
                    "127.0.0.1",
                    "-p",
                    &audio.port().to_string(),
                    "--hostID",
                    id,
                ])
                .args(["--player", "file:filename=/dev/null", "--logsink", "null"])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            Ended(client)
        })
        .collect();
    loop {
        let status = ask(control, "Server.GetStatus", &json!({}));
        let groups = status["result"]["server"]["groups"]
            .as_array()
            .unwrap()
            .clone();
        if groups
            .iter()
            .map(|group| group["clients"].as_array().unwrap().len())
            .sum::<usize>()
            == 2
        {
            for group in &groups {
                for client in group["clients"].as_array().unwrap() {
                    let id = client["id"].as_str().unwrap();
                    let kitchen = id.starts_with("kitchen");
                    ask(
                        control,
                        "Client.SetName",
                        &json!({"id": id, "name": if kitchen { "Kitchen" } else { "Bedroom" }}),
                    );
                    ask(
                        control,
                        "Group.SetStream",
                        &json!({"id": group["id"], "stream_id": if kitchen { "music" } else { "quiet" }}),
                    );
                    ask(
                        control,
                        "Client.SetVolume",
                        &json!({"id": id, "volume": {"muted": !kitchen, "percent": 70}}),
                    );
                }
            }
            break;
        }
        assert!(Instant::now() < end, "the rooms do not come: {groups:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(room(control, "Bedroom"), (true, "quiet".into()));
    let settings = MusicSettings {
        snapcast: Some(SnapcastSettings { address: control }),
        stations: vec![StationSettings {
            name: "Radio Seagull".into(),
            url: "http://127.0.0.1:9/x".into(),
        }],
        ..MusicSettings::default()
    };
    let mut home = Home::new(settings);
    let known = home
        .until(Duration::from_secs(5), |home| {
            home.shown["rooms"]
                .as_array()
                .is_some_and(|rooms| rooms.len() == 2)
        })
        .await;
    assert!(known, "{}", home.shown);
    assert_eq!(
        home.ask("move the music to the bedroom").await,
        "The music is in the Bedroom now."
    );
    assert_eq!(room(control, "Bedroom"), (false, "music".into()));
    assert!(room(control, "Kitchen").0);
    assert_eq!(
        home.ask("play the music everywhere").await,
        "The music plays everywhere."
    );
    assert!(!room(control, "Kitchen").0 && !room(control, "Bedroom").0);
    let why = home.ask("move the music to the attic").await;
    assert_eq!(
        why.matches("Kitchen").count() + why.matches("Bedroom").count(),
        2,
        "{why}"
    );
    drop(clients);
}
