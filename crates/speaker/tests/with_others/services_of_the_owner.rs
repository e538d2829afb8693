//! The weather service and the language model of the owner's, as stand-ins that answer well, badly, slowly or without end:
//! what is asked of them to the byte, and what comes of it.
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use hearthline_speaker::config::Household;
use hearthline_speaker::io::model::{self, ModelPlace};
use hearthline_speaker::io::skills::{everyday_skills, last_skill, port};
use hearthline_speaker::io::weather;
use serde_json::{Value, json};

/// A server on loopback that gives each connection what `answer` writes; what was asked comes out.
fn server(
    answer: impl Fn(&mut TcpStream) + Send + 'static,
) -> (SocketAddr, std::sync::mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (asked, look) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let request = read_request(&mut stream);
            if asked.send(request).is_err() {
                return;
            }
            answer(&mut stream);
        }
    });
    (address, look)
}

/// Head and body, as its length says.
fn read_request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut block = [0; 1_024];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| {
                    line.to_lowercase()
                        .strip_prefix("content-length: ")
                        .map(str::to_owned)
                })
                .and_then(|length| length.parse().ok())
                .unwrap_or(0);
            if body.len() >= length {
                return text;
            }
        }
        match stream.read(&mut block) {
            Ok(0) | Err(_) => return text,
            Ok(count) => bytes.extend(&block[..count]),
        }
    }
}

fn reply(stream: &mut TcpStream, status: &str, body: &[u8]) {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(body);
}

/// What one adapter makes of one wish.
async fn told(
    asked: Value,
    serve: impl FnOnce(hearthline_speaker::io::skills::Outside) -> tokio::task::JoinHandle<()>,
) -> Value {
    let (mut port, outside) = port();
    let task = serve(outside);
    port.out.send(asked).await.unwrap();
    let told = tokio::time::timeout(Duration::from_secs(30), port.came.recv()).await;
    task.abort();
    told.expect("an answer or a reason in time").unwrap()
}

async fn weather_of(url: String, query: &str) -> Value {
    told(json!({ "fetch": query }), |outside| {
        tokio::spawn(weather::serve(url, outside))
    })
    .await
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

#[test]
fn the_weather_service_is_asked_so_and_its_answer_comes_whole() {
    let (address, asked) = server(|stream| reply(stream, "200 OK", b"{\"daily\": {}}"));
    let told = runtime().block_on(weather_of(
        format!("http://{address}/v1/forecast?apikey=x"),
        "latitude=1.0000&current=weather_code",
    ));
    assert_eq!(told, json!({"body": "{\"daily\": {}}"}));
    assert_eq!(
        asked.recv().unwrap().to_lowercase(),
        format!(
            "get /v1/forecast?apikey=x&latitude=1.0000&current=weather_code http/1.1\r\nhost: {address}\r\naccept: application/json\r\n\r\n"
        )
    );
}

#[test]
fn a_service_that_lies_floods_or_is_gone_is_a_reason_and_no_answer() {
    let runtime = runtime();
    let reason = |url: String| {
        let told = runtime.block_on(weather_of(url, "x=1"));
        assert!(told["body"].is_null(), "{told}");
        told["why"].as_str().unwrap().to_owned()
    };
    let of = |answer: fn(&mut TcpStream)| {
        let (address, _asked) = server(answer);
        reason(format!("http://{address}/"))
    };
    assert!(of(|stream| reply(stream, "500 No", b"{}")).contains("status 500"));
    assert!(!of(|stream| drop(stream.write_all(b"\x00\x01 garbage \xff\r\n\r\n"))).is_empty());
    assert!(!of(|stream| reply(stream, "200 OK", b"\xff\xfe\xfd")).is_empty());
    // More than any forecast has, with or without a length that says so.
    assert!(!of(|stream| reply(stream, "200 OK", &vec![b' '; 1 << 20])).is_empty());
    let endless = of(|stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while stream.write_all(&[b' '; 4_096]).is_ok() {}
    });
    assert!(!endless.is_empty());
    assert!(!of(|_| {}).is_empty());
    // Nobody there, and beyond this machine.
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    assert!(!reason(format!("http://{free}/")).is_empty());
    assert!(reason("http://192.0.2.1/".into()).contains("out of reach"));
    assert!(reason("https://127.0.0.1/".into()).contains("only http"));
    assert!(!reason("nonsense".into()).is_empty());
}

#[test]
fn a_slow_service_is_given_up_after_ten_seconds() {
    let (address, _asked) = server(|_| std::thread::sleep(Duration::from_secs(25)));
    let begun = Instant::now();
    let told = runtime().block_on(weather_of(format!("http://{address}/"), "x=1"));
    assert_eq!(told["why"], "no answer in time");
    let took = begun.elapsed().as_secs();
    assert!((9..15).contains(&took), "{took} s");
}

#[test]
fn the_model_is_asked_so_with_its_key_and_answers_by_its_token() {
    let folder = tempfile::tempdir().unwrap();
    let key_file = folder.path().join("key");
    std::fs::write(&key_file, "not-a-secret\n").unwrap();
    let (address, asked) = server(|stream| reply(stream, "200 OK", b"{\"choices\": []}"));
    let place = ModelPlace {
        url: format!("http://{address}/v1/chat/completions"),
        key_file: Some(key_file),
        within: Duration::from_secs(5),
    };
    let body = hearthline_skills::model::request("small", "who wrote Moby Dick?");
    let told = runtime().block_on(told(json!({"token": 7, "ask": body}), |outside| {
        tokio::spawn(model::serve(place, outside))
    }));
    assert_eq!(told, json!({"token": 7, "body": "{\"choices\": []}"}));
    let asked = asked.recv().unwrap();
    let (head, sent) = asked.split_once("\r\n\r\n").unwrap();
    let head = head.to_lowercase();
    assert!(head.starts_with("post /v1/chat/completions http/1.1\r\n"));
    assert!(head.contains("\r\nauthorization: bearer not-a-secret"));
    assert!(head.contains("\r\ncontent-type: application/json"));
    assert_eq!(serde_json::from_str::<Value>(sent).unwrap(), body);
    assert_eq!(body["stream"], false);
}

#[test]
fn a_household_has_the_skills_that_its_file_names() {
    let base = "[device]\nname = \"Kitchen\"\ncountry = \"US\"\n[person]\nname = \"Drill\"\n";
    // The name of each, and whether it has a way to the outside: what the file does not name keeps its place, for a file
    // that is read again, and does nothing.
    let names = |text: &str| -> Vec<(&'static str, bool)> {
        let household = Household::parse(&format!("{base}{text}")).unwrap();
        let (skills, _) = everyday_skills(&household);
        let last = last_skill(&household).0;
        skills
            .iter()
            .chain(&last)
            .map(|fitted| (fitted.skill.name(), fitted.port.is_some()))
            .collect()
    };
    let own = ["routine", "agenda", "finding", "knowing"].map(|name| (name, false));
    assert_eq!(names(""), [&own[..], &[("weather", false)]].concat());
    assert_eq!(
        names(
            "[[routine]]\nname = \"n\"\nphrases = [\"good night\"]\ndo = [\"turn off the lights\"]\n\
             [weather]\nurl = \"http://127.0.0.1:1/\"\nlatitude = 1.0\nlongitude = 1.0\n\
             [model]\nurl = \"http://127.0.0.1:1/\"\nname = \"m\"\n"
        ),
        [&own[..], &[("weather", true), ("model", true)]].concat()
    );
}
