//! Internet radio by its name, from a station on loopback.
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use hearthline_speaker::config::{MusicSettings, StationSettings};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::home::Home;
use crate::sounds::{Song, have, mp3};

/// A station that answers by path.
fn station(sound: Vec<u8>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, sound) = (stream.unwrap(), sound.clone());
            std::thread::spawn(move || {
                let mut request = [0; 2_048];
                let count = stream.read(&mut request).unwrap_or(0);
                let request = String::from_utf8_lossy(&request[..count]).into_owned();
                let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
                let _ = match path.as_str() {
                    "/list.pls" => stream.write_all(
                        format!("HTTP/1.0 200 OK\r\nContent-Type: audio/x-scpls\r\n\r\n[playlist]\nFile1=http://{address}/moved\n").as_bytes(),
                    ),
                    "/moved" => stream.write_all(b"HTTP/1.0 302 Found\r\nLocation: /live\r\n\r\n"),
                    "/aac" => stream.write_all(b"HTTP/1.0 200 OK\r\nContent-Type: audio/aacp\r\n\r\nx"),
                    "/ogg" => stream.write_all(b"HTTP/1.0 200 OK\r\nContent-Type: application/ogg\r\n\r\nx"),
                    "/garbage" => stream.write_all(&[0xff; 20_000]),
                    "/live" if request.contains("Icy-MetaData: 1") => live(&mut stream, &sound),
                    _ => stream.write_all(b"HTTP/1.0 404 Not Found\r\n\r\n"),
                };
            });
        }
    });
    address
}

/// Sound with a title behind each 4,000 bytes, for as long as somebody listens.
fn live(stream: &mut impl Write, sound: &[u8]) -> std::io::Result<()> {
    stream.write_all(b"ICY 200 OK\r\nicy-name: Radio Seagull\r\nContent-Type: audio/mpeg\r\nicy-metaint: 4000\r\n\r\n")?;
    let mut title = b"StreamTitle='The Brass Kettles - Harbour Lights';".to_vec();
    title.resize(64, 0);
    let mut first = true;
    for part in sound.iter().copied().cycle().collect_parts(4_000) {
        stream.write_all(&part)?;
        if core::mem::take(&mut first) {
            stream.write_all(&[4])?;
            stream.write_all(&title)?;
        } else {
            stream.write_all(&[0])?;
        }
    }
    Ok(())
}

/// A station over TLS with a certificate of its own, PEM.
fn protected_station(sound: Vec<u8>) -> (SocketAddr, String) {
    let made = rcgen::generate_simple_self_signed(vec!["radio.test".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, sound) = (stream.unwrap(), sound.clone());
            let session = ServerConnection::new(Arc::clone(&config)).unwrap();
            std::thread::spawn(move || {
                let mut stream = StreamOwned::new(session, stream);
                let mut request = [0; 2_048];
                let count = stream.read(&mut request).unwrap_or(0);
                let request = String::from_utf8_lossy(&request[..count]).into_owned();
                if request.starts_with("GET /plain ") {
                    let moved = b"HTTP/1.0 302 Found\r\nLocation: http://127.0.0.1:9/live\r\n\r\n";
                    let _ = stream.write_all(moved).and_then(|()| stream.flush());
                } else if count > 0 {
                    let _ = live(&mut stream, &sound);
                }
            });
        }
    });
    (address, made.cert.pem())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_station_over_tls_plays_by_the_certificate_that_was_given() {
    if !have("lame") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let song = Song {
        title: "",
        artist: "",
        album: "",
        genre: "",
        number: 1,
        hz: 900.0,
        seconds: 5.0,
    };
    let path = folder.path().join("x.mp3");
    mp3(&song, &path);
    let sound = std::fs::read(path).unwrap();
    let (address, pem) = protected_station(sound.clone());
    let (other, _) = protected_station(sound);
    let certificate = folder.path().join("radio.pem");
    std::fs::write(&certificate, pem).unwrap();
    let named = |name: &str, address: SocketAddr, path: &str| StationSettings {
        name: name.into(),
        url: format!("https://{address}/{path}"),
    };
    let settings = MusicSettings {
        certificate: Some(certificate),
        stations: vec![
            named("Radio Seagull", address, "live"),
            named("Radio Walnut", address, "plain"),
            named("Radio Rubble", other, "live"),
        ],
        ..MusicSettings::default()
    };
    let mut home = Home::new(settings);
    home.until(Duration::from_secs(30), |home| !home.shown.is_null())
        .await;
    assert_eq!(
        home.ask("play radio seagull").await,
        "Playing Radio Seagull."
    );
    assert!(home.hears(900.0).await, "{:?}", home.pitch(200));
    for (name, why) in [
        ("walnut", "its server sends me on without encryption"),
        (
            "rubble",
            "its server does not show the certificate that is set up for it",
        ),
    ] {
        let said = home.ask(&format!("play radio {name}")).await;
        assert!(said.contains(why), "{said}");
    }
}

trait Parts: Iterator<Item = u8> + Sized {
    fn collect_parts(self, size: usize) -> impl Iterator<Item = Vec<u8>>;
}

impl<I: Iterator<Item = u8>> Parts for I {
    fn collect_parts(mut self, size: usize) -> impl Iterator<Item = Vec<u8>> {
        core::iter::repeat_with(move || self.by_ref().take(size).collect())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_station_plays_with_its_titles() {
    if !have("lame") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.mp3");
    let song = Song {
        title: "",
        artist: "",
        album: "",
        genre: "",
        number: 1,
        hz: 600.0,
        seconds: 5.0,
    };
    mp3(&song, &path);
    let address = station(std::fs::read(path).unwrap());
    let named = |name: &str, path: &str| StationSettings {
        name: name.into(),
        url: format!("http://{address}/{path}"),
    };
    let settings = MusicSettings {
        stations: vec![
            named("Radio Seagull", "list.pls"),
            named("Radio Walnut", "aac"),
            named("Radio Willow", "ogg"),
            named("Radio Rubble", "garbage"),
            named("Radio Gone", "nothing"),
            StationSettings {
                name: "Radio Far".into(),
                url: "http://192.0.2.1/x".into(),
            },
        ],
        ..MusicSettings::default()
    };
    let mut home = Home::new(settings);
    home.wait(300).await;
    assert_eq!(
        home.ask("play radio sea gull").await,
        "Playing Radio Seagull."
    );
    assert!(home.hears(600.0).await, "{:?}", home.pitch(200));
    let titled = home
        .until(Duration::from_secs(3), |home| {
            home.shown["title"] == "Harbour Lights"
        })
        .await;
    assert!(titled, "{}", home.shown);
    assert_eq!(
        home.ask("who sings this").await,
        "This is Harbour Lights by The Brass Kettles, on Radio Seagull."
    );
    home.ask("pause").await;
    assert!(
        home.until(Duration::from_secs(1), |home| home.loudest(100) == 0)
            .await
    );
    home.ask("resume").await;
    assert!(home.hears(600.0).await);
    for (name, why) in [
        (
            "walnut",
            "it sends AAC, which I can't play; take its MP3 address",
        ),
        (
            "willow",
            "it sends Ogg, which I can't play; take its MP3 address",
        ),
        ("rubble", "it does not answer like a web server"),
        ("gone", "its server no longer has it"),
        (
            "far",
            "its server is beyond this machine, where this version stays",
        ),
    ] {
        let said = home.ask(&format!("play radio {name}")).await;
        assert!(
            said.starts_with("no: I can't play Radio ") && said.contains(why),
            "{said}"
        );
    }
    let stations = home.ask("which radio stations are there").await;
    assert!(stations.contains("Radio Walnut"), "{stations}");
}
